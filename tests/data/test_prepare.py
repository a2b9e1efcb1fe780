import json

import cv2
import numpy as np
import pytest

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.prepare import COLUMNS
from maskedteeth.errors import InputError


@pytest.fixture
def raw(tmp_path, write_folder):
    return write_folder(tmp_path / "raw", 12, labelled=10)


def groups(rows):
    return {row["id"]: row["duplicate_group"] for row in rows}


def test_every_radiograph_gets_a_line_that_describes_it(raw, run_prepare, tmp_path):
    rows, problems = run_prepare(raw)
    assert [row["id"] for row in rows] == [str(n) for n in range(1, 13)]
    assert tuple(rows[0]) == COLUMNS and problems == []
    assert [row["labelled"] for row in rows] == ["1"] * 10 + ["0"] * 2
    for row in rows:
        assert (raw / row["file"]).is_file() and (row["height"], row["width"]) == ("64", "128")
    for row in rows[:10]:
        share = (cv2.imread(str(raw / row["annotation"]), 0) == 255).mean()
        assert float(row["tooth_fraction"]) == pytest.approx(share, abs=1e-6)
    for row in rows[10:]:
        assert row["annotation"] == row["tooth_fraction"] == ""
    assert groups(rows) == {row["id"]: row["id"] for row in rows}
    assert (tmp_path / "state.txt").read_text() == "as it is\n"


def test_pixels_are_found_by_id_whatever_the_id_looks_like(raw, run_prepare, tmp_path):
    for old, new in (("2", "NA"), ("1", "007")):  # no missing value and no number
        for part in ("images", "masks"):
            (raw / part / f"{old}.png").rename(raw / part / f"{new}.png")
    run_prepare(raw)
    rows = read_index(tmp_path / "index.csv")
    names = [row["id"] for row in rows]
    assert {"NA", "007"} < set(names)
    np.save(tmp_path / "images.npy", np.arange(12, dtype=np.uint8)[:, None, None])
    ids = ["12", "007", "12"]
    found = pixels_of(tmp_path / "images.npy", rows, ids)
    assert found[:, 0, 0].tolist() == [names.index(name) for name in ids]


def test_arrays_hold_every_radiograph_in_the_order_of_the_index(
    tmp_path, write_folder, radiograph, run_prepare, arrays
):
    raw = write_folder(tmp_path / "raw", 11, labelled=10)
    rows, _ = run_prepare(raw, height=32, width=64)
    images, masks = arrays()
    assert images.shape == masks.shape == (11, 32, 64)
    assert images.dtype == masks.dtype == np.uint8
    assert [row["id"] for row in rows] == [str(number) for number in range(1, 12)]
    for position in range(11):
        image, mask = radiograph(position + 1)
        quarters = image.reshape(32, 2, 64, 2).mean((1, 3))
        assert np.abs(images[position] - quarters).max() <= 0.5
        tooth = mask.reshape(32, 2, 64, 2).mean((1, 3)) >= 127.5  # at least half of the pixel
        assert (masks[position] == (tooth if position < 10 else 0)).all()


def test_polygons_become_masks_at_the_small_size(tmp_path, radiograph, run_prepare, arrays):
    base = tmp_path / "raw" / "Teeth Segmentation JSON" / "d2"
    for part in ("img", "ann"):
        (base / part).mkdir(parents=True)
    corners = [[16, 16], [79, 16], [79, 47], [16, 47]]
    tooth = {"classTitle": "3", "geometryType": "polygon"}
    tooth["points"] = {"exterior": corners, "interior": []}
    for name, objects in (("1", [tooth]), ("2", [])):
        cv2.imwrite(str(base / "img" / f"{name}.jpg"), radiograph(int(name))[0])
        annotation = {"size": {"height": 64, "width": 128}, "objects": objects}
        (base / "ann" / f"{name}.jpg.json").write_text(json.dumps(annotation))
    run_prepare(tmp_path / "raw", "hitl", height=32, width=64)
    _, masks = arrays()
    expected = np.zeros((32, 64), np.uint8)
    expected[8:24, 8:40] = 1
    assert (masks[0] == expected).all() and not masks[1].any()


def test_a_radiograph_smaller_than_the_arrays_is_enlarged(raw, run_prepare, arrays):
    run_prepare(raw, height=96, width=192)
    assert arrays()[0].shape == (12, 96, 192) and arrays()[0].std() > 20


def test_copies_are_one_group_whatever_their_encoding_contrast_and_size(raw, run_prepare):
    pixels = cv2.imread(str(raw / "images" / "3.png"), 0)
    for part in ("images", "masks"):
        (raw / part / "7.png").unlink()
    cv2.imwrite(str(raw / "images" / "7.jpg"), cv2.add(pixels, 25), [1, 60])
    brighter = cv2.imread(str(raw / "images" / "7.jpg"), 0)
    for name, copy in (("11", pixels), ("12", cv2.resize(brighter, (256, 128)))):
        cv2.imwrite(str(raw / "images" / f"{name}.png"), cv2.cvtColor(copy, cv2.COLOR_GRAY2BGR))
    found = groups(run_prepare(raw)[0])
    assert {name for name, group in found.items() if group == "3"} == {"3", "7", "11", "12"}
    assert len(set(found.values())) == 9


def test_the_counts_are_printed(raw, run_prepare, tmp_path, capsys):
    (raw / "images" / "12.png").write_bytes((raw / "images" / "1.png").read_bytes())
    (raw / "images" / "5.png").write_bytes(b"not an image")
    (raw / "images" / "notes.txt").write_text("")
    run_prepare(raw)
    assert capsys.readouterr().out.strip() == (
        "11 radiographs, 9 labelled, 1 duplicates, 1 set aside, 1 other files passed over; "
        f"the reasons are in {tmp_path / 'problems.csv'}"
    )


def test_more_than_a_tenth_unusable_stops_and_leaves_no_index(raw, run_prepare, tmp_path):
    for name in ("5", "6"):
        (raw / "images" / f"{name}.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"2 of 12 radiographs .* more than 10%.*5\.png"):
        run_prepare(raw)
    assert not list(tmp_path.glob("*.*"))


def test_nothing_usable_stops_whatever_the_share(raw, run_prepare):
    for file in (raw / "images").iterdir():
        file.write_bytes(b"")
    with pytest.raises(InputError, match="12 of 12 radiographs in .* are unusable"):
        run_prepare(raw, most_problems=1)


def test_a_folder_that_is_not_there_is_named(run_prepare, tmp_path):
    with pytest.raises(InputError, match="nowhere is not a folder"):
        run_prepare(tmp_path / "nowhere")


@pytest.mark.real_data
def test_real_radiographs_hold_one_duplicate_pair_and_one_edentulous_patient(
    real_radiographs, run_prepare
):
    rows, problems = run_prepare(real_radiographs)
    assert problems == [] and len(rows) == 99
    assert [pair for pair in groups(rows).items() if len(set(pair)) > 1] == [("032", "002")]
    assert [row["id"] for row in rows if row["tooth_fraction"] == "0.000000"] == ["005"]
    assert all(row["labelled"] == "1" for row in rows)
