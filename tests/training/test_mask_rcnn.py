"""Mask R-CNN, from its training through the front door to its masks."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from maskedteeth.cli import main
from maskedteeth.training.instances import InstanceSegmentation
from maskedteeth.use import Segmenter

OPTIONS = {"width": 8, "anchors": [4, 8, 16, 32, 64], "box_batch_size_per_image": 16}
OPTIONS |= {"enlarge": 2, "rpn_pre_nms_top_n_train": 50, "rpn_pre_nms_top_n_test": 50}
MODEL = {"architecture": "mask_rcnn", "encoder": "resnet18", "options": OPTIONS}
CHANGES = {"methods": {"detector": {"label": "Mask R-CNN", "model": MODEL}}}
RECIPE = {"learning_rate": 0.01, "epochs": 12}


@pytest.fixture(scope="module")
def detector(study, tmp_path_factory):
    """A finished training of Mask R-CNN, evaluated; its folder."""
    folder = tmp_path_factory.mktemp("detector")
    options = {"method": "detector", "changes": CHANGES | {"training": RECIPE}}
    assert study.run("train", folder, **options) == 0
    assert study.run("evaluate", folder, instances=folder / "instances.csv", **options) == 0
    return folder


def test_a_stopped_training_goes_on_to_the_same_bits(stop_and_go_on):
    """Also of proposals, which are drawn by torch's own generator, and with augmentation."""
    recipe = RECIPE | {"augment": "light", "epochs": 2}
    changes = CHANGES | {"training": recipe}
    stop_and_go_on("train", InstanceSegmentation, 1, method="detector", changes=changes)


def test_radiographs_without_teeth_train_it_too(study, tmp_path):
    labels = tmp_path / "labels.npy"
    np.save(labels, np.zeros_like(np.load(study / "labels.npy")))
    options = {"method": "detector", "changes": CHANGES | {"training": RECIPE | {"epochs": 1}}}
    assert study.run("train", tmp_path, labels=labels, **options) == 0
    assert pd.read_csv(tmp_path / "history.csv")["loss"].notna().all()


def test_it_is_measured_like_all_others_and_its_instances_by_ap(detector):
    metrics, found = (pd.read_csv(detector / f"{n}.csv") for n in ("metrics", "instances"))
    share = (metrics["tp"] + metrics["fn"]) / (32 * 64)
    everything = 2 * share / (1 + share)  # Dice of a mask that is tooth everywhere
    assert len(metrics) == 3 and metrics["dice"].mean() > 1.5 * everything.mean()
    assert found.columns.tolist() == ["method", "fraction", "seed", "ap", "ap50", "ap75"]
    assert found["ap50"][0] > max(0.05, found["ap"][0])
    run = json.loads((detector / "run.json").read_text())
    assert "maskedteeth.models.mask_rcnn" in run["modules"]


def test_it_segments_radiographs_and_says_that_onnx_cannot_hold_it(
    detector, radiograph, tmp_path, capsys
):
    pixels, truth = radiograph(1)
    found = Segmenter(detector / "weights.safetensors", device="cpu")(pixels)
    both = np.count_nonzero(found.mask & (truth > 0))
    assert 2 * both / (found.mask.sum() + np.count_nonzero(truth)) > 0.4
    command = ["export-onnx", "--weights", str(detector / "weights.safetensors")]
    assert main([*command, "--onnx", str(tmp_path / "network.onnx")]) == 2
    assert "is of mask_rcnn, whose steps depend on what it finds" in capsys.readouterr().err
    assert not (tmp_path / "network.onnx").exists()


def test_teeth_without_numbers_cannot_be_classes(numbered, tmp_path, capsys):
    labels = np.load(numbered / "labels.npy")
    labels[labels == 3] = 99
    np.save(tmp_path / "labels.npy", labels)
    given = {"labels": tmp_path / "labels.npy", "method": "detector", "changes": CHANGES}
    assert numbered.run("train", tmp_path, **given) == 2
    assert "some teeth of the training radiographs have none" in capsys.readouterr().err


def test_masks_are_joined_where_an_instance_is_certain(monkeypatch):
    from maskedteeth.models import build
    from maskedteeth.settings.config import Model
    from maskedteeth.tasks import CHANNELS, task_of

    masks = torch.zeros(3, 1, 4, 6)
    masks[0, 0, :, 0], masks[1, 0, :, :2], masks[2, 0, :, 5] = 0.9, 0.6, 0.9
    found = {"masks": masks, "scores": torch.tensor([0.8, 0.5, 0.4])}
    expected = torch.tensor([0.9, 0.6, 0, 0, 0, 0]).expand(1, 4, 6)
    for name in ("teeth", "numbering"):
        network = build(Model(**MODEL), CHANNELS[name]).eval()
        numbers = [1, 1, 1] if name == "teeth" else [7, 32, 1]
        one = found | {"labels": torch.tensor(numbers)}
        monkeypatch.setattr(network, "detect", lambda inputs, one=one: [one])
        task = task_of(name)
        tooth, numbers = task.read(task.probabilities(network(torch.zeros(1, 1, 4, 6))))
        torch.testing.assert_close(tooth, expected, atol=1e-4, rtol=0)
        assert numbers[0, 0, :2].tolist() == ([99, 99] if name == "teeth" else [7, 32])
