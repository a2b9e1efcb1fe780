import json

import pytest

from maskedteeth.models import build
from maskedteeth.models.describe import describe
from maskedteeth.settings.config import Model
from maskedteeth.settings.jobs import DescribeJob


def run(out, **model):
    settings = DescribeJob(model=Model(**model), height=64, width=128)
    describe(settings, architecture=out / "architecture.json")
    return settings.model, json.loads((out / "architecture.json").read_text())


def test_blocks_stand_in_the_order_in_which_they_run(tmp_path):
    _, content = run(tmp_path, architecture="modified_resunet", widths=(4, 8, 16))
    assert content["input"] == [1, 64, 128]
    assert [(block["name"], block["output"]) for block in content["blocks"]] == [
        ("encoder.0", [8, 64, 128]),
        ("encoder.1", [16, 32, 64]),
        ("bottleneck", [32, 16, 32]),
        ("decoder.0", [16, 32, 64]),
        ("decoder.1", [8, 64, 128]),
        ("head", [1, 64, 128]),
    ]


@pytest.mark.parametrize("architecture", ["modified_resunet", "unet", "pspnet"])
def test_the_parameters_of_the_blocks_add_up_to_the_networks(tmp_path, architecture):
    model, content = run(tmp_path, architecture=architecture)
    assert content["parameters"] == sum(p.numel() for p in build(model).parameters())
    assert content["parameters"] == sum(block["parameters"] for block in content["blocks"])
