import json

import cv2
import numpy as np
import pytest
from hitl_zip import figure
from skimage import draw

from maskedteeth.data.sources import hitl
from maskedteeth.errors import InputError
from maskedteeth.settings.config import Layout

NUMBERS = {str(number): number for number in range(1, 33)}
SQUARE = [[2, 2], [12, 2], [12, 12], [2, 12]]


@pytest.fixture
def read(tmp_path):
    """Read the annotation of a radiograph of 40 x 60 pixels with some objects."""

    for part in ("img", "ann"):
        (tmp_path / "d2" / part).mkdir(parents=True)
    (tmp_path / "d2/img/7.jpg").touch()

    def read(*objects):
        content = {"size": {"height": 40, "width": 60}, "objects": list(objects)}
        (tmp_path / "d2/ann/7.jpg.json").write_text(json.dumps(content))
        (record,) = hitl.find_records(tmp_path, Layout()).records
        return record.read((40, 60), NUMBERS)

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
        mask = read(figure(exterior.tolist())).labels // 13
        assert mask.dtype == np.uint8 and mask.shape == (40, 60) and mask.max() == 1
        assert reference(exterior).sum() > 50 and disagreement(mask, reference(exterior)) == 0


def test_interior_rings_are_cut_out_also_where_they_overlap(read):
    hole = [[5, 5], [9, 5], [9, 9], [5, 9]]
    mask = read(figure(SQUARE, [hole, []])).labels // 13
    # The ring's own outline may go either way.
    assert disagreement(mask, reference(SQUARE) & ~reference(hole) & 1) <= 4 * 5
    holes = [[[4, 4], [8, 4], [8, 8], [4, 8]], [[6, 6], [10, 6], [10, 10], [6, 10]]]
    mask = read(figure(SQUARE, holes)).labels // 13
    assert mask[7, 7] == 0 and mask[5, 5] == 0 and mask[9, 9] == 0 and mask[3, 3] == 1


def test_a_tooth_covers_those_drawn_before_it_and_its_hole_spares_them(read):
    hole = [[4, 4], [10, 4], [10, 10], [4, 10]]
    other = [[6, 6], [20, 6], [20, 8], [6, 8]]
    teeth = [figure(SQUARE, [hole], title="1"), figure(other, title="2")]
    places = (7, 7), (5, 5), (7, 18), (7, 11)
    for drawn, expected in ((teeth, [2, 0, 2, 2]), (teeth[::-1], [2, 0, 2, 1])):
        annotation = read(*drawn)
        assert annotation.teeth == 2
        assert [annotation.labels[place] for place in places] == expected


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
    assert [name for name, _ in beside.left_out] == [STRAYS[stray]["classTitle"]]
    assert beside.teeth == 1 and (beside.labels == alone).all()


def test_a_radiograph_without_teeth_is_unlabelled(read):
    for objects in ([], [STRAYS["flat"]]):
        annotation = read(*objects)
        assert not annotation.labelled and annotation.teeth == 0 and not annotation.labels.any()


def test_a_polygon_that_crosses_itself_or_the_border_is_a_tooth(read):
    mask = read(figure([[-10, -10], [5, -10], [5, 100], [-10, 100]])).labels
    assert mask[:, :6].all() and not mask[:, 6:].any()
    found = read(figure([[10, 10], [30, 30], [30, 10], [10, 30]]))  # its lobes cancel to no area
    assert found.teeth == 1 and found.labels[20, 12] == found.labels[20, 28] == 13


def test_the_json_half_is_read_wherever_it_is_and_the_png_half_is_not(tmp_path):
    base = tmp_path / "a" / "Teeth Segmentation JSON"
    for half in (base, tmp_path / "a" / "Teeth Segmentation PNG"):
        for part in ("img", "ann"):
            (half / "d2" / part).mkdir(parents=True)
        for name in ("10.jpg", "2.jpg", "1.JPG", "notes.txt"):
            (half / "d2" / "img" / name).write_bytes(b"")
            if name != "notes.txt":
                annotation = half / "d2" / "ann" / f"{name}.json"
                annotation.write_text('{"size": {"height": 40, "width": 60}, "objects": []}')
    for root in (tmp_path, base):
        found = hitl.find_records(root, Layout())
        records, problems = found.records, found.problems
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
