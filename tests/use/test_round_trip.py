"""Drafts of `predict` are read as the annotations of a dataset, in every format."""

import shutil

import cv2
import numpy as np
import pytest

from maskedteeth.cli import main
from maskedteeth.data.arrays import read_index
from maskedteeth.data.prepare import prepare
from maskedteeth.settings.config import Image, Layout
from maskedteeth.use import Segmenter

SIZE = 96, 192
#: Format → where drafts go in the folder of a dataset, and where its radiographs.
PLACES = {
    "coco": (".", "xrays"),
    "labelme": ("xrays", "xrays"),
    "yolo": (".", "images/train"),
    "png": ("masks", "images"),
}


@pytest.fixture(scope="module")
def xrays(tmp_path_factory, radiograph):
    folder = tmp_path_factory.mktemp("rest")
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.png"), radiograph(60 + number, *SIZE)[0])
    return folder


@pytest.mark.parametrize("numbers", ["universal", "fdi"])
@pytest.mark.parametrize("kind", PLACES)
def test_drafts_are_annotations_of_a_dataset(kind, numbers, study, numbered, xrays, tmp_path):
    weights = (numbered if numbers == "fdi" else study) / "run/weights.safetensors"
    segmenter = Segmenter(weights, device="cpu")  # hardly trained: a third of all becomes tooth
    every = [segmenter(file).probability for file in sorted(xrays.iterdir())]
    words = [xrays, "--weights", weights, "--out", tmp_path / "out", "--device", "cpu"]
    words += ["--threshold", np.quantile(every, 2 / 3), "--format", "png", kind]
    words += ["--numbers", numbers]
    assert main(["predict", *map(str, words)]) == 0
    raw, (drafts, images) = tmp_path / "raw", PLACES[kind]
    shutil.copytree(xrays, raw / images)
    drawn = "*.mask.png" if kind == "png" else "*.txt" if kind == "yolo" else "*.json"
    for file in [*(tmp_path / "out").rglob(drawn), *(tmp_path / "out").glob("data.yaml")]:
        target = raw / drafts / file.relative_to(tmp_path / "out")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    names = ("index", "problems", "state", "images", "labels")
    files = {name: tmp_path / name for name in names}
    layout = Layout(source="folder" if kind == "png" else kind)
    if numbers == "fdi" and kind != "png":
        layout = layout.model_copy(update={"numbering": "fdi"})
    size = Image(height=SIZE[0], width=SIZE[1])
    prepare(layout, size, "", None, raw=raw, **files, most_problems=0.9)
    labels = np.load(files["labels"])
    rows = read_index(files["index"])
    assert [row["labelled"] for row in rows] == ["1"] * 4
    for row, found in zip(rows, labels, strict=True):
        name = row["id"].rpartition("/")[2]
        mask = cv2.imread(str(tmp_path / "out" / f"{name}.mask.png"), 0) > 0
        both, either = (mask & (found > 0)).sum(), (mask | (found > 0)).sum()
        assert both >= 0.99 * either, name
