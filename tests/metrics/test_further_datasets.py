"""Networks measured on another dataset, on nothing that any of them may have seen."""

import cv2
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

CLINIC = {"datasets": {"clinic": {"source": "folder", "path": "clinic"}}}


@pytest.fixture(scope="module")
def clinic(study, tmp_path_factory, write_folder):
    """Another dataset, prepared: 120 has no mask; its 201 and 202 are copies of two at home."""
    root = tmp_path_factory.mktemp("clinic")
    raw = write_folder(root / "raw", 20, labelled=19, first=101)
    split = study.split()
    for name, home in (("201", split.train[0]), ("202", split.test[0])):
        for folder in ("images", "masks"):
            picture = cv2.imread(str(study.raw / folder / f"{home}.png"), 0)
            cv2.imwrite(str(raw / folder / f"{name}.png"), picture)
    other = type(study)(raw, root / "out")
    assert other.run("prepare") == 0
    return other


@pytest.fixture
def measure(study, clinic, tmp_path):
    def run(**files):
        there = {name: clinic / f"{name}.npy" for name in ("images", "labels")}
        there |= {"index": clinic / "index.csv", "weights": [study / "run/weights.safetensors"]}
        return study.run("evaluate_elsewhere", tmp_path, changes=CLINIC, **there, **files)

    return run


def test_every_labelled_radiograph_is_measured_but_copies_of_what_trained(
    study, clinic, measure, tmp_path, capsys
):
    assert measure() == 0
    rows = pd.read_csv(tmp_path / "metrics.csv", dtype={"id": str})
    assert rows["id"].tolist() == [*map(str, range(101, 120)), "202"]
    assert set(rows["dataset"]) == {"clinic"}
    assert "21 labelled radiographs of clinic, of which 1 are left out" in capsys.readouterr().out
    pixels, labels = (clinic.pixels(name, rows["id"]) for name in ("images", "labels"))
    masks = study.probability(study / "run/weights.safetensors", pixels) >= 0.5
    for dice, mask, truth in zip(rows["dice"], masks, labels > 0, strict=True):
        assert dice == pytest.approx(f1_score(truth.ravel(), mask.ravel()), abs=1e-6)


def test_what_a_pretext_was_trained_on_elsewhere_is_not_measured(clinic, measure, tmp_path):
    pictures = np.load(clinic / "images.npy")
    np.save(tmp_path / "archive.npy", 255 - pictures[:5, :, ::-1])  # copies by the hash
    assert measure(further=[tmp_path / "archive.npy"]) == 0
    rows = pd.read_csv(tmp_path / "metrics.csv", dtype={"id": str})
    assert rows["id"].tolist() == [*map(str, range(106, 120)), "202"]


@pytest.mark.parametrize("known", [True, False], ids=["numbers", "no numbers"])
def test_numbers_are_measured_elsewhere_where_there_are_some(numbered, tmp_path, known):
    labels = np.load(numbered / "labels.npy")
    np.save(tmp_path / "labels.npy", labels if known else np.where(labels > 0, 99, 0))
    np.save(tmp_path / "images.npy", np.load(numbered / "images.npy")[:, :, ::-1])
    there = {name: tmp_path / f"{name}.npy" for name in ("images", "labels")} | {
        "index": numbered / "index.csv"
    }
    there |= {"weights": [numbered / "run/weights.safetensors"]}
    there |= {"numbering": tmp_path / "numbering.csv"}
    changes = {"datasets": {"clinic": {"source": "phantom"}}}
    assert numbered.run("evaluate_elsewhere", tmp_path, changes=changes, **there) == 0
    rows, home = (pd.read_csv(f) for f in (there["numbering"], numbered / "run/numbering.csv"))
    assert ["dataset", *home.columns] == list(rows.columns) and rows.empty != known
    assert not pd.read_csv(tmp_path / "metrics.csv").empty


def test_a_dataset_of_copies_alone_is_a_sentence(clinic, measure, capsys):
    assert measure(further=[clinic / "images.npy"]) == 2
    assert "datasets.clinic has no labelled radiographs except near" in capsys.readouterr().err
