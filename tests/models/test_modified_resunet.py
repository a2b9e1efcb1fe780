import pytest
import torch

from maskedteeth.models import build
from maskedteeth.models.modified_resunet import ModifiedResUNet, ResidualBlock
from maskedteeth.settings.config import Model

PAPER = (32, 64, 128, 256, 512)


def parameters_of_block(channels, width):
    """Two 3 x 3 convolutions without bias and two normalisations of two parameters a channel."""
    return 9 * channels * width + 2 * width + 9 * width * width + 2 * width


def parameters_by_definition(channels, widths):
    """Section 3.1 counted out: encoder, bottleneck, decoder with skips, 1 x 1 head."""
    *encoder, bottleneck = widths
    total = 0
    for width in encoder:
        total += parameters_of_block(channels, width)
        channels = 2 * width
    total += parameters_of_block(channels, bottleneck)
    channels = 2 * bottleneck
    for width in reversed(encoder):
        total += channels * 2 * width * 4 + 2 * width  # 2 x 2 transposed convolution with bias
        total += parameters_of_block(2 * width + 2 * width, width)  # beside the skip connection
        channels = 2 * width
    return total + channels + 1


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("widths", [(4, 8), (4, 8, 8), PAPER])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_parameters_are_those_of_the_definition(channels, widths):
    assert count(ModifiedResUNet(channels, widths)) == parameters_by_definition(channels, widths)


def test_the_papers_network_has_12_985_665_parameters():
    model = Model(architecture="modified_resunet", inputs=("xray", "sobel"))
    assert model.widths == PAPER
    assert count(build(model)) == 12_985_665


@pytest.mark.parametrize(("height", "width"), [(32, 64), (16, 16), (48, 80)])
def test_logits_have_the_size_of_the_radiograph(height, width):
    logits = ModifiedResUNet(2, (4, 8, 8, 8, 8))(torch.rand(3, 2, height, width))
    assert logits.shape == (3, 1, height, width)
    assert logits.min() < 0 or logits.max() > 1, "these are not logits"


def test_a_block_concatenates_what_its_first_normalisation_returned():
    torch.manual_seed(0)
    block = ResidualBlock(3, 5)
    seen = {}
    for name in ("norm1", "norm2"):
        getattr(block, name).register_forward_hook(
            lambda _module, _input, output, name=name: seen.update({name: output.clone()})
        )
    output = block(torch.randn(2, 3, 8, 8))
    assert output.shape == (2, 10, 8, 8)
    assert (seen["norm1"] < 0).any()
    assert torch.equal(output[:, :5], seen["norm1"])  # not rectified
    assert torch.equal(output[:, 5:], seen["norm2"].clamp(min=0))


def test_the_second_convolution_sees_the_rectified_first():
    torch.manual_seed(0)
    block = ResidualBlock(3, 5)
    seen = {}
    block.norm1.register_forward_hook(lambda _m, _i, output: seen.update(first=output.clone()))
    block.conv2.register_forward_hook(lambda _m, inputs, _o: seen.update(second=inputs[0].clone()))
    block(torch.randn(2, 3, 8, 8))
    assert torch.equal(seen["second"], seen["first"].clamp(min=0))


def test_decoder_blocks_see_the_upsampled_features_and_then_the_skip_of_their_size():
    network = ModifiedResUNet(1, (2, 3, 4, 5))
    skips, upsampled, seen = [], [], []
    for block in network.encoder:
        block.register_forward_hook(lambda _m, _i, output: skips.append(output))
    for block in network.decoder:
        block.up.register_forward_hook(lambda _m, _i, output: upsampled.append(output))
        block.block.register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0]))
    network(torch.rand(1, 1, 16, 16))
    assert [tuple(s.shape[1:]) for s in skips] == [(4, 16, 16), (6, 8, 8), (8, 4, 4)]
    for block_input, up, skip in zip(seen, upsampled, reversed(skips), strict=True):
        assert torch.equal(block_input, torch.cat([up, skip], dim=1)) and skip.any()


def test_a_size_that_cannot_be_halved_is_an_error():
    with pytest.raises(RuntimeError, match="[Ss]ize"):
        ModifiedResUNet(1, (4, 8, 8, 8, 8))(torch.rand(1, 1, 24, 40))


def test_every_parameter_learns():
    network = ModifiedResUNet(2, (4, 8, 8))
    network(torch.rand(2, 2, 16, 16)).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
