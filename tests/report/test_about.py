"""What stands under every table, whichever it is: data, protocol, and runs that do not match."""

import inspect
import json

import numpy as np
import pandas as pd
import pytest
from records import RECORD
from safetensors.numpy import save_file

from maskedteeth.cli import STAGES, main, module_of_stage
from maskedteeth.files import write_csv, write_json
from maskedteeth.settings.jobs import ReportJob

#: The audit is about the paper's own numbers, which no run reaches.
TABLES = [
    stage
    for stage in STAGES
    if module_of_stage(stage).startswith("maskedteeth.report.tables.") and stage != "audit"
]
IDS = ["1", "2", "3"]
SCORES = {"tp": 40, "fp": 5, "fn": 10, "tn": 45, "dice": 80 / 95, "nsd": 0.9, "hd95": 3.0}
SIMILARITY = {"ssim": 0.8, "lpips": 0.2, "fsim": 0.9, "l1": 0.03}
PAPER = ("table1", "table2", "table3", "pretext")


@pytest.fixture
def files(tmp_path, monkeypatch, request):
    """All that any table wants, by the names of its flags."""
    monkeypatch.chdir(request.config.rootpath)
    known = {name: f"config/published/{name}.csv" for name in (*PAPER, "models")}
    known |= {"claims": "config/claims.yaml", "lpips": tmp_path / "lpips.safetensors"}
    save_file({}, known["lpips"], metadata={"about": '{"available": "yes", "reason": ""}'})
    runs = {}
    for seed in (0, 42):
        folder = tmp_path / f"runs/ours/fraction-0.2/seed-{seed}"
        run = {"method": "ours", "fraction": 0.2, "seed": seed}
        write_csv(folder / "metrics.csv", [run | {"id": name} | SCORES for name in IDS])
        probability = np.zeros((len(IDS), 32, 64), np.uint8)
        np.savez(folder / "predictions.npz", ids=np.array(IDS), probability=probability)
        settings = {"fraction": 0.2, "model": {"architecture": "unet"}}
        run = {"settings": settings, "code": f"code {seed}", "packages": {}}
        write_json(folder / "run.json", RECORD | run)
        for name in ("metrics.csv", "predictions.npz", "run.json"):
            runs.setdefault(name, []).append(folder / name)
    known |= {"metrics": runs["metrics.csv"], "predictions": runs["predictions.npz"]}
    known |= {"runs": runs["run.json"], "raw": tmp_path / "raw"}
    known["raw"].mkdir()
    write_json(known["raw"] / "injected_errors.json", {name: [] for name in IDS})
    known |= {"masks": tmp_path / "masks.npy", "index": tmp_path / "index.csv"}
    np.save(known["masks"], np.zeros((len(IDS), 32, 64), np.uint8))
    write_csv(known["index"], [{"id": name, "height": 32, "width": 64} for name in IDS])
    pretext = tmp_path / "pretext" / "random_block_masking"
    masked = {f"{metric}_masked": value for metric, value in SIMILARITY.items()}
    rows = [{"id": name, "hidden": 0.4} | SIMILARITY | masked for name in IDS]
    write_csv(pretext / "metrics.csv", rows)
    write_csv(pretext / "fillers.csv", [{"filler": "unfilled"} | row for row in rows])
    known |= {"pretexts": [pretext / "metrics.csv"], "fillers": [pretext / "fillers.csv"]}
    return known


def make(stage, files, folder, protocol):
    """Make a table; return its CSV, its Markdown and its LaTeX."""
    settings = ReportJob(
        dataset="A synthetic set",
        protocol=protocol,
        threshold=0.5,
        boundary_tolerance=2,
        labels={"ours": "Ours"},
        short_labels={"ours": "Ours"},
        ours="ours",
        bootstrap_resamples=100,
    )
    out = {kind: folder / f"{stage}-{protocol}.{kind}" for kind in ("csv", "md", "tex")}
    files = files | out | {"published": files.get(stage.removeprefix("table-"))}
    if stage == "table-pretext":
        files["metrics"] = files["pretexts"]
    module, _, name = STAGES[stage].partition(":")
    function = getattr(__import__(module, fromlist=[name]), name)
    words = [stage, "--settings", settings.model_dump_json()]
    for flag in inspect.signature(function).parameters:
        if flag != "settings":
            value = files[flag] if isinstance(files[flag], list) else [files[flag]]
            words += [f"--{flag}", *map(str, value)]
    assert main(words) == 0
    return pd.read_csv(out["csv"]), out["md"].read_text(), out["tex"].read_text()


@pytest.mark.parametrize("stage", TABLES)
def test_every_table_says_its_data_its_protocol_and_runs_of_different_code(stage, files, tmp_path):
    table, *texts = make(stage, files, tmp_path, "complement")
    assert (table["protocol"] == "complement").all() and "protocol" in table
    for text in texts:
        assert "A synthetic set" in text and "COMPLEMENT" in text
        assert "Runs of different code" in text
    write_json(files["runs"][0], json.loads(files["runs"][1].read_text()))
    table, *texts = make(stage, files, tmp_path, "fixed-test")
    assert (table["protocol"] == "fixed-test").all()
    for text in texts:
        assert "COMPLEMENT" not in text and "different code" not in text


@pytest.mark.parametrize("stage", ["table1", "table2", "table3"])
def test_a_table_of_seeds_says_what_a_seed_changes(stage, files, tmp_path):
    _, text, _ = make(stage, files, tmp_path, "fixed-test")
    assert "(where that is not all but the test set), the order and the initial weights" in text
    assert "One test set serves all seeds." in text and "pretraining" not in text
    _, text, _ = make(stage, files, tmp_path, "complement")
    assert "the training subset (and so what tests), the order" in text
    assert "One test set" not in text
    pretext = tmp_path / "pretext" / "random_block_masking" / "run.json"
    write_json(pretext, json.loads(files["runs"][0].read_text()))
    files["runs"].append(pretext)
    _, text, _ = make(stage, files, tmp_path, "fixed-test")
    assert "and, except after a pretext, the initial weights. One test set" in text
    assert "all start from one pretraining, whose own chance does not show." in text


def test_the_boundary_table_says_at_what_size_its_pixels_are(files, tmp_path):
    _, text, _ = make("boundary", files, tmp_path, "fixed-test")
    assert "within 2 pixels (of the evaluated size) of the other one" in text
    for run in files["runs"]:
        write_json(run, json.loads(run.read_text()) | {"radiographs": [9, 32, 64]})
    _, text, _ = make("boundary", files, tmp_path, "fixed-test")
    assert "within 2 pixels (of the evaluated 32 × 64) of the other one" in text


def test_the_tables_are_all_there():
    assert len(TABLES) >= 8
