import json

import cv2
import numpy as np
import pytest
from hitl_zip import figure
from skimage import draw

from maskedteeth.data.records import Record
from maskedteeth.data.sources import hitl
from maskedteeth.errors import InputError
from maskedteeth.settings.config import Layout

SQUARE = [[2, 2], [12, 2], [12, 12], [2, 12]]


@pytest.fixture
def read(tmp_path):
    """Read the annotation of a radiograph of 40 x 60 pixels with some objects."""

    def read(*objects):
        content = {"size": {"height": 40, "width": 60}, "objects": list(objects)}
        record = Record("7", tmp_path / "7.jpg", tmp_path / "7.jpg.json")
        record.annotation.write_text(json.dumps(content))
        return hitl.read_annotation(record, 40, 60)

    return read


def reference(exterior):
    return draw.polygon2mask((40, 60), np.array(exterior)[:, ::-1]).astype(np.uint8)


def disagreement(mask, expected):
    """Pixels that differ, apart from those that touch the expected outline."""
    kernel = np.ones((3, 3), np.uint8)
    sure = cv2.dilate(expected, kernel) == cv2.erode(expected, kernel)
    return int(((mask != expected) & sure).sum())


def test_a_polygon_fills_the_pixels_that_another_rasteriser_fills(read):
    for seed in range(10):
        generator = np.random.default_rng(seed)
        angles, radius = np.sort(generator.uniform(0, 2 * np.pi, 9)), generator.uniform(6, 18, 9)
        exterior = np.stack([30 + radius * np.cos(angles), 20 + radius * np.sin(angles)], 1).round()
        mask = read(figure(exterior.tolist())).labels
        assert mask.dtype == np.uint8 and mask.shape == (40, 60) and mask.max() == 1
        assert reference(exterior).sum() > 50 and disagreement(mask, reference(exterior)) == 0


def test_interior_rings_are_cut_out_also_where_they_overlap(read):
    hole = [[5, 5], [9, 5], [9, 9], [5, 9]]
    mask = read(figure(SQUARE, [hole, []])).labels
    # The ring's own outline may go either way.
    assert disagreement(mask, reference(SQUARE) & ~reference(hole) & 1) <= 4 * 5
    holes = [[[4, 4], [8, 4], [8, 8], [4, 8]], [[6, 6], [10, 6], [10, 10], [6, 10]]]
    mask = read(figure(SQUARE, holes)).labels
    assert mask[7, 7] == 0 and mask[5, 5] == 0 and mask[9, 9] == 0 and mask[3, 3] == 1


def test_overlapping_teeth_are_united_and_a_hole_in_one_spares_the_other(read):
    hole = [[4, 4], [10, 4], [10, 10], [4, 10]]
    other = [[6, 6], [20, 6], [20, 8], [6, 8]]
    teeth = [figure(SQUARE, [hole], title="1"), figure(other, title="2")]
    for annotation in (read(*teeth), read(*teeth[::-1])):
        assert annotation.teeth == 2 and annotation.labels.max() == 1
        assert [annotation.labels[y, x] for y, x in ((7, 7), (5, 5), (7, 18))] == [1, 0, 1]


STRAYS = {
    "flat": figure([[20, 20], [30, 20], [25, 20]]),
    "two corners": figure([[20, 20], [30, 25]]),
    "no corner": figure([]),
    "a line": figure([[20, 20], [30, 30]], title="13(polygon)", geometry="line"),
    "stray class": figure([[20, 20], [30, 20], [30, 30]], title="13(polygon)"),
    "tooth 33": figure([[20, 20], [30, 20], [30, 30]], title="33"),
    "of other points": {"classTitle": "implant", "geometryType": "bitmap", "points": "AAAA"},
}


@pytest.mark.parametrize("stray", STRAYS)
def test_what_is_no_tooth_draws_nothing_and_is_not_counted(read, stray):
    alone, beside = read(figure(SQUARE)).labels, read(STRAYS[stray], figure(SQUARE))
    assert beside.teeth == 1 and (beside.labels == alone).all()


def test_a_radiograph_without_teeth_is_unlabelled(read):
    for objects in ([], [STRAYS["flat"]]):
        annotation = read(*objects)
        assert not annotation.labelled and annotation.teeth == 0 and not annotation.labels.any()


def test_a_polygon_that_crosses_itself_or_the_border_is_a_tooth(read):
    mask = read(figure([[-10, -10], [5, -10], [5, 100], [-10, 100]])).labels
    assert mask[:, :6].all() and not mask[:, 6:].any()
    found = read(figure([[10, 10], [30, 30], [30, 10], [10, 30]]))  # its lobes cancel to no area
    assert found.teeth == 1 and found.labels[20, 12] == found.labels[20, 28] == 1


def test_the_json_half_is_read_wherever_it_is_and_the_png_half_is_not(tmp_path):
    base = tmp_path / "a" / "Teeth Segmentation JSON"
    for half in (base, tmp_path / "a" / "Teeth Segmentation PNG"):
        for part in ("img", "ann"):
            (half / "d2" / part).mkdir(parents=True)
        for name in ("10.jpg", "2.jpg", "1.JPG", "notes.txt"):
            (half / "d2" / "img" / name).write_bytes(b"")
    for root in (tmp_path, base):
        records, problems = hitl.find_records(root, Layout())
        assert [record.id for record in records] == ["1", "2", "10"]
        assert records[1].image == base / "d2" / "img" / "2.jpg"
        assert records[1].annotation == base / "d2" / "ann" / "2.jpg.json"
        assert [problem.id for problem in problems] == ["notes.txt"]


def test_a_folder_that_is_not_the_dataset_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not hold the dataset"):
        hitl.find_records(tmp_path, Layout())
    for part in ("img", "ann"):
        (tmp_path / "d2" / part).mkdir(parents=True)
    with pytest.raises(InputError, match="holds no radiograph"):
        hitl.find_records(tmp_path, Layout())
