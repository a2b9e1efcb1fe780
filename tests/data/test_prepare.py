from dataclasses import replace

import cv2
import numpy as np
import pytest
from hitl_zip import figure

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
    assert (tmp_path / "state.txt").read_text().splitlines()[-1] == "as it is"


def test_arrays_hold_every_radiograph_in_the_order_of_the_index(
    raw, run_prepare, arrays, radiograph
):
    run_prepare(raw, height=32, width=64)
    images, labels = arrays()
    assert images.shape == labels.shape == (12, 32, 64)
    assert images.dtype == labels.dtype == np.uint8
    for position in range(12):
        image, mask = radiograph(position + 1)
        quarters = image.reshape(32, 2, 64, 2).mean((1, 3))
        assert np.abs(images[position] - quarters).max() <= 0.5
        tooth = mask.reshape(32, 2, 64, 2).mean((1, 3)) >= 127.5  # at least half of the pixel
        assert (labels[position] == 99 * (tooth if position < 10 else 0)).all()
    run_prepare(raw, height=96, width=192)  # larger than the radiographs
    assert arrays()[0].shape == (12, 96, 192) and arrays()[0].std() > 20


def test_a_small_pixel_has_the_number_of_the_tooth_that_covers_most_of_it(
    tmp_path, write_hitl, run_prepare, arrays
):
    left = figure([[16, 16], [40, 16], [40, 47], [16, 47]], title="9")
    right = figure([[41, 16], [79, 16], [79, 32], [41, 32]], title="3")
    raw = write_hitl(tmp_path / "raw", [left, right], [right, left])
    run_prepare(raw, "hitl", height=32, width=64)
    expected = np.zeros((32, 64), np.uint8)
    expected[8:24, 8:21] = 9  # also where it has two quarters, the other one, and background one
    expected[8:16, 20] = 3  # half and half: the lower number
    expected[8:17, 21:40] = 3
    assert (arrays()[1] == expected).all()


def test_radiographs_and_masks_are_paired_by_name_whatever_the_suffix(
    tmp_path, radiograph, run_prepare
):
    pixels, mask = radiograph(1)
    for part, names, picture in (
        ("xrays", ("a10.jpg", "b.png", "10.bmp", "2.tif"), pixels),
        ("teeth", ("b.png", "a10.png", "10.png"), mask),
    ):
        (tmp_path / "raw" / part).mkdir(parents=True)
        for name in names:
            cv2.imwrite(str(tmp_path / "raw" / part / name), picture)
    rows, _ = run_prepare(tmp_path / "raw", images="xrays", masks="teeth")
    assert [(row["id"], row["file"], row["annotation"]) for row in rows] == [
        ("2", "xrays/2.tif", ""),
        ("10", "xrays/10.bmp", "teeth/10.png"),
        ("a10", "xrays/a10.jpg", "teeth/a10.png"),
        ("b", "xrays/b.png", "teeth/b.png"),
    ]


def test_pixels_are_found_by_id_whatever_the_id_looks_like(raw, run_prepare, tmp_path):
    for old, new in (("2", "NA"), ("1", "007")):  # no missing value and no number
        for part in ("images", "masks"):
            (raw / part / f"{old}.png").rename(raw / part / f"{new}.png")
    run_prepare(raw)
    rows = read_index(tmp_path / "index.csv")
    names = [row["id"] for row in rows]
    np.save(tmp_path / "images.npy", np.arange(12, dtype=np.uint8)[:, None, None])
    ids = ["12", "007", "NA", "12"]
    found = pixels_of(tmp_path / "images.npy", rows, ids)
    assert found[:, 0, 0].tolist() == [names.index(name) for name in ids]


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
    for name in ("2", "3"):
        (raw / "masks" / f"{name}.png").unlink()
    run_prepare(raw)
    assert capsys.readouterr().out.strip() == (
        "11 radiographs: 7 annotated, 4 not (2, 3, 11 and 1 more), for pretexts alone; "
        "copies: 1, set aside: 1, other files passed over: 1; "
        f"the reasons are in {tmp_path / 'problems.csv'}"
    )


def test_too_many_unusable_radiographs_stop_it_and_leave_no_file(raw, run_prepare, tmp_path):
    for name in ("5", "6"):
        (raw / "images" / f"{name}.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"2 of 12 radiographs .* more than 10%") as error:
        run_prepare(raw)
    reason = f"The first: {raw}/images/5.png is empty (0 bytes); restore or remove it. Likewise 6."
    assert str(error.value).endswith(
        f"Repair or remove them, or raise data.most_problems. {reason}"
    )
    (raw / "images" / "4.png").write_bytes(b"no image")
    (raw / "images" / "7.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"4\.png is not .*/5\.png is empty .* Likewise 6, 7\.$"):
        run_prepare(raw)
    for file in (raw / "images").iterdir():
        file.write_bytes(b"")
    with pytest.raises(InputError, match="12 of 12 radiographs in .* are unusable"):
        run_prepare(raw, most_problems=1)
    assert not list(tmp_path.glob("*.*"))


def test_a_missing_or_empty_folder_is_named_with_its_setting(tmp_path, write_folder, run_prepare):
    raw = write_folder(tmp_path / "raw", 1)
    (raw / "empty").mkdir()
    with pytest.raises(InputError, match="nowhere is not a folder; .* as data.masks says"):
        run_prepare(raw, masks="nowhere")
    with pytest.raises(InputError, match="no image in .*empty; put some .* in data.images"):
        run_prepare(raw, images="empty")


def test_without_masks_there_is_a_pretext_and_no_training(study, tmp_path, write_folder, capsys):
    raw = write_folder(tmp_path / "raw", 12, labelled=0)
    images = replace(study, raw=raw, out=tmp_path / "out")
    (images.raw / "masks").rmdir()
    assert images.run("prepare") == 0
    assert "masks is not there: no radiograph has a mask (data.masks)" in capsys.readouterr().out
    assert images.run("pretrain", "pretext") == 0
    assert images.run("train", pretext=images / "pretext/weights.safetensors") != 0
    assert "12 of 12 radiographs have none (data.masks" in capsys.readouterr().err


@pytest.mark.real_data
def test_real_radiographs_hold_one_duplicate_pair_and_one_edentulous_patient(
    real_radiographs, run_prepare
):
    rows, problems = run_prepare(real_radiographs)
    assert problems == [] and len(rows) == 99
    assert [pair for pair in groups(rows).items() if len(set(pair)) > 1] == [("032", "002")]
    assert [row["id"] for row in rows if row["tooth_fraction"] == "0.000000"] == ["005"]
    assert all(row["labelled"] == "1" for row in rows)
