import json
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from pathlib import Path

import cv2
import pandas as pd
import pytest

from maskedteeth.cli import main
from maskedteeth.files import read_csv

pytestmark = pytest.mark.workflow

TRAINING = "workflow/maskedteeth/training"
RUNS = 6  # 3 methods, 2 fractions, 1 seed


def test_the_whole_paper_runs_and_leaves_every_table_and_figure(project):
    tables = {f.name for f in (project.results / "tables").iterdir()}
    names = ("table1", "table2", "table3", "table_pretext", "statistics", "boundary", "audit")
    names += ("claims", "annotation_errors", "cost")
    assert tables == {f"{name}.{kind}" for name in names for kind in ("csv", "md", "tex")}
    figures = {f.name for f in (project.results / "figures").iterdir()}
    names = (*(f"figure{n}" for n in range(1, 10)), "dice_by_fraction", "differences")
    names += ("contact_sheet", "training_curves")
    assert figures == {f"{name}.{kind}" for name in names for kind in ("png", "pdf")}
    for figure in (project.results / "figures").glob("*.png"):
        assert cv2.imread(str(figure), cv2.IMREAD_GRAYSCALE).std() > 5
    assert "results/tiny/tables" in project.printed
    assert "digital phantom" in project.printed


def test_a_second_run_has_nothing_to_do(project):
    assert project.planned() == {}
    assert "Nothing to be done" in project.snakemake()


def test_the_tables_are_what_the_runs_measured(project):
    table = pd.read_csv(project.results / "tables" / "table2.csv")
    assert len(table) == RUNS
    row = table[(table["model"] == "U-Net") & (table["fraction"] == 0.8)].iloc[0]
    images = read_csv(project.results / "runs/unet/fraction-0.8/seed-42/metrics.csv")
    tp, fp, fn = (sum(int(image[k]) for image in images) for k in ("tp", "fp", "fn"))
    assert row["dice"] == pytest.approx(2 * tp / (2 * tp + fp + fn), abs=1e-6)
    assert row["dice_published"] == 0.844
    assert row["dice_difference"] == pytest.approx(row["dice"] - 0.844, abs=2e-6)


def test_every_run_says_how_it_came_about(project):
    for file in project.results.rglob("run.json"):
        record = json.loads(file.read_text())
        assert record["settings"]["compute"]["threads"] == 1
        assert record["packages"]["torch"] and record["code"] and record["inputs_sha256"]
        assert record["peak_memory_mib"] < 2048


def test_how_often_a_state_is_written_reruns_nothing(project):
    assert project.planned("--config", "compute={checkpoint_minutes: 1}") == {}
    assert project.planned("--config", "compute={precision: bfloat16}")["train"] == RUNS


def test_the_name_of_an_image_reruns_nothing(project, monkeypatch):
    monkeypatch.setenv("MASKEDTEETH_IMAGE", f"docker://registry.example/teeth@sha256:{'d' * 64}")
    assert project.planned() == {}


def test_rewording_a_docstring_or_comment_reruns_nothing(project):
    old = '"""Losses of the segmentation (appendix B)."""'
    with project.edit(f"{TRAINING}/losses.py", old, '"""Other words."""\n\n# And a comment.'):
        assert project.planned() == {}


def test_a_changed_loss_reruns_the_trainings_that_use_it_and_what_follows(project):
    with project.edit(f"{TRAINING}/losses.py", "1 - (2 * overlap", "1.0 - (2 * overlap"):
        jobs = project.planned()
    assert jobs["train"] == RUNS
    assert not {"pretrain", "reconstruct", "prepare", "split", "describe"} & set(jobs)


def test_a_changed_pretext_objective_reruns_the_pretext_and_what_starts_from_it(project):
    old = "return functional.l1_loss(torch.sigmoid(logits.float()), xray)"
    new = "return functional.mse_loss(torch.sigmoid(logits.float()), xray)"
    with project.edit("workflow/maskedteeth/pretext/objective.py", old, new):
        jobs = project.planned()
    assert (jobs["pretrain"], jobs["train"]) == (1, 2)


def test_a_changed_baseline_reruns_the_baselines_alone(project):
    with project.edit("workflow/maskedteeth/models/baselines.py", "classes=1,", "classes=int(1),"):
        assert project.planned()["train"] == 2  # U-Net, two fractions


