import json
import shutil

import cv2
import numpy as np
import pytest

from maskedteeth.cli import main
from maskedteeth.errors import InputError
from maskedteeth.files import read_csv, write_json
from maskedteeth.use import Reconstructor


def test_a_radiograph_is_reconstructed_as_in_the_measurement(study, tmp_path, reconstructor):
    """With one test radiograph, so that a seed draws the same blocks for both."""
    split = json.loads((study / "pretext/split.json").read_text())
    split["test"] = split["test"][:1]
    files = {"metrics": "m.csv", "fillers": "f.csv", "samples": "s.npz", "split": "split.json"}
    files |= {"evaluation": "e.json", "lpips": "lpips.safetensors"}
    files = {flag: tmp_path / name for flag, name in files.items()}
    files["split"].write_text(json.dumps(split))
    assert study.run("lpips-weights", weights=files["lpips"]) == 0
    assert study.run("measure-pretext", {"mask_seed": 5}, **files) == 0
    samples, row = np.load(files["samples"]), read_csv(files["metrics"])[0]
    order = [row["id"] for row in read_csv(study / "index.csv")]
    pixels = np.load(study / "images.npy")[order.index(split["test"][0])]
    shown = reconstructor(pixels, seed=5)
    for name in ("xray", "masked", "sobel", "generated"):
        assert (getattr(shown, name) == samples[name][0]).all(), name
    assert shown.hidden.mean() == pytest.approx(float(row["hidden"]), abs=1e-6)
    for name, value in shown.scores.items():
        assert value == pytest.approx(float(row[name]), abs=1e-6), name


def test_the_record_of_a_pretexts_measurement_is_no_hindrance(study, tmp_path, radiograph):
    for name in ("weights.safetensors", "run.json"):
        shutil.copy(study / "pretext" / name, tmp_path)
    write_json(tmp_path / "evaluation.json", {"settings": {"mask_seed": 5}})
    shown = Reconstructor(tmp_path / "weights.safetensors", device="cpu")(radiograph(9)[0], seed=1)
    assert shown.hidden.any()


def test_what_is_shown_is_what_is_scored(reconstructor, radiograph):
    shown = reconstructor(radiograph(9)[0], seed=1)
    off = np.abs(shown.generated.astype(float) - shown.xray) / 255
    assert shown.scores["l1"] == pytest.approx(off.mean(), abs=0.5 / 255)
    assert shown.scores["l1_masked"] == pytest.approx(off[shown.hidden].mean(), abs=0.5 / 255)
    assert (shown.masked[shown.hidden] == 0).all()
    assert (shown.masked[~shown.hidden] == shown.xray[~shown.hidden]).all()
    again, other = reconstructor(radiograph(8)[0], seed=1), reconstructor(radiograph(9)[0], seed=2)
    assert (again.hidden == shown.hidden).all() and (other.hidden != shown.hidden).any()


def test_a_folder_becomes_pictures_and_a_table(study, xrays, tmp_path):
    weights = study / "pretext/weights.safetensors"
    words = ["reconstruct", str(xrays), "--weights", str(weights), "--out", str(tmp_path)]
    words += ["--device", "cpu"]
    assert main(words) == 0
    rows = read_csv(tmp_path / "reconstructions.csv")
    assert [row["name"] for row in rows] == ["big", "deep"]
    scores = ["ssim", "fsim", "l1", "ssim_masked", "fsim_masked", "l1_masked"]
    assert list(rows[0]) == ["file", "name", "hidden", *scores, "problem"]
    assert all(0 < float(row[name]) < 1 for row in rows for name in ("hidden", "ssim", "l1"))
    picture = cv2.imread(str(tmp_path / "big.reconstruction.png"), cv2.IMREAD_UNCHANGED)
    assert picture.ndim == 2 and picture.shape[0] > 2 * 32 and picture.shape[1] > 2 * 64


def test_weights_of_a_training_are_refused(study):
    with pytest.raises(InputError, match="is of a training, which segments"):
        Reconstructor(study / "weights.safetensors")
