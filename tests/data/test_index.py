import hashlib
import shutil

import cv2
import numpy as np
import pytest

from maskedteeth.data.index import COLUMNS, index
from maskedteeth.errors import InputError
from maskedteeth.files import read_csv
from maskedteeth.settings.jobs import IndexJob

FOLDER = IndexJob(source="folder", images="images", masks="masks")


@pytest.fixture
def raw(tmp_path, write_folder):
    return write_folder(tmp_path / "raw", 12, labelled=10)


def run(raw, out):
    index(FOLDER, raw=raw, index=out / "index.csv", problems=out / "problems.csv")
    return read_csv(out / "index.csv"), read_csv(out / "problems.csv")


def test_every_radiograph_gets_a_line_that_describes_it(raw, tmp_path):
    rows, problems = run(raw, tmp_path)
    assert [row["id"] for row in rows] == [str(n) for n in range(1, 13)]
    assert tuple(rows[0]) == COLUMNS and problems == []
    assert [row["labelled"] for row in rows] == ["1"] * 10 + ["0"] * 2
    for row in rows:
        assert (raw / row["file"]).is_file() and (row["height"], row["width"]) == ("64", "128")
    for row in rows[:10]:
        mask = raw / row["annotation"]
        share = (cv2.imread(str(mask), 0) == 255).mean()
        assert float(row["tooth_fraction"]) == pytest.approx(share, abs=1e-6)
        assert row["annotation_sha256"] == hashlib.sha256(mask.read_bytes()).hexdigest()
    for row in rows[10:]:
        assert row["annotation"] == row["annotation_sha256"] == row["tooth_fraction"] == ""
    assert len({row["duplicate_group"] for row in rows}) == 12


def test_equal_pixels_are_one_group_even_when_they_are_encoded_anew(raw, tmp_path):
    pixels = cv2.imread(str(raw / "images" / "3.png"), 0)
    (raw / "images" / "7.png").unlink()
    cv2.imwrite(str(raw / "images" / "7.bmp"), pixels)
    cv2.imwrite(str(raw / "images" / "9.png"), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 0])
    grey_as_colour = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    cv2.imwrite(str(raw / "images" / "11.png"), grey_as_colour)
    rows, _ = run(raw, tmp_path)
    groups = {row["id"]: row["duplicate_group"] for row in rows}
    assert {name for name, group in groups.items() if group == "3"} == {"3", "7", "9", "11"}
    assert len(set(groups.values())) == 9


def test_one_changed_pixel_or_another_shape_is_no_duplicate(raw, tmp_path):
    pixels = cv2.imread(str(raw / "images" / "3.png"), 0)
    changed = pixels.copy()
    changed[0, 0] ^= 1
    cv2.imwrite(str(raw / "images" / "11.png"), changed)
    cv2.imwrite(str(raw / "images" / "12.png"), pixels.reshape(128, 64))
    rows, _ = run(raw, tmp_path)
    assert len({row["sha256"] for row in rows}) == 12


def test_the_counts_are_printed(raw, tmp_path, capsys):
    shutil.copy(raw / "images" / "1.png", raw / "images" / "12.png")
    (raw / "images" / "5.png").write_bytes(b"not an image")
    (raw / "images" / "notes.txt").write_text("")
    run(raw, tmp_path)
    assert capsys.readouterr().out.strip() == (
        "11 radiographs, 9 labelled, 1 duplicates, 1 set aside, 1 other files passed over; "
        f"the reasons are in {tmp_path / 'problems.csv'}"
    )


@pytest.mark.parametrize("damage", ["garbage", "empty", "half", "folder", "mask"])
def test_an_unusable_radiograph_is_set_aside_with_its_reason(raw, tmp_path, damage):
    file = raw / "images" / "5.png"
    content = file.read_bytes()
    if damage == "mask":
        cv2.imwrite(str(raw / "masks" / "5.png"), np.zeros((10, 10), np.uint8))
    elif damage == "folder":
        file.unlink()
        file.mkdir()
    else:
        damaged = {"garbage": b"radiograph", "empty": b"", "half": content[: len(content) // 2]}
        file.write_bytes(damaged[damage])
    rows, problems = run(raw, tmp_path)
    assert "5" not in [row["id"] for row in rows] and len(rows) == 11
    assert [problem["id"] for problem in problems] == ["5"]
    assert "5.png" in problems[0]["reason"]


def test_more_than_a_tenth_unusable_stops_and_leaves_no_index(raw, tmp_path):
    for name in ("5", "6"):
        (raw / "images" / f"{name}.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"2 of 12 radiographs .* more than 10%.*5\.png"):
        run(raw, tmp_path)
    assert not (tmp_path / "index.csv").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere is not a folder"):
        run(tmp_path / "nowhere", tmp_path)


@pytest.mark.real_data
def test_real_radiographs_hold_one_duplicate_pair_and_one_edentulous_patient(
    real_radiographs, tmp_path
):
    rows, problems = run(real_radiographs, tmp_path)
    assert problems == [] and len(rows) == 99
    duplicates = [row["id"] for row in rows if row["id"] != row["duplicate_group"]]
    assert duplicates == ["032"]
    assert [row["id"] for row in rows if row["tooth_fraction"] == "0.000000"] == ["005"]
    assert all(row["labelled"] == "1" for row in rows)