def test_a_changed_layout_reruns_its_table_and_the_report_alone(project):
    with project.edit("workflow/maskedteeth/report/tables/table2.py", "Train. data", "Share"):
        assert project.planned() == {"table2": 1, "report": 1}


def test_a_changed_setting_reruns_what_depends_on_it(project):
    with project.edit("tiny.yaml", "report: {samples: 2}", "report: {samples: 1}"):
        jobs = project.planned()
    assert not {"train", "evaluate", "pretrain", "prepare"} & set(jobs)
    assert {"table2", "figure8", "reconstruct"} <= set(jobs)


def test_a_further_fraction_trains_only_its_own_runs(project):
    with project.edit("tiny.yaml", "fractions: [0.2, 0.8]", "fractions: [0.2, 0.5, 0.8]"):
        jobs = project.planned()
    assert (jobs["train"], jobs["evaluate"], jobs["split"]) == (3, 3, 1)
    assert not {"index", "prepare", "guard", "split_pretext", "pretrain"} & set(jobs)
    assert "reconstruct" not in jobs


def test_a_guard_that_is_made_again_retrains_nothing(project):
    assert project.planned("--forcerun", "guard") == {"guard": 1, "report": 1}


def test_measuring_again_retrains_nothing(project):
    needs = sorted((project.results / "needs").iterdir())
    kinds = [file.stem.rpartition("-")[0] for file in needs]  # a hash follows
    assert kinds == ["pretrain-modified_resunet", "train-modified_resunet", "train-unet"]
    assert project.planned("--forcerun", "measure_one") == {"measure_one": 3}
    with project.edit("tiny.yaml", "seeds: [42]", "seeds: [42, 1]"):
        jobs = project.planned()
    assert jobs["train"] == 2 and "measure_one" not in jobs  # the others have their own seeds


@pytest.mark.parametrize("made", ["needs/train-unet-*.json", "data/guard.json"])
def test_what_was_half_made_when_snakemake_was_killed_hides_nothing(project, tmp_path, made):
    """Jobs behind `ancient` are planned although what is before them is made again, too."""
    (file,) = project.results.glob(made)
    key = str(file.relative_to(project.folder))
    mark = project.folder / ".snakemake" / "incomplete" / urlsafe_b64encode(key.encode()).decode()
    run = project.results / "runs" / "unet" / "fraction-0.2"
    shutil.move(run, tmp_path / "run")
    mark.write_text('{"external_jobid": null}')
    try:
        jobs = project.planned()
    finally:
        mark.unlink()
        shutil.move(tmp_path / "run", run)
    assert jobs["train"] >= 1 and {"evaluate", "table2", "report"} <= set(jobs)
    assert project.planned() == {}


def test_a_run_that_leaves_something_out_says_so_and_goes_on_when_started_again(project, tmp_path):
    other = project.copy(tmp_path / "other")
    shutil.rmtree(other.results / "runs" / "unet" / "fraction-0.2")
    said = other.snakemake("--forcerun", "measure_one", check=False)
    assert "files are still missing, results/tiny/runs/unet/fraction-0.2/seed-42/" in said
    assert "Start the same command again" in said and "Done." not in said
    assert "Done." in other.snakemake()


def test_a_changed_batch_is_measured_and_trained(project):
    jobs = project.planned("--config", "training={batch_size: 2}")
    assert (jobs["measure_one"], jobs["train"]) == (2, RUNS)


def test_every_table_and_figure_says_why(project, capsys):
    runs = {"table2": RUNS, "table3": 2, "figure5": 1, "figure8": 3, "audit": 0, "figure2": 0}
    for name, count in runs.items():
        kind = "figures" if name.startswith("figure") else "tables"
        assert main(["why", str(next((project.results / kind).glob(f"{name}.*")))]) == 0
        first, *rest = capsys.readouterr().out.splitlines()
        pretexts = 0 if name == "audit" else 1
        assert f": {count} run{'' if count == 1 else 's'}, {pretexts} pretext" in first
        assert "Runs o" not in "".join(rest)
    sources = {file.stem for file in (project.results / "sources").iterdir()}
    made = {f.stem for kind in ("tables", "figures") for f in (project.results / kind).iterdir()}
    assert sources == made


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("table2", ["tables/table2.md"]),
        ("figure6", ["figures/figure6.png", "figures/figure6.pdf"]),
        ("dice_by_fraction", ["figures/dice_by_fraction.png"]),
    ],
)
def test_a_table_or_figure_is_made_again_alone_by_its_name(project, name, files):
    paths = [project.results / file for file in files]
    before = [path.read_bytes() for path in paths]
    paths[0].unlink()
    assert project.planned(name) == {name: 1}
    project.snakemake(name)
    assert [path.read_bytes() for path in paths] == before


