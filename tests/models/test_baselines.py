import pytest
import torch

from maskedteeth.models import build
from maskedteeth.settings.config import Model

ARCHITECTURES = ["unet", "pspnet", "linknet", "unetplusplus", "fpn"]


@pytest.mark.parametrize("encoder", ["resnet18", "mobilenet_v2"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_line_of_config_makes_a_network_that_learns(architecture, encoder):
    network = build(Model(architecture=architecture, encoder=encoder, inputs=("xray", "sobel")))
    logits = network(torch.rand(2, 2, 64, 96))
    assert logits.shape == (2, 1, 64, 96)
    logits.square().mean().backward()
    first, *_, last = (p.grad for p in network.parameters() if p.grad is not None)
    assert first.isfinite().all() and first.any() and last.any()


def test_options_reach_the_library():
    options = {"decoder_channels": [64, 32, 16], "encoder_depth": 3}
    network = build(Model(architecture="unet", encoder="resnet18", options=options))
    assert len(network.decoder.blocks) == 3
    assert network(torch.rand(1, 1, 32, 64)).shape == (1, 1, 32, 64)
