"""The real workflow on a tiny study: what it makes, and what it makes again after a change."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pandas as pd
import pytest

pytestmark = pytest.mark.workflow

ROOT = Path(__file__).parents[2]
TRAINING = "workflow/maskedteeth/training"
RUNS = 6  # 3 methods, 2 fractions, 1 seed
TABLES = {"table1", "table2", "table3", "table_pretext", "statistics", "boundary", "claims"}
TABLES |= {"cost"}
FIGURES = {*(f"figure{n}" for n in range(1, 10)), "dice_by_fraction", "differences"}
FIGURES |= {"contact_sheet", "training_curves"}


def test_the_whole_paper_runs_and_leaves_every_table_and_figure(project):
    tables = {f.name for f in (project.results / "tables").iterdir()}
    assert tables == {f"{n}.{kind}" for n in TABLES for kind in ("csv", "md", "tex", "html")}
    figures = {f.name for f in (project.results / "figures").iterdir()}
    assert figures == {f"{n}.{kind}" for n in FIGURES for kind in ("png", "pdf", "txt")}
    for figure in (project.results / "figures").glob("*.png"):
        assert cv2.imread(str(figure), cv2.IMREAD_GRAYSCALE).std() > 5
    page = (project.results / "report.html").read_text(encoding="utf-8")
    for name in TABLES | FIGURES:
        assert f'id="{name}"' in page, name
    assert "\n12 radiographs: 11 annotated, 1 not (3), for pretexts alone" in project.printed
    assert "Done. Results: results/tiny" in project.printed
    assert "digital phantom" in project.printed


def test_the_tables_are_what_the_runs_measured(project):
    table = pd.read_csv(project.results / "tables" / "table2.csv")
    assert len(table) == RUNS
    row = table[(table["model"] == "U-Net") & (table["fraction"] == 0.8)].iloc[0]
    images = pd.read_csv(project.results / "evaluation/unet/metrics.csv").query("fraction == 0.8")
    tp, fp, fn = images[["tp", "fp", "fn"]].sum()
    assert row["dice"] == pytest.approx(2 * tp / (2 * tp + fp + fn), abs=1e-6)
    assert row["dice_published"] == 0.844
    assert row["dice_difference"] == pytest.approx(row["dice"] - 0.844, abs=2e-6)


def test_what_changes_no_result_reruns_nothing(project, monkeypatch):
    """Settings that only the parameter `files` holds are not compared.

    It is a function of inputs and outputs. That Snakemake compares no such parameter is how it
    works, but nothing that its documentation promises.
    """
    monkeypatch.setenv("MASKEDTEETH_IMAGE", f"docker://registry.example/teeth@sha256:{'d' * 64}")
    old = '"""Losses of the segmentation (appendix B)."""'
    with project.edit(f"{TRAINING}/losses.py", old, '"""Other words."""\n\n# And a comment.'):
        other = ["compute={checkpoint_minutes: 1}", "evaluation={lpips_weights: mine.pth}"]
        other.append("data={most_problems: 0.5, download: kaggle}")
        assert project.planned("--config", *other) == {}
    assert "Nothing to be done" in project.snakemake()


def test_null_on_the_command_line_is_no_text(project):
    """Only the report, which shows what is set, is made again: no table has another title."""
    assert set(project.planned("--config", "data={title: null}")) == {"report"}


def test_a_changed_loss_reruns_the_trainings_that_use_it_and_what_follows(project):
    with project.edit(f"{TRAINING}/losses.py", "1 - (2 * overlap", "1.0 - (2 * overlap"):
        jobs = project.planned()
    assert jobs["train"] == RUNS and {"evaluate", "table2", "figure8", "report"} <= set(jobs)
    assert not {"pretrain", "measure_pretext", "prepare", "describe", "figure6"} & set(jobs)


def test_a_changed_pretext_objective_reruns_the_pretext_and_what_starts_from_it(project):
    old, new = "functional.l1_loss(generated, xray)", "functional.mse_loss(generated, xray)"
    with project.edit("workflow/maskedteeth/pretext/objective.py", old, new):
        jobs = project.planned()
    assert (jobs["pretrain"], jobs["train"]) == (1, 2)


def test_a_changed_layout_reruns_its_table_and_the_report_alone(project):
    with project.edit("workflow/maskedteeth/report/tables/boundary.py", "of all models", "of each"):
        assert project.planned() == {"boundary": 1, "report": 1}


def test_a_changed_page_is_made_again_and_nothing_else(project):
    path = project.folder / "workflow/maskedteeth/report/page/style.css"
    with project.edit(str(path), path.read_text(), path.read_text() + "\n"):
        assert project.planned() == {"report": 1}


def test_a_changed_setting_reruns_what_depends_on_it(project):
    with project.edit("tiny.yaml", "report: {samples: 2}", "report: {samples: 1}"):
        jobs = project.planned()
    assert not {"train", "evaluate", "pretrain", "measure_pretext", "prepare"} & set(jobs)
    assert {"table2", "figure8", "report"} <= set(jobs)


def test_a_further_fraction_trains_only_its_own_runs(project):
    with project.edit("tiny.yaml", "fractions: [0.2, 0.8]", "fractions: [0.2, 0.5, 0.8]"):
        jobs = project.planned()
    assert jobs["train"] == 3
    assert not {"prepare", "pretrain", "measure_pretext", "figure8"} & set(jobs)


def test_a_further_method_with_a_training_of_its_own_trains_alone(project):
    old = "  modified_resunet: {model: *tiny}\n"
    new = "  augmented: {like: modified_resunet, label: Augmented, training: {augment: light}}\n"
    with project.edit("tiny.yaml", old, old + new):
        jobs = project.planned()
    assert jobs["train"] == 2 and not {"prepare", "pretrain", "measure_pretext"} & set(jobs)


@pytest.mark.parametrize(("name", "trained"), [("figure4", 1), ("figure8", 3), ("table3", 2)])
def test_a_table_or_figure_alone_trains_no_more_than_it_shows(fresh, name, trained):
    jobs = fresh.planned(name)
    assert (jobs["train"], jobs["pretrain"]) == (trained, 1)


def test_a_table_is_made_again_alone_by_its_name(project):
    paths = [project.results / "tables" / f"table2.{kind}" for kind in ("md", "csv")]
    before = [path.read_bytes() for path in paths]
    paths[0].unlink()
    assert project.planned("table2") == {"table2": 1}
    project.snakemake("table2")
    assert [path.read_bytes() for path in paths] == before


def test_the_audit_is_of_no_study(project):
    audit = project.folder / "results" / "audit"
    assert {"audit.csv", "audit.md", "audit.tex", "audit.html"} == {f.name for f in audit.iterdir()}
    assert project.planned("audit", "--config", "study=another") == {}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "training: {epochs: 1}",
            "training: {epoch: 1}",
            "Setting training.epoch is unknown; did you mean 'epochs'?",
        ),
        (
            "phantom: {images: 12, height: 64}",
            "source: folder, path: nowhere",
            "name the folder of the dataset.",
        ),
    ],
)
def test_a_mistake_in_the_settings_is_a_sentence_before_anything_runs(project, old, new, sentence):
    with project.edit("tiny.yaml", old, new):
        printed = project.snakemake("--dry-run", check=False)
    assert sentence in printed and "Traceback" not in printed


@pytest.fixture
def folder_project(new_project, tmp_path, write_folder):
    """A copy that reads a folder of radiographs; returns it and the folder."""
    raw = write_folder(tmp_path / "raw", 12, labelled=11)
    (tmp_path / "project").mkdir()
    project = new_project(tmp_path / "project")
    (project.folder / "folder.yaml").write_text(f"data: {{source: folder, path: {raw}}}\n")
    project.settings.append("folder.yaml")
    return project, raw


PREPARED = "results/tiny/data/images.npy"


def test_files_of_the_dataset_that_are_replaced_by_older_ones_are_read_again(folder_project):
    project, raw = folder_project
    project.snakemake(PREPARED)
    mask, other = raw / "masks" / "3.png", raw / "masks" / "4.png"
    before, old = mask.stat(), other.read_bytes()
    mask.write_bytes(old)
    os.utime(mask, (before.st_atime, before.st_mtime - 3600))
    assert project.planned(PREPARED) == {"prepare": 1}
    project.snakemake(PREPARED)
    for ignored in (".DS_Store", "images/.hidden.png", "notes/notes.txt"):
        (raw / ignored).parent.mkdir(exist_ok=True)
        (raw / ignored).write_text("ignored")
    (raw / "images").rename(raw.with_name("elsewhere"))
    (raw / "images").symlink_to(raw.with_name("elsewhere"))
    assert project.planned(PREPARED) == {}
    (raw / "images" / "11.png").unlink()
    assert project.planned(PREPARED) == {"prepare": 1}


def test_a_dataset_that_is_no_longer_there_leaves_what_is_finished_usable(folder_project):
    project, raw = folder_project
    project.snakemake(PREPARED)
    raw.rename(raw.with_name("elsewhere"))
    printed = project.snakemake("contact_sheet")
    assert "is missing or empty; its index is used" in printed
    assert (project.results / "figures" / "contact_sheet.png").exists()
    raw.mkdir()  # an empty mount point
    assert project.planned("contact_sheet") == {}


def test_a_target_behind_a_stage_that_failed_stays_out_of_date(folder_project):
    project, raw = folder_project
    project.snakemake("contact_sheet")
    with project.edit("folder.yaml", "data: {", "image: {height: 64}\ndata: {"):
        hidden = raw.with_name("images")
        (raw / "images").rename(hidden)
        failed = project.snakemake("contact_sheet", check=False)
        assert "Error in rule" in failed and "The radiographs (" not in failed
        hidden.rename(raw / "images")
        jobs = project.planned("contact_sheet")
        assert {"prepare", "contact_sheet"} <= set(jobs)
        project.snakemake("contact_sheet")
        assert project.planned("contact_sheet") == {}


def test_failed_trainings_stop_no_others_and_say_why(new_project, tmp_path):
    project = new_project(tmp_path)
    (tmp_path / "less.yaml").write_text("methods: {unet: null}\nsplit: {fractions: [0.2]}\n")
    project.settings.append("less.yaml")
    method = "pspnet: {seeds: [42], model: {options: {no_such: 1}}}"
    with project.edit("tiny.yaml", "pspnet: null", method):
        printed = project.snakemake("table2", "table3", check=False)
    assert (project.results / "tables" / "table3.md").exists()
    assert not (project.results / "tables" / "table2.md").exists()
    assert "pspnet" in printed and "no_such" in printed
    assert "12 radiographs: 11 annotated" in printed and "What is finished stays" in printed
    log = (project.results / "logs" / "train-pspnet-0.2-42.log").read_text()
    assert "no_such" in log and "Traceback" not in log


def test_the_papers_settings_plan_1_pretraining_and_75_trainings():
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1", "--forceall"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
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
    assert tables == TABLES - {"table_pretext"}
    page = (project.results / "report.html").read_text()
    assert "Modified ResUNet" in page and 'id="training_curves"' in page


def test_a_finished_study_that_is_moved_with_tar_has_nothing_to_do(project, tmp_path):
    """As docs/troubleshooting.md shows it: its folder, and what Snakemake knows of its files."""
    (tmp_path / "elsewhere").mkdir()
    other = type(project).new(tmp_path / "elsewhere")
    archive = tmp_path / "study.tar"
    parts = ["results/tiny", "results/audit", ".snakemake/metadata"]
    subprocess.run(["tar", "-cf", archive, *parts], cwd=project.folder, check=True)
    subprocess.run(["tar", "-xf", archive], cwd=other.folder, check=True)
    assert other.planned() == {}
    shutil.rmtree(other.results / "tables")
    assert set(other.planned("table2")) == {"table2"}


def test_jobs_take_no_module_from_the_working_directory(new_project, tmp_path):
    project = new_project(tmp_path)
    (tmp_path / "maskedteeth.py").write_text("raise SystemExit('another module')\n")
    project.snakemake("audit")
    assert (project.folder / "results" / "audit" / "audit.md").is_file()


def test_snakemakes_own_report_has_captions_categories_and_labels(project, tmp_path, monkeypatch):
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    monkeypatch.setattr(project, "environment", nowhere)
    target = tmp_path / "snakemake.html"
    project.snakemake("--report", str(target))
    page = target.read_text(encoding="utf-8")
    for category in ("Tables", "Figures", "Beyond the paper"):
        assert f'"{category}"' in page
    assert project.planned() == {}  # having been reported makes nothing out of date