def test_a_wrong_setting_is_one_sentence_before_anything_runs(project):
    with project.edit("tiny.yaml", "training: {epochs: 1}", "training: {epoch: 1}"):
        printed = project.snakemake("--dry-run", check=False)
    assert "Setting training.epoch is unknown; did you mean 'epochs'?" in printed
    assert "Traceback" not in printed


def test_a_folder_that_is_not_there_is_one_sentence_before_anything_runs(project):
    data = "data: {source: folder, path: ~/no/such/folder, "
    with project.edit("tiny.yaml", "data: {", data):
        printed = project.snakemake("--dry-run", check=False)
    folder = Path("~/no/such/folder").expanduser()
    assert f"data.path {folder} is not a folder; name the folder of the dataset." in printed
    assert "Traceback" not in printed


def test_a_folder_in_place_is_indexed_again_when_what_is_read_of_it_changes(
    new_project, tmp_path, write_folder
):
    raw = write_folder(tmp_path / "home" / "raw", 12, labelled=11)
    (tmp_path / "project").mkdir()
    project = new_project(tmp_path / "project")
    data = f"data: {{source: folder, path: {raw}, "
    prepared = "results/tiny/data/images.npy"
    with project.edit("tiny.yaml", "data: {", data):
        project.snakemake(prepared)
        for stray in (".DS_Store", "images/.DS_Store", "images/Thumbs.db", "notes/notes.txt"):
            (raw / stray).parent.mkdir(exist_ok=True)
            (raw / stray).write_text("stray")
        assert project.planned(prepared) == {}
        mask = raw / "masks" / "3.png"
        before = mask.read_bytes()
        mask.write_bytes((raw / "masks" / "4.png").read_bytes())
        assert project.planned(prepared) == {"index": 1, "prepare": 1}
        mask.write_bytes(before)
        assert project.planned(prepared) == {}
        (raw / "images" / "12.png").unlink()
        assert project.planned(prepared) == {"index": 1, "prepare": 1}


@pytest.fixture
def folder_project(new_project, tmp_path, write_folder):
    """A copy that reads a folder of radiographs; returns it and the folder."""
    raw = write_folder(tmp_path / "raw", 12, labelled=11)
    (tmp_path / "project").mkdir()
    project = new_project(tmp_path / "project")
    project.edit("tiny.yaml", "data: {", f"data: {{source: folder, path: {raw}, ").__enter__()
    return project, raw


