import pytest
import torch

from maskedteeth.models import build
from maskedteeth.models.modified_resunet import ModifiedResUNet, ResidualBlock
from maskedteeth.settings.config import Model


def test_the_papers_network_has_12_985_665_parameters():
    network = build(Model(architecture="modified_resunet", inputs=("xray", "sobel")))
    assert sum(parameter.numel() for parameter in network.parameters()) == 12_985_665


@pytest.mark.parametrize(("height", "width"), [(32, 64), (16, 16), (48, 80)])
def test_logits_have_the_size_of_the_radiograph_and_every_parameter_learns(height, width):
    network = ModifiedResUNet(2, (4, 8, 8, 8, 8))
    logits = network(torch.rand(3, 2, height, width))
    assert logits.shape == (3, 1, height, width)
    assert logits.min() < 0 or logits.max() > 1, "these are not logits"
    logits.square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def watch(modules, chosen):
    """Collect what modules are given ("input") or return ("output"), as they run."""
    seen = []
    for module in modules:
        module.register_forward_hook(
            lambda _m, inputs, output: seen.append((inputs[0] if chosen == "input" else output)[:])
        )
    return seen


def test_a_block_concatenates_what_its_first_normalisation_returned():
    torch.manual_seed(0)
    block = ResidualBlock(3, 5)
    first = watch([block.norm1], "output")
    second = watch([block.conv2], "input")
    last = []
    block.norm2.register_forward_hook(lambda _m, _i, output: last.append(output.clone()))
    output = block(torch.randn(2, 3, 8, 8))
    assert output.shape == (2, 10, 8, 8)
    assert (first[0] < 0).any()
    assert torch.equal(second[0], first[0].clamp(min=0))
    assert torch.equal(output[:, :5], first[0])  # not rectified
    assert torch.equal(output[:, 5:], last[0].clamp(min=0))


def test_decoder_blocks_see_the_upsampled_features_and_then_the_skip_of_their_size():
    network = ModifiedResUNet(1, (2, 3, 4, 5))
    skips = watch(network.encoder, "output")
    upsampled = watch([block.up for block in network.decoder], "output")
    seen = watch([block.block for block in network.decoder], "input")
    network(torch.rand(1, 1, 16, 16))
    assert [tuple(s.shape[1:]) for s in skips] == [(4, 16, 16), (6, 8, 8), (8, 4, 4)]
    for block_input, up, skip in zip(seen, upsampled, reversed(skips), strict=True):
        assert torch.equal(block_input, torch.cat([up, skip], dim=1)) and skip.any()
