import cv2
import numpy as np
import pytest

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.index import COLUMNS
from maskedteeth.errors import InputError


@pytest.fixture
def raw(tmp_path, write_folder):
    return write_folder(tmp_path / "raw", 12, labelled=10)


def groups(rows):
    return {row["id"]: row["duplicate_group"] for row in rows}


def test_every_radiograph_gets_a_line_that_describes_it(raw, run_index, tmp_path):
    rows, problems = run_index(raw)
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


def test_pixels_are_found_by_id_whatever_the_id_looks_like(raw, run_index, tmp_path):
    for old, new in (("2", "NA"), ("1", "007")):  # no missing value and no number
        for part in ("images", "masks"):
            (raw / part / f"{old}.png").rename(raw / part / f"{new}.png")
    run_index(raw)
    rows = read_index(tmp_path / "index.csv")
    names = [row["id"] for row in rows]
    assert {"NA", "007"} < set(names)
    np.save(tmp_path / "images.npy", np.arange(12, dtype=np.uint8)[:, None, None])
    ids = ["12", "007", "12"]
    found = pixels_of(tmp_path / "images.npy", rows, ids)
    assert found[:, 0, 0].tolist() == [names.index(name) for name in ids]


def test_copies_are_one_group_whatever_their_encoding_contrast_and_size(raw, run_index):
    pixels = cv2.imread(str(raw / "images" / "3.png"), 0)
    for part in ("images", "masks"):
        (raw / part / "7.png").unlink()
    cv2.imwrite(str(raw / "images" / "7.jpg"), cv2.add(pixels, 25), [1, 60])
    brighter = cv2.imread(str(raw / "images" / "7.jpg"), 0)
    for name, copy in (("11", pixels), ("12", cv2.resize(brighter, (256, 128)))):
        cv2.imwrite(str(raw / "images" / f"{name}.png"), cv2.cvtColor(copy, cv2.COLOR_GRAY2BGR))
    found = groups(run_index(raw)[0])
    assert {name for name, group in found.items() if group == "3"} == {"3", "7", "11", "12"}
    assert len(set(found.values())) == 9


def test_the_counts_are_printed(raw, run_index, tmp_path, capsys):
    (raw / "images" / "12.png").write_bytes((raw / "images" / "1.png").read_bytes())
    (raw / "images" / "5.png").write_bytes(b"not an image")
    (raw / "images" / "notes.txt").write_text("")
    run_index(raw)
    assert capsys.readouterr().out.strip() == (
        "11 radiographs, 9 labelled, 1 duplicates, 1 set aside, 1 other files passed over; "
        f"the reasons are in {tmp_path / 'problems.csv'}"
    )


def test_more_than_a_tenth_unusable_stops_and_leaves_no_index(raw, run_index, tmp_path):
    for name in ("5", "6"):
        (raw / "images" / f"{name}.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"2 of 12 radiographs .* more than 10%.*5\.png"):
        run_index(raw)
    assert not (tmp_path / "index.csv").exists()


def test_nothing_usable_stops_whatever_the_share(raw, run_index):
    for file in (raw / "images").iterdir():
        file.write_bytes(b"")
    with pytest.raises(InputError, match="12 of 12 radiographs in .* are unusable"):
        run_index(raw, most_problems=1)


def test_a_folder_that_is_not_there_is_named(run_index, tmp_path):
    with pytest.raises(InputError, match="nowhere is not a folder"):
        run_index(tmp_path / "nowhere")


@pytest.mark.real_data
def test_real_radiographs_hold_one_duplicate_pair_and_one_edentulous_patient(
    real_radiographs, run_index
):
    rows, problems = run_index(real_radiographs)
    assert problems == [] and len(rows) == 99
    assert [pair for pair in groups(rows).items() if len(set(pair)) > 1] == [("032", "002")]
    assert [row["id"] for row in rows if row["tooth_fraction"] == "0.000000"] == ["005"]
    assert all(row["labelled"] == "1" for row in rows)