def test_a_disguised_copy_of_a_test_radiograph_stops_before_anything_trains(folder_project):
    project, raw = folder_project
    split = project.results / "data" / "splits" / "pretext.json"
    project.snakemake("results/tiny/data/splits/pretext.json")
    drawn = json.loads(split.read_text())
    tested, trained = drawn["test"][0], drawn["train"][0]
    pixels = cv2.imread(str(raw / f"images/{tested}.png"), cv2.IMREAD_GRAYSCALE)
    encoded = cv2.imencode(".jpg", cv2.add(pixels, 25), [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    disguised = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(raw / f"images/{trained}.png"), disguised)
    printed = project.snakemake(check=False)
    words = " ".join(printed.split())
    assert f"images/{tested}.png (test) and images/{trained}.png (training" in words
    assert "completed successfully" not in printed and "Traceback" not in printed
    assert not list(project.results.rglob("weights.*"))
    with project.edit("tiny.yaml", "path: ", "near_duplicates: group, path: "):
        project.snakemake("results/tiny/data/guard.json")


def test_a_split_edited_by_hand_to_leak_is_not_trained_on(folder_project):
    project, _ = folder_project
    name = "data/splits/fraction-0.2/seed-42.json"
    project.snakemake(f"results/tiny/{name}")
    drawn = json.loads((project.results / name).read_text())
    drawn["train"].append(drawn["test"].pop())
    (project.results / name).write_text(json.dumps(drawn))
    weights = "runs/modified_resunet/fraction-0.2/seed-42/weights.safetensors"
    printed = project.snakemake(f"results/tiny/{weights}", check=False)
    words = " ".join(printed.split())
    assert f"seed-42.json leaks: radiograph {drawn['train'][-1]} tests, and itself" in words
    assert not (project.results / weights).exists()


def test_failed_and_killed_trainings_are_listed_at_the_end_and_stop_no_others(
    new_project, tmp_path
):
    project = new_project(tmp_path)
    method = "pspnet: {seeds: [42], model: {options: {no_such: 1}}}"
    baselines, build = (
        "workflow/maskedteeth/models/baselines.py",
        "    try:\n        _check_options",
    )
    kill = (
        "    import os, sys\n\n    if model.architecture == 'unet' and 'train' in sys.argv:\n"
        "        os.kill(os.getpid(), 9)\n"
    )
    with (
        project.edit("tiny.yaml", "pspnet: null", method),
        project.edit(baselines, build, kill + build),
    ):
        printed = project.snakemake("table2", "table3", "--quiet", "rules", check=False)
    assert (project.results / "tables" / "table3.md").exists()
    assert not (project.results / "tables" / "table2.md").exists()
    end = printed[printed.index("3 jobs failed; ") :]
    assert max(map(len, end[: end.index("The same command goes on")].splitlines())) <= 80
    words = " ".join(end.split())
    for fraction in ("0.2", "0.8"):
        log = f"log: results/tiny/logs/train-unet-{fraction}-42.log"
        assert f"train: method unet, fraction {fraction}, seed 42 {log}" in words
    assert "measure_one: needs train-pspnet-" in words  # before it trains
    assert words.count("maskedteeth measure: segmentation_models_pytorch cannot build pspnet") == 1
    assert "It was killed by signal 9 (SIGKILL), most likely by the kernel" in words
    assert "Traceback" not in printed


def test_a_zip_that_is_none_stops_with_a_sentence(new_project, tmp_path):
    project = new_project(tmp_path)
    (tmp_path / "bad.zip").write_text("no zip")
    phantom, path = "phantom: {images: 12, height: 64}", "source: hitl, path: bad.zip"
    with project.edit("tiny.yaml", phantom, path):
        printed = project.snakemake("fetch", check=False)
    assert "bad.zip is not a whole zip file" in " ".join(printed.split())
    assert "completed successfully" not in printed and "Traceback" not in printed


@pytest.mark.parametrize(
    ("path", "kind"), [("nowhere", "folder"), ("nowhere.zip", "zip file"), ("X.ZIP", "zip file")]
)
def test_a_path_that_leads_nowhere_is_named_before_anything_runs(project, path, kind):
    phantom, setting = "phantom: {images: 12, height: 64}", f"source: hitl, path: {path}"
    with project.edit("tiny.yaml", phantom, setting):
        printed = project.snakemake("--dry-run", check=False)
    assert f"data.path {path} is not a {kind}; name the {kind} of the dataset." in printed
    assert "Traceback" not in printed


def test_the_papers_settings_plan_1_pretraining_and_75_trainings():
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1", "--forceall"]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120
    )
    lines = [line.split() for line in (done.stdout + done.stderr).splitlines()]
    assert ["pretrain", "1"] in lines and ["train", "75"] in lines


def test_a_study_of_one_method_without_a_pretext_has_all_its_tables_and_figures(
    new_project, tmp_path
):
    project = new_project(tmp_path)
    (tmp_path / "bare.yaml").write_text(
        "pretext: {random_block_masking: null}\n"
        "methods: {unet: null, random_block_masking: null}\n"
        "report: {ours: modified_resunet}\n"
        "split: {fractions: [0.2]}\n"
    )
    project.settings.append("bare.yaml")
    project.snakemake()
    tables = {file.stem for file in (project.results / "tables").iterdir()}
    assert {"table1", "table2", "table3", "statistics", "claims", "cost"} <= tables
    assert "table_pretext" not in tables
    page = (project.results / "report.html").read_text()
    assert "Modified ResUNet" in page and 'id="training_curves"' in page
