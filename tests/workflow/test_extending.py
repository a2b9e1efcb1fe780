"""The examples of docs/extending.md, carried out on a copy of the project."""

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pandas as pd
import pytest
from examples import examples

from maskedteeth.fingerprint import fingerprint
from maskedteeth.report.claims import Measured, of_published, of_study, read_claims
from maskedteeth.report.published import Published

pytestmark = pytest.mark.workflow

SECTIONS = ("A method", "A dataset", "A metric", "A table", "A figure", "A claim")
REPORT = {
    **{"dataset": "small", "protocol": "fixed-test", "threshold": 0.5, "boundary_tolerance": 2},
    **{"labels": {"ours": "Ours"}, "short_labels": {"ours": "Ours"}, "ours": "ours"},
}


@pytest.fixture(scope="module")
def extended(tmp_path_factory, new_project):
    """A copy of the project with every example in it."""
    project = new_project(tmp_path_factory.mktemp("extended"))
    for section in SECTIONS:
        for example in examples("extending.md", section):
            example.carry_out(project.folder)
    return project


def in_copy(project, *words):
    """Run Python with the copy's package; return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(project.folder / "workflow")}
    command = [sys.executable, *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def stage(project, name, settings, **files):
    words = [word for flag, file in files.items() for word in (f"--{flag}", file)]
    in_copy(project, "-m", "maskedteeth", name, "--settings", json.dumps(settings), *words)


@pytest.fixture(scope="module")
def metrics(extended, study, tmp_path_factory):
    """`metrics.csv` of the shared study, measured by the copy."""
    folder = tmp_path_factory.mktemp("measured")
    files = {name.partition(".")[0]: study / name for name in study.files("evaluate")}
    for name in ("metrics.csv", "predictions.npz", "evaluation.json"):
        files[name.partition(".")[0]] = folder / name
    stage(extended, "evaluate", study.settings("evaluate"), **files)
    return files["metrics"]


def test_methods_tables_and_figures_are_planned(extended, new_project, tmp_path):
    before = new_project(tmp_path).planned()
    extended.settings = ["config/demo.yaml", "tiny.yaml", "config/more.yaml"]
    jobs = extended.planned()
    assert jobs["train"] == before["train"] + 2 * 2  # two methods, two fractions of the tiny study
    assert jobs["pretrain"] == before["pretrain"] + 1 == 2
    added = {"specificity", "specificity_by_fraction"}
    assert set(jobs) - set(before) == added and all(jobs[name] == 1 for name in added)


def test_a_dataset_is_read(extended, radiograph):
    folder = extended.folder / "my" / "pairs"
    folder.mkdir(parents=True)
    for number in range(12):
        image, mask = radiograph(number)
        cv2.imwrite(str(folder / f"{number}.png"), image)
        if number:
            cv2.imwrite(str(folder / f"{number}_mask.png"), mask)
    (folder / "7_mask.tif").write_bytes(b"another")
    extended.settings = ["config/demo.yaml", "tiny.yaml", "config/pairs.yaml"]
    extended.snakemake("prepare")
    data = extended.folder / "results" / "pairs" / "data"
    index = pd.read_csv(data / "index.csv")
    assert len(index) == 11 and index["labelled"].sum() == 10
    assert "share the name 7" in (data / "problems.csv").read_text()
    masks = np.load(data / "masks.npy")
    assert masks.shape == (11, 32, 64) and not masks[0].any() and masks[1].any()


def test_a_metric_is_a_column_and_retrains_nothing(extended, metrics):
    rows = pd.read_csv(metrics)
    assert rows["specificity"].to_numpy() == pytest.approx(
        rows["tn"] / (rows["tn"] + rows["fp"]), abs=1e-6
    )
    modules = ("maskedteeth.training.train", "maskedteeth.metrics.evaluate")
    code = "import sys; from maskedteeth.fingerprint import fingerprint as f"
    printed = in_copy(extended, "-c", f"{code}; print(*map(f, sys.argv[1:]))", *modules)
    train, evaluate = printed.split()
    assert train == fingerprint(modules[0]) and evaluate != fingerprint(modules[1])


def test_a_table_is_written(extended, metrics, tmp_path, study):
    outputs = {kind: tmp_path / f"specificity.{kind}" for kind in ("csv", "md", "tex")}
    stage(extended, "specificity", REPORT, metrics=metrics, runs=study / "run.json", **outputs)
    mean = pd.read_csv(metrics)["specificity"].mean()
    assert pd.read_csv(outputs["csv"])["specificity"].tolist() == [pytest.approx(mean)]
    assert f"| {mean:.3f} " in outputs["md"].read_text()


def test_a_figure_is_drawn(extended, metrics, tmp_path):
    outputs = {kind: tmp_path / f"specificity.{kind}" for kind in ("png", "pdf")}
    stage(extended, "specificity-by-fraction", REPORT, metrics=metrics, **outputs)
    picture = cv2.imread(str(outputs["png"]), cv2.IMREAD_GRAYSCALE)
    assert picture.std() > 5 and outputs["pdf"].read_bytes().startswith(b"%PDF")


def test_a_claim_is_judged_by_both_numbers(extended):
    claim = read_claims(extended.folder / "config" / "claims.yaml")["linknet_beats_unet"]
    names = ("models", "table2", "table3", "pretext")
    folder = extended.folder / "config" / "published"
    paper = of_published(claim, Published(*(folder / f"{name}.csv" for name in names)))
    assert (paper.verdict, round(paper.margin, 3)) == ("supported", 0.017)

    def measured(unet, linknet):
        right = {"unet": unet, "linknet": linknet}
        rows = [
            {"method": method, "fraction": f, "seed": seed, "id": f"{n}", "tp": tp + n, "tn": 50}
            | {"fp": 100 - tp, "fn": 100 - tp}
            for method, tp in right.items()
            for f in (0.2, 0.3, 0.8, 0.9)
            for seed in (1, 2)
            for n in range(8)
        ]
        return Measured(pd.DataFrame(rows), {}, resamples=200)

    assert of_study(claim, measured(unet=60, linknet=80)).verdict == "supported"
    assert of_study(claim, measured(unet=80, linknet=60)).verdict == "refuted"
