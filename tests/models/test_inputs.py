import pytest
import torch

from maskedteeth.models.inputs import network_input, to_grey, to_unit
from maskedteeth.pretext.guidance import sobel_magnitude


def test_all_256_grey_values_survive_the_way_there_and_back():
    grey = torch.arange(256, dtype=torch.uint8).reshape(2, 8, 16)
    unit = to_unit(grey)
    assert unit.shape == (2, 1, 8, 16) and unit.dtype == torch.float32
    assert unit.min() == 0 and unit.max() == 1
    assert (to_grey(unit) == grey.numpy()).all()


def test_values_between_grey_levels_are_rounded_and_values_outside_are_clipped():
    values = torch.tensor([-1.0, 0.4 / 255, 0.6 / 255, 2.0]).reshape(1, 1, 1, 4)
    assert to_grey(values).tolist() == [[[0, 0, 1, 255]]]


@pytest.mark.parametrize("names", [("xray",), ("sobel",), ("xray", "sobel"), ("sobel", "xray")])
def test_channels_stand_in_the_order_named(names):
    xray = torch.rand(2, 1, 8, 8)
    channels = {"xray": xray, "sobel": sobel_magnitude(xray)}
    stacked = network_input(names, xray)
    assert torch.equal(stacked, torch.cat([channels[name] for name in names], 1))


def test_masking_hides_the_radiograph_but_not_its_edges():
    xray = torch.rand(2, 1, 8, 8)
    stacked = network_input(("xray", "sobel"), xray, torch.zeros_like(xray))
    assert not stacked[:, :1].any()
    assert torch.equal(stacked[:, 1:], sobel_magnitude(xray))
