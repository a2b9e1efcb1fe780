import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch

from maskedteeth.cli import main
from maskedteeth.files import write_json
from maskedteeth.record import sha256
from maskedteeth.settings.config import Model
from maskedteeth.training.weights import new_network, save_weights
from maskedteeth.use import Segmenter

DOCUMENTATION = Path(__file__).parents[2] / "docs/use.md"


def export(weights, onnx):
    assert main(["export-onnx", "--weights", str(weights), "--onnx", str(onnx)]) == 0
    return onnxruntime.InferenceSession(onnx)


def assert_same(session, segmenter, pixels):
    """The same probability to 1e-3, and so the same mask, in onnxruntime."""
    given = pixels[:, None] / np.float32(255)
    (found,) = session.run(None, {"radiograph": given})
    assert found.dtype == np.float32 and found.shape == given.shape
    for n, one in enumerate(pixels):
        np.testing.assert_allclose(found[n, 0], segmenter(one).probability, atol=1e-3, rtol=0)


def test_a_training_gives_the_same_masks_in_onnxruntime(study, segmenter, tmp_path, capfd):
    session = export(study / "run/weights.safetensors", tmp_path / "network.onnx")
    assert [file.name for file in tmp_path.iterdir()] == ["network.onnx"]
    said = capfd.readouterr()
    assert said.out.count("\n") == 1 and "input (N, 1, 32, 64), opset 18" in said.out
    assert session.get_inputs()[0].shape == ["N", 1, 32, 64]
    assert session.get_modelmeta().custom_metadata_map == {
        **{"task": "teeth", "height": "32", "width": "64", "threshold": "0.5"},
        "weights_sha256": sha256(study / "run/weights.safetensors"),
    }
    images = np.load(study / "images.npy")
    assert_same(session, segmenter, images)
    assert_same(session, segmenter, images[:1])
    assert_same(session, segmenter, np.zeros((1, 32, 64), np.uint8))  # Sobel's maximum is 0


def test_numbers_of_teeth_come_out_of_onnxruntime(numbered, numberer, tmp_path):
    session = export(numbered / "run/weights.safetensors", tmp_path / "network.onnx")
    assert session.get_modelmeta().custom_metadata_map["task"] == "numbering"
    pixels = np.load(numbered / "images.npy")[:2]
    (found,) = session.run(None, {"radiograph": pixels[:, None] / np.float32(255)})
    assert found.shape == (2, 33, 32, 64)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
    for classes, one in zip(found, map(numberer, pixels), strict=True):
        np.testing.assert_allclose(1 - classes[0], one.probability, atol=1e-3, rtol=0)
        assert (np.where(one.mask, classes[1:].argmax(0) + 1, 0) == one.labels).mean() > 0.99


@pytest.mark.parametrize("architecture", ["unet", "pspnet", "linknet"])
def test_baselines_give_the_same_masks_in_onnxruntime(tmp_path, radiograph, architecture):
    model = Model(architecture=architecture, encoder="resnet18", inputs=["xray"])
    weights = tmp_path / "weights.safetensors"
    save_weights(new_network(model, 1, torch.device("cpu")), weights)
    settings = {"task": "teeth", "model": model.model_dump(mode="json")}
    record = {"settings": settings, "radiographs": [9, 32, 64]}
    record["look"] = {"source": "folder", "proportions": [2, 2], "grey_levels": [[0, 255]] * 5}
    write_json(tmp_path / "run.json", record | {"weights_sha256": sha256(weights)})
    session = export(weights, tmp_path / "network.onnx")
    pixels = np.stack([radiograph(n, 32, 64)[0] for n in range(3)])
    assert_same(session, Segmenter(weights, device="cpu"), pixels)


def test_the_python_of_the_documentation_runs(study, tmp_path, monkeypatch, radiograph):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # cards compute a little less precisely
    run = tmp_path / "results/demo/runs/unet/fraction-0.9/seed-42"
    run.mkdir(parents=True)
    for name in ("weights.safetensors", "run.json"):
        shutil.copy(study / "run" / name, run)
    Path("my/xrays").mkdir(parents=True)
    cv2.imwrite("my/xrays/1.png", radiograph(7, 100, 210)[0])
    export(run / "weights.safetensors", Path("network.onnx"))
    text = DOCUMENTATION.read_text(encoding="utf-8")
    in_python, in_onnxruntime = {}, {}
    blocks = re.findall("```python\n(.*?)```", text, re.S)
    for names, code in zip((in_python, in_onnxruntime), blocks, strict=True):
        exec(code, names)
    assert in_python["mask"].shape == in_onnxruntime["mask"].shape == (100, 210)
    probability = in_python["segmenter"]("my/xrays/1.png").probability
    np.testing.assert_allclose(in_onnxruntime["probability"], probability, atol=1e-3)
