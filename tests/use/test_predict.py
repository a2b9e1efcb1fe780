import errno
import subprocess
import sys

import cv2
import numpy as np
import pytest

from maskedteeth.cli import main
from maskedteeth.files import read_csv
from maskedteeth.use import pictures


@pytest.fixture
def predict(study, tmp_path):
    """Returns a function that calls `maskedteeth predict` and returns status, rows and folder."""

    def call(*words, out=tmp_path / "out", weights=None):
        weights = weights or study / "weights.safetensors"
        words = [*map(str, words), "--weights", str(weights), "--out", str(out)]
        words += ["--device", "cpu"]
        status = main(["predict", *words])
        table = out / "predictions.csv"
        return status, read_csv(table) if table.is_file() else None, out

    return call


def grey(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_a_folder_becomes_masks_overlays_and_a_table(predict, xrays, segmenter, capsys):
    status, rows, out = predict(xrays)
    assert status == 0
    assert [row["name"] for row in rows] == ["big", "deep"]
    assert "2 masks in" in capsys.readouterr().out
    columns = ["file", "name", "height", "width", "tooth_fraction", "confidence", "problem"]
    assert list(rows[0]) == columns
    files = [f"{n}.{kind}.png" for n in ("big", "deep") for kind in ("mask", "overlay")]
    assert sorted(f.name for f in out.iterdir()) == [*files, "predictions.csv"]
    for row, size in zip(rows, [(300, 500), (90, 70)], strict=True):
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
    status, rows, out = predict(broken, xrays / "deep.tif", xrays / "notes.txt")
    assert status == 2
    assert [bool(row["problem"]) for row in rows] == [True, False, True]
    assert "it is cut off or damaged" in rows[0]["problem"]
    assert rows[0]["height"] == "" and (out / "deep.mask.png").is_file()
    said = capsys.readouterr().err
    assert f"maskedteeth predict: 2 of 3 radiographs failed; {out / 'predictions.csv'}" in said


def test_equal_names_do_not_overwrite_each_other(predict, tmp_path, radiograph):
    files = []
    for n, name in enumerate(["a/1.png", "b/1.png", "c/a/1.bmp", "b-1.png", "A/1.png"]):
        files.append(tmp_path / name)
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(files[-1]), radiograph(n, 40 + n, 50)[0])
    status, rows, out = predict(*files, files[0])
    assert status == 0 and [row["file"] for row in rows] == list(map(str, files))
    assert [row["name"] for row in rows] == ["a-1", "b-1-2", "a-1-2", "b-1", "A-1-3"]
    heights = [grey(out / f"{row['name']}.mask.png").shape[0] for row in rows]
    assert heights == [40, 41, 42, 43, 44]


def test_patterns_find_radiographs(predict, tmp_path, xrays, capsys):
    status, rows, _ = predict(f"{xrays.parent}/{xrays.name}/**/*.[tj][ip]*")
    assert status == 0 and [row["name"] for row in rows] == ["big", "deep"]
    assert predict(tmp_path / "*.png")[0] == 2
    assert "Nothing is like" in capsys.readouterr().err


def test_a_pattern_leaves_out_what_an_earlier_call_wrote(predict, tmp_path, radiograph, capsys):
    folder, out = tmp_path / "mine", tmp_path / "mine" / "masks"
    folder.mkdir()
    for name in ("1", "2.mask"):  # the second is the user's, and not in --out
        cv2.imwrite(str(folder / f"{name}.png"), radiograph(1, 40, 50)[0])
    for calls in range(2):
        status, rows, _ = predict(folder / "**/*.png", out=out)
        assert status == 0 and [row["name"] for row in rows] == ["1", "2.mask"]
        assert ("4 results of an earlier call" in capsys.readouterr().err) == bool(calls)
    assert predict(out / "*.png", out=out)[0] == 2
    assert f"like {out / '*.png'} are results in {out}" in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "full")])
def test_what_ends_it_early_leaves_the_table_of_what_is_done(
    predict, xrays, monkeypatch, capsys, error
):
    write = pictures.write_png

    def fail(path, pixels):
        if path.name == "deep.mask.png":
            raise error
        write(path, pixels)

    monkeypatch.setattr(pictures, "write_png", fail)
    status, rows, out = predict(xrays)
    assert status == (130 if isinstance(error, KeyboardInterrupt) else 2)
    assert [row["name"] for row in rows] == ["big"] and (out / "big.mask.png").is_file()
    assert "Interrupted before its end" in capsys.readouterr().err or status == 2


def test_mistakes_are_sentences(predict, study, tmp_path, xrays, capsys):
    (tmp_path / "empty").mkdir()
    pretext = study / "pretext/weights.safetensors"
    for words, options, sentence in (
        ([tmp_path / "no.png"], {}, "no.png does not exist; name a radiograph"),
        ([tmp_path / "empty"], {}, "empty holds no radiograph"),
        ([xrays], {"out": xrays}, "the folder of the radiographs; name another one"),
        ([xrays], {"weights": pretext}, "is of a pretext, which reconstructs"),
    ):
        assert predict(*words, **options)[0] == 2
        assert sentence in capsys.readouterr().err


def test_mistakes_are_told_before_torch_is_imported(study, tmp_path):
    weights = ["--weights", str(study / "pretext/weights.safetensors"), "--out", str(tmp_path)]
    for words in (["no.png", *weights], [str(study.raw / "images"), *weights]):
        code = "import sys; from maskedteeth.cli import main; "
        code += f"assert main({['predict', *words]}) == 2; sys.exit('torch' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_overlay_shows_teeth_and_leaves_the_rest():
    from maskedteeth.use.pictures import overlay

    pixels, mask = np.full((40, 60), 100, np.uint8), np.zeros((40, 60), np.uint8)
    mask[10:30, 20:40] = 1
    shown = overlay(pixels, mask)
    assert shown.shape == (40, 60, 3) and shown.dtype == np.uint8
    far = cv2.dilate(mask, np.ones((5, 5))) == 0
    assert (shown[far] == 100).all()
    assert (shown[20, 30] == [132, 115, 75]).all() and (shown[10, 30] == [230, 159, 0]).all()
    assert (overlay(pixels, np.zeros_like(mask)) == 100).all()
