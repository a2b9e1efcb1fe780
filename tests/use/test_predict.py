import errno

import cv2
import numpy as np
import pytest

from maskedteeth.cli import main
from maskedteeth.files import read_csv
from maskedteeth.use import predict as module


@pytest.fixture
def predict(study, tmp_path):
    """Returns a function that calls `maskedteeth predict` and returns status and rows."""

    def call(*paths, out=tmp_path / "out"):
        weights = str(study / "run/weights.safetensors")
        words = [*map(str, paths), "--weights", weights, "--out", str(out), "--device", "cpu"]
        status = main(["predict", *words])
        table = out / "predictions.csv"
        return status, read_csv(table) if table.is_file() else None

    return call


@pytest.fixture
def write(tmp_path, radiograph):
    """Returns a function that writes a radiograph of 40 x 50 pixels and returns its path."""

    def write(name):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), radiograph(1, 40, 50)[0])
        return tmp_path / name

    return write


def grey(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_a_folder_becomes_masks_overlays_and_a_table(predict, xrays, segmenter, tmp_path, capsys):
    out = tmp_path / "out"
    status, rows = predict(xrays)
    assert status == 0 and "2 masks in" in capsys.readouterr().out
    columns = ["file", "name", "height", "width", "tooth_fraction", "confidence"]
    columns += ["warning", "problem"]
    assert list(rows[0]) == columns
    assert [row["name"] for row in rows] == ["big", "old/deep"]
    for row, size in zip(rows, [(300, 500), (90, 170)], strict=True):
        assert (int(row["height"]), int(row["width"])) == size and row["problem"] == ""
        mask = grey(out / f"{row['name']}.mask.png")
        found = segmenter(row["file"])
        assert mask.dtype == np.uint8 and (mask == found.mask * 255).all()
        assert float(row["tooth_fraction"]) == pytest.approx((mask > 0).mean(), abs=1e-6)
        assert float(row["confidence"]) == pytest.approx(found.confidence, abs=1e-6)
        assert grey(out / f"{row['name']}.overlay.png").shape == (*size, 3)


def test_a_radiograph_that_cannot_be_read_is_a_line_and_the_others_go_on(
    predict, xrays, tmp_path, capsys
):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes((xrays / "big.jpg").read_bytes()[:2000])
    status, rows = predict(broken, xrays / "old/deep.tif", xrays / "notes.txt")
    assert status == 2
    assert [bool(row["problem"]) for row in rows] == [True, False, True]
    assert "it is cut off or damaged" in rows[0]["problem"]
    assert rows[0]["height"] == "" and (tmp_path / "out/deep.mask.png").is_file()
    table = tmp_path / "out/predictions.csv"
    said = f"maskedteeth predict: 2 of 3 radiographs failed; {table}"
    assert said in capsys.readouterr().err


def test_results_of_an_earlier_call_are_no_radiographs(predict, write):
    folder = write("mine/1.png").parent
    write("mine/deep/2.mask.png")  # the user's, and not in --out
    for _ in range(2):
        status, rows = predict(folder, out=folder / "masks")
        assert status == 0 and [row["name"] for row in rows] == ["1", "deep/2.mask"]


def test_nothing_is_overwritten(predict, write, capsys):
    first, second = write("a/1.png"), write("b/1.png")
    assert predict(first, second, first) == (2, None)
    assert f"{first} and {second} have one name" in capsys.readouterr().err
    assert predict(first, out=first.parents[1]) == (2, None)
    assert f"{first} lies in --out" in capsys.readouterr().err
    status, rows = predict(first, first)
    assert status == 0 and [row["name"] for row in rows] == ["1"]


def test_without_radiographs_there_is_a_sentence(predict, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert predict(tmp_path / "empty") == (2, None)
    assert f"There is no radiograph in {tmp_path / 'empty'}: no file" in capsys.readouterr().err
    assert predict(tmp_path / "no.png") == (2, None)
    assert "no.png does not exist; name a radiograph or a folder" in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "full")])
def test_what_ends_it_early_leaves_the_table_of_what_is_done(
    predict, xrays, tmp_path, monkeypatch, error
):
    write = module.write_png

    def fail(path, pixels):
        if path.name == "deep.mask.png":
            raise error
        write(path, pixels)

    monkeypatch.setattr(module, "write_png", fail)
    status, rows = predict(xrays)
    assert status == (130 if isinstance(error, KeyboardInterrupt) else 2)
    assert [row["name"] for row in rows] == ["big"] and (tmp_path / "out/big.mask.png").is_file()


def test_an_overlay_shows_teeth_and_leaves_the_rest():
    pixels, mask = np.full((40, 60), 100, np.uint8), np.zeros((40, 60), np.uint8)
    mask[10:30, 20:40] = 1
    shown = module.overlay(pixels, mask)
    assert shown.shape == (40, 60, 3) and shown.dtype == np.uint8
    far = cv2.dilate(mask, np.ones((5, 5))) == 0
    assert (shown[far] == 100).all()
    assert (shown[20, 30] == [132, 115, 75]).all() and (shown[10, 30] == [230, 159, 0]).all()
