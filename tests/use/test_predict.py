import errno
import shutil

import cv2
import numpy as np
import pytest
import yaml

from maskedteeth.cli import main
from maskedteeth.data.teeth import FDI_OF_UNIVERSAL
from maskedteeth.files import read_csv, read_json, write_json
from maskedteeth.use import Segmenter
from maskedteeth.use import predict as module


@pytest.fixture
def predict(study, tmp_path):
    """Returns a function that calls `maskedteeth predict` and returns status and rows."""

    def call(*paths, out=tmp_path / "out", weights=study / "run/weights.safetensors", more=()):
        words = [*paths, "--weights", weights, "--out", out, "--device", "cpu", *more]
        status = main(["predict", *map(str, words)])
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
    sizes = {"big": (300, 500), "old/deep": (90, 170)}
    assert sizes == {row["name"]: (int(row["height"]), int(row["width"])) for row in rows}
    for row in rows:
        size = sizes[row["name"]]
        mask = grey(out / f"{row['name']}.mask.png")
        found = segmenter(row["file"])
        assert mask.dtype == np.uint8 and (mask == found.mask * 255).all()
        assert float(row["tooth_fraction"]) == pytest.approx((mask > 0).mean(), abs=1e-6)
        assert float(row["confidence"]) == pytest.approx(found.confidence, abs=1e-6)
        assert grey(out / f"{row['name']}.overlay.png").shape == (*size, 3)


def test_the_table_begins_where_the_network_is_least_sure(predict, tmp_path, radiograph):
    for seed in range(5):
        (tmp_path / "in").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "in" / f"{seed}.png"), radiograph(seed, 40, 80)[0])
    (tmp_path / "in/0.png").write_bytes(b"")
    _, rows = predict(tmp_path / "in")
    confidence = [float(row["confidence"]) for row in rows[:4]]
    assert confidence == sorted(confidence) and rows[4]["name"] == "0"


def test_radiographs_that_cannot_be_segmented_are_lines_and_the_others_go_on(
    predict, xrays, tmp_path, capsys
):
    folder = shutil.copytree(xrays, tmp_path / "in")
    (folder / "notes.txt").rename(folder / "notes.png")
    (folder / "broken.jpg").write_bytes((xrays / "big.jpg").read_bytes()[:2000])
    (folder / "gone.png").symlink_to("nowhere")
    (folder / "loop.png").symlink_to("loop.png")
    for name, size in {"tiny": (20, 20), "wide": (400, 4000)}.items():
        cv2.imwrite(str(folder / f"{name}.png"), np.zeros(size, np.uint8))
    status, rows = predict(folder, more=["--format", "png", "coco", "labelme", "yolo"])
    problems = {row["name"]: row["problem"] for row in rows}
    assert status == 2 and len(rows) == 8
    assert problems.pop("big") == problems.pop("old/deep") == ""
    assert "it is cut off or damaged" in problems["broken"]
    assert "is not an image" in problems["notes"]
    assert "gone.png does not exist" in problems["gone"]
    assert "loop.png cannot be read" in problems["loop"]
    assert "20 x 20 pixels; at least 32" in problems["tiny"]
    assert "width ÷ height is 10.00" in problems["wide"]
    made = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")}
    of_one = {".mask.png", ".overlay.png", ".json"}
    expected = {f"{name}{end}" for name in ("big", "old/deep") for end in of_one}
    expected |= {"labels/train/big.txt", "labels/train/old/deep.txt", "predictions.csv"}
    assert made == expected | {"annotations.coco.json", "data.yaml", "train.txt"}
    table = tmp_path / "out/predictions.csv"
    assert f"maskedteeth predict: 6 of 8 radiographs failed; {table}" in capsys.readouterr().err


