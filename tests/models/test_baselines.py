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


@pytest.mark.parametrize("inputs", [("xray",), ("sobel", "xray")])
def test_the_first_convolution_takes_the_inputs_that_are_named(inputs):
    network = build(Model(architecture="unet", encoder="resnet18", inputs=inputs))
    assert next(network.parameters()).shape[1] == len(inputs)


def test_options_reach_the_library():
    options = {"decoder_channels": [64, 32, 16], "encoder_depth": 3}
    network = build(Model(architecture="unet", encoder="resnet18", options=options))
    assert len(network.decoder.blocks) == 3
    assert network(torch.rand(1, 1, 32, 64)).shape == (1, 1, 32, 64)


def test_the_same_seed_makes_the_same_weights():
    model = Model(architecture="linknet", encoder="resnet18")
    networks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        networks.append(torch.cat([p.detach().flatten() for p in build(model).parameters()]))
    assert torch.equal(networks[0], networks[1])
    assert not torch.equal(networks[0], networks[2])
