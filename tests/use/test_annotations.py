import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from maskedteeth.data.objects import fill
from maskedteeth.use.annotations import Segmented, regions_of, write_coco, write_labelme, write_yolo

NAMES = {1: "1", 17: "17", 32: "32", 99: "tooth"}
NUMBERS = st.sampled_from([0, 0, *NAMES])
MAPS = arrays.arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24)), elements=NUMBERS)


@pytest.fixture(scope="module")
def teeth():
    """A label map of 300 x 700 pixels: teeth of four labels, some with holes, some in parts."""
    labels, generator = np.zeros((300, 700), np.uint8), np.random.default_rng(7)
    for number in range(24):
        centre = 60 + number % 8 * 80, 60 + number // 8 * 90
        axes = int(generator.integers(15, 35)), int(generator.integers(20, 42))
        cv2.ellipse(labels, centre, axes, 15, 0, 360, list(NAMES)[number % 4], -1)
        if number % 3 == 0:
            cv2.circle(labels, centre, 6, 0, -1)
            cv2.circle(labels, (centre[0] - 4, centre[1] + 12), 4, 0, -1)
    labels[:40, :60] = 32  # at the corner, and single pixels
    labels[299, 699] = labels[150, 1] = labels[299, 0] = 99
    return labels


def segmented(labels, file=Path("xrays/old/1.jpg")):
    return Segmented("old/1", file, labels.shape, regions_of(labels))


def by_pycocotools(points, size):
    return coco_mask.decode(coco_mask.frPyObjects([points.ravel().tolist()], *size))[..., 0]


def as_labelme_fills(points, size):
    picture = Image.new("1", size[::-1])
    ImageDraw.Draw(picture).polygon([tuple(p) for p in points.tolist()], outline=1, fill=1)
    return np.asarray(picture)


def as_ultralytics_fills(points, size):
    return cv2.fillPoly(np.zeros(size, np.uint8), [points.astype(np.int32)], 1)


def as_datasets_are_read(points, size):
    return fill([[points]], size)


FILLS = [by_pycocotools, as_labelme_fills, as_ultralytics_fills, as_datasets_are_read]


def iou_by_label(outlines, labels, fill):
    drawn = {label: np.zeros(labels.shape, bool) for label in NAMES}
    for label, points in outlines:
        drawn[label] |= fill(np.asarray(points, float), labels.shape).astype(bool)
    both = {n: (drawn[n] & (labels == n)).sum() for n in NAMES}
    return {n: both[n] / max(1, (drawn[n] | (labels == n)).sum()) for n in NAMES}


@given(MAPS)
def test_polygons_are_their_regions_but_for_a_hundredth(labels):
    found = iou_by_label(regions_of(labels), labels, by_pycocotools)
    assert all(found[n] >= 0.99 for n in np.unique(labels[labels > 0]))


@pytest.mark.parametrize("fill", FILLS)
def test_tools_that_fill_otherwise_draw_the_same_teeth(teeth, fill):
    assert min(iou_by_label(regions_of(teeth), teeth, fill).values()) >= 0.98


def test_a_smooth_outline_has_few_points():
    mask = cv2.ellipse(np.zeros((900, 900), np.uint8), (450, 450), (200, 300), 0, 0, 360, 1, -1)
    ((label, points),) = regions_of(mask)
    assert label == 1 and 10 < len(points) < 60


def test_coco_is_read_by_its_own_tools(teeth, tmp_path):
    empty = Segmented("2", Path("2.png"), (40, 50), [])
    write_coco([segmented(teeth), empty], NAMES, tmp_path)
    dataset = COCO(tmp_path / "annotations.coco.json")
    images = dataset.loadImgs(dataset.getImgIds())
    assert [image["file_name"] for image in images] == ["old/1.jpg", "2.png"]
    assert (images[0]["height"], images[0]["width"]) == (300, 700)
    names = {entry["id"]: entry["name"] for entry in dataset.loadCats(dataset.getCatIds())}
    assert names == NAMES and dataset.getAnnIds(imgIds=2) == []
    drawn = np.zeros(teeth.shape, np.uint8)
    for annotation in dataset.loadAnns(dataset.getAnnIds(imgIds=1)):
        mask = dataset.annToMask(annotation).astype(bool)
        drawn[mask] = annotation["category_id"]
        rows, columns = np.nonzero(mask)
        x, y, _, height = annotation["bbox"]
        assert abs(x - columns.min()) < 2 and abs(y + height - rows.max()) < 2
        assert annotation["area"] == pytest.approx(mask.sum(), rel=0.05, abs=2)
    assert (drawn == teeth).mean() > 0.997


def test_labelme_finds_radiograph_and_teeth(teeth, tmp_path):
    (tmp_path / "xrays/old").mkdir(parents=True)
    (tmp_path / "xrays/old/1.jpg").touch()
    write_labelme([segmented(teeth, tmp_path / "xrays/old/1.jpg")], NAMES, tmp_path / "out")
    content = json.loads((tmp_path / "out/old/1.json").read_text())
    assert (tmp_path / "out/old" / content["imagePath"]).samefile(tmp_path / "xrays/old/1.jpg")
    assert (content["imageHeight"], content["imageWidth"]) == (300, 700)
    assert content["imageData"] is None
    numbers = {name: number for number, name in NAMES.items()}
    shapes = [(numbers[shape["label"]], shape["points"]) for shape in content["shapes"]]
    assert min(iou_by_label(shapes, teeth, by_pycocotools).values()) >= 0.99


def test_yolo_has_a_line_a_tooth_in_parts_of_the_radiograph(teeth, tmp_path):
    write_yolo([segmented(teeth)], NAMES, tmp_path)
    about = yaml.safe_load((tmp_path / "data.yaml").read_text())
    assert about["names"] == {0: "1", 1: "17", 2: "32", 3: "tooth"}
    (image,) = (tmp_path / about["train"]).read_text().split()
    labels = image.replace("images", "labels").replace(".jpg", ".txt")
    assert image == "./images/train/old/1.jpg"
    found = []
    for line in (tmp_path / labels).read_text().splitlines():
        number, *values = map(float, line.split())
        points = np.reshape(values, (-1, 2))
        assert points.min() >= 0 and points.max() <= 1
        found.append((list(NAMES)[int(number)], points * (700, 300)))
    assert min(iou_by_label(found, teeth, by_pycocotools).values()) >= 0.99