def test_unlike_radiographs_and_weights_of_drawn_ones_are_said(
    study, predict, tmp_path, radiograph, capsys
):
    cv2.imwrite(str(tmp_path / "1.png"), 255 - radiograph(1, 40, 80)[0])
    status, rows = predict(tmp_path / "1.png")
    assert status == 0 and "of the pixels are darker than" in rows[0]["warning"]
    said = capsys.readouterr().err
    assert "1 of 1 radiographs are unlike those" in said and "drawn" not in said
    record = read_json(study / "run/run.json")
    record["look"]["source"] = "phantom"
    write_json(tmp_path / "run.json", record)
    weights = shutil.copy(study / "run/weights.safetensors", tmp_path)
    assert predict(tmp_path / "1.png", weights=weights)[0] == 0
    assert "trained on drawn radiographs (data.source: phantom)" in capsys.readouterr().err


def test_several_weights_and_the_mirrored_radiograph_are_averaged(study, predict, xrays):
    weights = study / "run/weights.safetensors"
    both = Segmenter([weights, weights], device="cpu", flip=True)(xrays / "big.jpg")
    status, rows = predict(xrays / "big.jpg", more=["--weights", weights, "--flip"])
    assert status == 0 and float(rows[0]["confidence"]) == pytest.approx(both.confidence, abs=1e-6)


@pytest.mark.parametrize("of", ["study", "numbered"])
def test_regions_below_the_smallest_are_left_out_of_masks_and_polygons(
    predict, xrays, tmp_path, request, of
):
    weights = request.getfixturevalue(of) / "run/weights.safetensors"
    labels = Segmenter(weights, device="cpu")(xrays / "big.jpg").labels
    regions = []
    for label in np.unique(labels[labels > 0]):
        count, parts = cv2.connectedComponents((labels == label).astype(np.uint8))
        regions += [parts == number for number in range(1, count)]
    sizes = sorted(region.sum() for region in regions)
    smallest = sizes[len(sizes) // 2]
    kept = [region for region in regions if region.sum() >= smallest]
    assert 0 < len(kept) < len(regions)
    more = ["--smallest", smallest, "--format", "png", "labelme"]
    status, _ = predict(xrays / "big.jpg", weights=weights, more=more)
    mask = grey(tmp_path / "out/big.mask.png")
    assert status == 0 and (mask == np.any(kept, axis=0) * 255).all()
    assert len(read_json(tmp_path / "out/big.json")["shapes"]) == len(kept)
    assert predict(xrays / "big.jpg", more=["--smallest", -1])[0] == 2


def test_numbered_teeth_are_named_in_every_format(predict, numbered, numberer, xrays, tmp_path):
    out, weights = tmp_path / "out", numbered / "run/weights.safetensors"
    more = ["--format", "png", "labelme", "coco", "yolo", "--numbers", "fdi"]
    status, _ = predict(xrays / "big.jpg", weights=weights, more=more)
    labels = numberer(xrays / "big.jpg").labels
    shown = {FDI_OF_UNIVERSAL[tooth] for tooth in np.unique(labels[labels > 0])}
    numbers = grey(out / "big.numbers.png")
    assert status == 0 and set(np.unique(numbers)) - {0} == shown
    assert all((numbers[labels == t] == fdi).all() for t, fdi in FDI_OF_UNIVERSAL.items())
    assert {int(s["label"]) for s in read_json(out / "big.json")["shapes"]} == shown
    coco = read_json(out / "annotations.coco.json")
    names = {entry["id"]: int(entry["name"]) for entry in coco["categories"]}
    assert names == FDI_OF_UNIVERSAL
    assert {names[entry["category_id"]] for entry in coco["annotations"]} == shown
    classes = yaml.safe_load((out / "data.yaml").read_text())["names"]
    lines = (out / "labels/train/big.txt").read_text().splitlines()
    assert {int(classes[int(line.split()[0])]) for line in lines} == shown


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
    assert predict(first, out=second) == (2, None)
    assert f"--out is {second}, which is a file; name a folder." in capsys.readouterr().err
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
    mask[10:30, 20:40] = 99
    shown = module.overlay(pixels, mask)
    assert shown.shape == (40, 60, 3) and shown.dtype == np.uint8
    far = cv2.dilate(mask, np.ones((5, 5))) == 0
    assert (shown[far] == 100).all()
    assert (shown[20, 30] == [132, 115, 75]).all() and (shown[10, 30] == [230, 159, 0]).all()
