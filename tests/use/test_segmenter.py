import json
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch

from maskedteeth.errors import InputError
from maskedteeth.files import read_csv
from maskedteeth.use import Segmenter


def test_prepared_radiographs_get_the_probabilities_of_the_evaluation(study, segmenter):
    """Its NPZ holds k for probabilities from k/256 up to (k+1)/256."""
    stored = np.load(study / "predictions.npz")
    order = [row["id"] for row in read_csv(study / "index.csv")]
    images = np.load(study / "images.npy")
    for name, levels in zip(stored["ids"], stored["probability"], strict=True):
        found = segmenter(images[order.index(name)])
        assert found.probability.dtype == np.float32 and found.probability.shape == (32, 64)
        off = found.probability * 256 - levels
        assert off.min() > -1e-3 and off.max() < 1 + 1e-3
        sure = np.abs(found.probability - 0.5) > 1e-5
        assert (found.mask == (levels >= 128))[sure].all()


def test_a_file_is_seen_as_the_stage_prepare_sees_it(study, segmenter, monkeypatch):
    """Its files are 64 x 128, the network's size is 32 x 64."""
    seen = []
    monkeypatch.setattr(
        "maskedteeth.use.segmenter.predict",
        lambda network, pixels, *_: seen.append(pixels) or np.zeros(pixels.shape, np.float32),
    )
    rows, images = read_csv(study / "index.csv"), np.load(study / "images.npy")
    for row in rows[:3]:
        assert segmenter(study.raw / row["file"]).mask.shape == (64, 128)
    assert (np.concatenate(seen) == images[:3]).all()


@pytest.mark.parametrize("size", [(32, 64), (33, 65), (301, 97), (8, 9)])
def test_a_mask_has_the_size_of_its_radiograph(segmenter, radiograph, size):
    pixels = radiograph(3, *size)[0]
    found = segmenter(pixels)
    assert found.mask.shape == found.probability.shape == found.pixels.shape == size
    assert found.mask.dtype == np.uint8 and set(np.unique(found.mask)) <= {0, 1}
    assert found.probability.min() >= 0 and found.probability.max() <= 1
    assert found.tooth_fraction == pytest.approx((found.probability >= 0.5).mean())
    p = found.probability.astype(float)
    assert found.confidence == pytest.approx(np.where(p > 0.5, p, 1 - p).mean(), abs=1e-6)


def test_probabilities_are_scaled_back_linearly_before_the_threshold(segmenter, radiograph):
    pixels = radiograph(3, 320, 640)[0]
    small = cv2.resize(pixels, (64, 32), interpolation=cv2.INTER_AREA)
    expected = cv2.resize(segmenter(small).probability, (640, 320))
    found = segmenter(pixels)
    np.testing.assert_allclose(found.probability, expected, atol=1e-6)
    assert (found.mask == (found.probability >= 0.5)).all()


def test_the_threshold_is_that_of_the_evaluation_or_the_one_given(study, tmp_path, radiograph):
    for name in ("weights.safetensors", "run.json"):
        shutil.copy(study / name, tmp_path)
    weights = tmp_path / "weights.safetensors"
    pixels = radiograph(4)[0]
    assert Segmenter(weights, device="cpu").trained.threshold == 0.5
    content = json.loads((study / "evaluation.json").read_text())
    content["settings"]["threshold"] = 0.3
    (tmp_path / "evaluation.json").write_text(json.dumps(content))
    low, high = Segmenter(weights, device="cpu"), Segmenter(weights, threshold=0.7, device="cpu")
    assert (low.trained.threshold, high.trained.threshold) == (0.3, 0.7)
    assert (low(pixels).mask == (low(pixels).probability >= 0.3)).all()
    assert (high(pixels).mask <= low(pixels).mask).all()
    (tmp_path / "evaluation.json").write_text('{"settings": {"threshold": "half"}}')
    with pytest.raises(InputError, match=r"evaluation.json has no threshold; restore it"):
        Segmenter(weights, device="cpu")
    for wrong in (0, 1, float("nan")):
        with pytest.raises(InputError, match="must be between 0 and 1"):
            Segmenter(weights, threshold=wrong)


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4)), np.zeros((4, 4, 3), np.uint8), np.zeros((0, 4), np.uint8)]
)
def test_other_arrays_are_refused(segmenter, pixels):
    with pytest.raises(ValueError, match=r"expected are grey values, uint8 \(H, W\)"):
        segmenter(pixels)


def test_weights_without_their_record_are_a_sentence(study, tmp_path):
    weights = tmp_path / "weights.safetensors"
    with pytest.raises(InputError, match=r"weights.safetensors is not a file; name the"):
        Segmenter(weights, device="cpu")
    shutil.copy(study / "weights.safetensors", weights)
    with pytest.raises(InputError, match=r"run.json is not there, which says .* with --run"):
        Segmenter(weights, device="cpu")
    assert Segmenter(weights, run=study / "run.json", device="cpu").trained.height == 32
    shutil.copy(study / "pretext/run.json", tmp_path)
    with pytest.raises(InputError, match=r"run.json is of other weights than .*weights_sha256"):
        Segmenter(weights, device="cpu")


def test_a_record_of_something_else_is_a_sentence(study, tmp_path):
    weights = study / "weights.safetensors"
    record = json.loads((study / "run.json").read_text())
    for change, sentence in (
        ({"radiographs": None}, "is not the record of a training"),
        ({"settings": {}}, "is not the record of a training"),
        ({"settings": {"model": {"architecture": "unot"}}}, "model.architecture|architecture"),
    ):
        (tmp_path / "run.json").write_text(json.dumps(record | change))
        with pytest.raises(InputError, match=sentence):
            Segmenter(weights, run=tmp_path / "run.json")
    with pytest.raises(InputError, match=r"is of a pretext, which reconstructs"):
        Segmenter(study / "pretext/weights.safetensors")


def test_the_package_is_imported_without_torch():
    code = "import sys, maskedteeth.use, maskedteeth.use.predict, maskedteeth.use.reconstruct, "
    code += "maskedteeth.use.export_onnx; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.gpu
def test_a_card_gives_nearly_the_same_probabilities(study, segmenter, radiograph):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    on_card = Segmenter(study / "weights.safetensors", device="cuda")
    assert on_card.machine.device.type == "cuda"
    pixels = radiograph(5, 100, 210)[0]
    expected = segmenter(pixels).probability
    np.testing.assert_allclose(on_card(pixels).probability, expected, atol=1e-2)
