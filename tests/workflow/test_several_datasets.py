"""A tiny study with further datasets and with errors in annotations, in the real workflow."""

import pandas as pd
import pytest

pytestmark = pytest.mark.workflow

MORE = """
datasets:
  clinic: {source: phantom, title: another clinic, phantom: {images: 10, height: 64, seed: 2}}
  archive: {source: phantom, phantom: {images: 10, height: 64, seed: 3, contrast: 0.7}}
evaluation: {also_on: [clinic]}
pretext: {random_block_masking: {also_on: [archive]}}
split: {fractions: [0.2]}
methods:
  unet: null
  modified_resunet: null
  ours_missing:
    label: Ours, teeth missing
    initialisation: random_block_masking
    annotations: {drop: 0.3}
"""


@pytest.fixture(scope="module")
def several(new_project, tmp_path_factory):
    project = new_project(tmp_path_factory.mktemp("several"))
    (project.folder / "more.yaml").write_text(MORE)
    project.settings.append("more.yaml")
    project.snakemake()
    return project


def test_every_network_is_measured_elsewhere_and_the_report_says_so(several):
    table = pd.read_csv(several.results / "tables/elsewhere.csv")
    assert table["dataset"].tolist() == ["clinic"] * 2
    assert table["model"].nunique() == 2 and table["radiographs"].max() == 9  # one is unlabelled
    page = (several.results / "report.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="elsewhere"') :].split("</section>")[0]
    assert "another clinic" in section and 'id="elsewhere"' in section
    truth = page[page.index('<section id="ground-truth"') :].split("</section>")[0]
    assert 'id="robustness"' in truth and 'id="dice_by_errors"' in truth
    log = (several.results / "logs/pretrain-random_block_masking.log").read_text()
    assert "10 radiographs of archive" in log


def test_errors_cost_dice_on_labels_that_are_clean(several):
    table = pd.read_csv(several.results / "tables/robustness.csv")
    assert table["errors"].tolist() == ["none", "drop 0.3"]
    assert table["given"].isna().tolist() == [True, False] and 0.5 < table["given"][1] < 0.95


def test_a_second_run_has_nothing_to_do(several):
    assert several.planned() == {}


@pytest.mark.parametrize(
    ("old", "new", "again", "kept"),
    [
        (
            "height: 64, seed: 2",
            "height: 64, seed: 4",
            {
                "draw_phantom_clinic": 1,
                "prepare_clinic": 1,
                "evaluate_elsewhere": 2,
                "elsewhere": 1,
            },
            {"train", "pretrain", "evaluate", "prepare", "table2"},
        ),
        (
            "annotations: {drop: 0.3}",
            "annotations: {drop: 0.4}",
            {"train": 1, "evaluate": 2, "evaluate_elsewhere": 1, "robustness": 1},
            {"pretrain", "prepare", "prepare_clinic", "prepare_archive"},
        ),
        (
            "height: 64, seed: 3",
            "height: 64, seed: 5",
            {"prepare_archive": 1, "pretrain": 1, "train": 2},
            {"prepare", "prepare_clinic"},
        ),
    ],
    ids=["measured on", "errors", "of the pretext"],
)
def test_a_change_makes_again_what_depends_on_it(several, old, new, again, kept):
    with several.edit("more.yaml", old, new):
        jobs = several.planned()
    assert again.items() <= jobs.items() and not kept & set(jobs)


def test_a_sentence_about_a_further_dataset_names_its_settings(several, write_folder, tmp_path):
    raw = write_folder(tmp_path / "raw", 12)
    old = "clinic: {source: phantom,"
    with several.edit("more.yaml", old, "clinic: {source: folder, path: nowhere,"):
        printed = several.snakemake("--dry-run", check=False)
    assert "datasets.clinic.path nowhere is not a folder" in printed
    with several.edit("more.yaml", old, f"clinic: {{source: folder, path: {raw}, masks: teeth,"):
        several.snakemake("results/tiny/data/clinic/index.csv", check=False)
    log = (several.results / "logs/prepare_clinic.log").read_text()
    assert "datasets.clinic.path must hold one named as datasets.clinic.masks says" in log
