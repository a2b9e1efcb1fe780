import json

import cv2
import numpy as np
import pytest
from skimage import draw

from maskedteeth.data import hitl
from maskedteeth.data.records import Record
from maskedteeth.errors import InputError

SQUARE = [[2, 2], [12, 2], [12, 12], [2, 12]]


def tooth(exterior, interior=(), title="13", geometry="polygon"):
    points = {"exterior": exterior, "interior": list(interior)}
    return {"classTitle": title, "geometryType": geometry, "points": points}


def write_annotation(folder, *objects, height=40, width=60):
    file = folder / "7.jpg.json"
    file.write_text(
        json.dumps({"size": {"height": height, "width": width}, "objects": list(objects)})
    )
    return Record("7", folder / "7.jpg", file)


def read(folder, *objects):
    return hitl.read_annotation(write_annotation(folder, *objects), 40, 60)


def disagreement(mask, reference):
    """Pixels that differ, apart from those that touch the reference's outline."""
    kernel = np.ones((3, 3), np.uint8)
    sure = cv2.dilate(reference, kernel) == cv2.erode(reference, kernel)
    return int(((mask != reference) & sure).sum())


def reference(exterior, shape=(40, 60)):
    corners = np.array(exterior)
    return draw.polygon2mask(shape, corners[:, ::-1]).astype(np.uint8)


def write_dataset(base, names):
    for part in ("img", "ann"):
        (base / "d2" / part).mkdir(parents=True)
    for name in names:
        (base / "d2" / "img" / name).write_bytes(b"")
    return base


@pytest.mark.parametrize("seed", range(20))
def test_a_polygon_fills_the_pixels_that_another_rasteriser_fills(tmp_path, seed):
    generator = np.random.default_rng(seed)
    angles = np.sort(generator.uniform(0, 2 * np.pi, 9))
    radius = generator.uniform(6, 18, 9)
    exterior = np.stack([30 + radius * np.cos(angles), 20 + radius * np.sin(angles)], 1).round()
    mask = read(tmp_path, tooth(exterior.tolist())).mask
    assert mask.dtype == np.uint8 and mask.shape == (40, 60) and set(np.unique(mask)) == {0, 1}
    expected = reference(exterior)
    assert expected.sum() > 50
    assert disagreement(mask, expected) == 0


def test_x_is_the_column_and_y_the_row(tmp_path):
    mask = read(tmp_path, tooth([[40, 5], [50, 5], [50, 8], [40, 8]])).mask
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (5, 8, 40, 50)


def test_interior_rings_are_cut_out(tmp_path):
    hole = [[5, 5], [9, 5], [9, 9], [5, 9]]
    mask = read(tmp_path, tooth(SQUARE, [hole])).mask
    expected = reference(SQUARE) & ~reference(hole) & 1
    assert mask[7, 7] == 0 and mask[3, 7] == 1
    assert disagreement(mask, expected) <= 4 * 5  # the ring's own outline may go either way


def test_interior_rings_that_overlap_are_both_cut_out(tmp_path):
    holes = [[[4, 4], [8, 4], [8, 8], [4, 8]], [[6, 6], [10, 6], [10, 10], [6, 10]]]
    mask = read(tmp_path, tooth(SQUARE, holes)).mask
    assert mask[7, 7] == 0 and mask[5, 5] == 0 and mask[9, 9] == 0 and mask[3, 3] == 1


def test_an_empty_interior_ring_cuts_nothing(tmp_path):
    with_ring = read(tmp_path, tooth(SQUARE, [[]])).mask
    assert (with_ring == read(tmp_path, tooth(SQUARE)).mask).all()


def test_overlapping_teeth_are_united_and_a_hole_in_one_spares_the_other(tmp_path):
    hole = [[4, 4], [10, 4], [10, 10], [4, 10]]
    other = [[6, 6], [20, 6], [20, 8], [6, 8]]
    for order in ([0, 1], [1, 0]):
        teeth = [tooth(SQUARE, [hole], title="1"), tooth(other, title="2")]
        annotation = read(tmp_path, *(teeth[k] for k in order))
        assert annotation.teeth == 2
        assert annotation.mask[7, 7] == 1 and annotation.mask[5, 5] == 0
        assert annotation.mask[7, 18] == 1
        assert annotation.mask.max() == 1


