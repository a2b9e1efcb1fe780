import json

import pytest
import torch

from maskedteeth.errors import InputError
from maskedteeth.models import build
from maskedteeth.models.describe import describe
from maskedteeth.models.inputs import logits_of
from maskedteeth.settings.config import Image, Model

OURS = {"architecture": "modified_resunet", "widths": (4, 8, 16)}


def run(out, report, height=64, width=128, **others):
    """Content of architecture.json of a study of our network and others."""
    models = {f"methods.{name}.model": Model(**model) for name, model in others.items()}
    file = out / "architecture.json"
    describe(Image(height=height, width=width), "teeth", models, report, architecture=file)
    return json.loads(file.read_text())


@pytest.fixture
def report():
    """Of the settings of tables and figures, what the stage needs."""
    from types import SimpleNamespace

    return SimpleNamespace(ours="ours")


def test_blocks_stand_in_the_order_in_which_they_run(tmp_path, report):
    content = run(tmp_path, report, ours=OURS, unet={"architecture": "unet"})
    assert content["input"] == [1, 64, 128]
    assert content["parameters"] == sum(block["parameters"] for block in content["blocks"]) > 0
    assert [(block["name"], block["output"]) for block in content["blocks"]] == [
        ("encoder.0", [8, 64, 128]),
        ("encoder.1", [16, 32, 64]),
        ("bottleneck", [32, 16, 32]),
        ("decoder.0", [16, 32, 64]),
        ("decoder.1", [8, 64, 128]),
        ("head", [1, 64, 128]),
    ]


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ({"architecture": "unett"}, "Wrong architecture type `unett`. Available options"),
        ({"encoder": "resnet43"}, "Wrong encoder name `resnet43`, supported encoders"),
        ({"options": {"decoder_chanels": [1]}}, "Unet has no argument 'decoder_chanels'"),
        ({"options": {"classes": 2}}, "multiple values .* 'classes'"),
        (
            {"architecture": "mask_rcnn", "options": {"width": -3}},
            r"options\.width is -3; it must be greater",
        ),
        (
            {"architecture": "mask_rcnn", "options": {"anchors": [8, 16, 32, 64, 0]}},
            r"anchors\.4 is 0; it must",
        ),
        (
            {"architecture": "mask_rcnn", "options": {"box_nms_thresh": "x"}},
            "thresh is 'x'; it must be a number",
        ),
        ({"architecture": "pan", "encoder": "resnet18"}, "PAN cannot take .* 64 x 128.*image.h"),
        ({**OURS, "widths": (4,) * 9}, "ModifiedResUNet cannot take .* 64 x 128.*image.height"),
    ],
)
def test_a_network_that_cannot_be_is_a_sentence_about_its_setting(
    tmp_path, report, model, sentence
):
    with pytest.raises(InputError, match=rf"^Setting methods\.other\.model: .*{sentence}"):
        run(tmp_path, report, ours=OURS, other={"architecture": "unet", **model})


def test_single_radiographs_are_refused_where_they_cannot_be_normalised():
    network = build(Model(architecture="deeplabv3", encoder="resnet18"))
    assert logits_of(network, torch.zeros(2, 1, 32, 32)).shape == (2, 1, 32, 32)
    with pytest.raises(InputError, match="1 at once: .*Set a larger batch_size"):
        logits_of(network, torch.zeros(1, 1, 32, 32))