@pytest.mark.parametrize(
    "stray",
    [
        tooth([[20, 20], [30, 20], [25, 20]]),
        tooth([[20, 20], [20, 20], [20, 20]]),
        tooth([[20, 20], [30, 25]]),
        tooth([]),
        tooth([[20, 20], [30, 30]], title="13(polygon)", geometry="line"),
        tooth([[20, 20], [30, 20], [30, 30]], title="13(polygon)"),
        tooth([[20, 20], [30, 20], [30, 30]], title="33"),
        tooth([[20, 20], [30, 20], [30, 30]], title="0"),
        tooth([[20, 20], [30, 30]], geometry="line"),
    ],
    ids=["flat", "point", "two-corners", "no-corner", "stray-class-line", "stray-class", "tooth-33"]
    + ["tooth-0", "line"],
)
def test_what_is_no_tooth_draws_nothing_and_is_not_counted(tmp_path, stray):
    alone = read(tmp_path, tooth(SQUARE))
    beside = read(tmp_path, stray, tooth(SQUARE))
    assert beside.teeth == 1
    assert (beside.mask == alone.mask).all()
    if stray["classTitle"] == "13" or stray["geometryType"] == "line":
        nothing = read(tmp_path, stray)
        assert (nothing.teeth, nothing.labelled, int(nothing.mask.sum())) == (0, False, 0)


def test_all_32_universal_numbers_are_teeth(tmp_path):
    teeth = [tooth(SQUARE, title=str(number)) for number in range(1, 33)]
    assert read(tmp_path, *teeth).teeth == 32


def test_a_radiograph_without_teeth_is_unlabelled(tmp_path):
    annotation = read(tmp_path)
    assert not annotation.labelled
    assert annotation.teeth == 0 and annotation.mask.shape == (40, 60)


def test_a_polygon_beyond_the_border_is_clipped(tmp_path):
    mask = read(tmp_path, tooth([[-10, -10], [5, -10], [5, 100], [-10, 100]])).mask
    assert mask[:, :6].all() and not mask[:, 6:].any()


def test_an_annotation_of_another_size_is_refused_by_name(tmp_path):
    record = write_annotation(tmp_path, tooth(SQUARE), height=41)
    with pytest.raises(InputError, match=r"7\.jpg\.json says 41 x 60 pixels.*7\.jpg is 40 x 60"):
        hitl.read_annotation(record, 40, 60)


def test_a_missing_annotation_is_named(tmp_path):
    record = Record("7", tmp_path / "7.jpg", tmp_path / "7.jpg.json")
    with pytest.raises(InputError, match=r"7\.jpg\.json does not exist"):
        hitl.read_annotation(record, 40, 60)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "",
        "\xff",
        "[]",
        "3",
        '{"objects": []}',
        '{"size": {"height": 40, "width": 60}}',
        '{"size": {"height": 40, "width": 60}, "objects": {"a": 1}}',
        '{"size": {"height": 40, "width": 60}, "objects": [{"classTitle": "1"}]}',
        '{"size": {"height": 40, "width": 60}, "objects": [{"classTitle": "1", "geometryType":'
        ' "polygon", "points": {"exterior": [[1, 2], [3]], "interior": []}}]}',
        '{"size": {"height": 40, "width": 60}, "objects": [{"classTitle": "1", "geometryType":'
        ' "polygon", "points": {"exterior": [["a", "b"]], "interior": []}}]}',
    ],
)
def test_an_annotation_that_is_not_supervisely_json_is_refused_by_name(tmp_path, text):
    record = Record("7", tmp_path / "7.jpg", tmp_path / "7.jpg.json")
    record.annotation.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"7\.jpg\.json is not "):
        hitl.read_annotation(record, 40, 60)


def test_the_json_half_is_read_and_the_png_half_is_not(tmp_path):
    names = ["10.jpg", "2.jpg", "1.JPG"]
    write_dataset(tmp_path / "Teeth Segmentation JSON", names)
    write_dataset(tmp_path / "Teeth Segmentation PNG", names)
    (tmp_path / "Teeth Segmentation JSON" / "d2" / "img" / "notes.txt").write_text("")
    records, _ = hitl.find_records(tmp_path)
    assert [record.id for record in records] == ["1", "2", "10"]
    base = tmp_path / "Teeth Segmentation JSON" / "d2"
    assert records[1].image == base / "img" / "2.jpg"
    assert records[1].annotation == base / "ann" / "2.jpg.json"


def test_the_json_folder_itself_may_be_given(tmp_path):
    base = write_dataset(tmp_path / "Teeth Segmentation JSON", ["3.jpg"])
    assert hitl.find_records(base) == hitl.find_records(tmp_path)


def test_a_folder_that_is_not_the_dataset_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not hold the dataset"):
        hitl.find_records(tmp_path)
    write_dataset(tmp_path, [])
    with pytest.raises(InputError, match="holds no radiograph"):
        hitl.find_records(tmp_path)
