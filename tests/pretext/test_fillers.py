import numpy as np
import pytest
import torch

from maskedteeth.models.inputs import to_unit
from maskedteeth.pretext.fillers import fill
from maskedteeth.pretext.masking import draw_masks, hide
from maskedteeth.settings.config import Blocks

NAMES = ["inpainting", "image_mean", "unfilled"]


@pytest.fixture(scope="module")
def xray(radiograph):
    return to_unit(torch.from_numpy(np.stack([radiograph(seed)[0] for seed in range(3)])))


@pytest.fixture(scope="module")
def hidden():
    return draw_masks(Blocks(), 3, 64, 128, torch.Generator().manual_seed(0))


def test_visible_pixels_stay_as_they_are(xray, hidden):
    filled = fill(hide(xray, hidden, Blocks()), hidden)
    assert list(filled) == NAMES
    for image in filled.values():
        assert image.dtype == torch.float32 and image.shape == xray.shape
        assert torch.equal(image[~hidden], xray[~hidden])
        assert 0 <= image.min() <= image.max() <= 1


def test_no_filler_depends_on_what_is_masked():
    """OpenCV alone does: where a mask reaches the edge, it reads pixels that it should fill."""
    generator = torch.Generator().manual_seed(0)
    xray = torch.randint(256, (40, 1, 64, 128), generator=generator) / 255
    hidden = draw_masks(Blocks(), 40, 64, 128, generator)
    black, white = (hide(xray, hidden, Blocks(fill=grey)) for grey in (0, 1))
    filled = [fill(visible, hidden) for visible in (black, white, xray)]
    for name in ("inpainting", "image_mean"):
        assert torch.equal(filled[0][name], filled[1][name])
        assert torch.equal(filled[0][name], filled[2][name])
    assert torch.equal(filled[0]["unfilled"], black)


def test_the_image_mean_is_that_of_a_radiographs_visible_pixels(xray, hidden):
    filled = fill(hide(xray, hidden, Blocks()), hidden)["image_mean"]
    for image, mask, original in zip(filled, hidden, xray, strict=True):
        expected = original[~mask].numpy().astype(float).mean()
        np.testing.assert_allclose(image[mask], expected, rtol=1e-5)


def test_inpainting_continues_what_surrounds_a_mask():
    """Bright left, dark right: the seam runs on behind the mask."""
    xray = torch.full((1, 1, 64, 128), 51 / 255)
    xray[..., :64] = 204 / 255
    hidden = torch.zeros_like(xray, dtype=torch.bool)
    hidden[..., 20:40, 44:84] = True
    filled = fill(hide(xray, hidden, Blocks()), hidden)["inpainting"]
    assert (filled[..., 30, 44:50] - 204 / 255).abs().max() < 0.02
    assert (filled[..., 30, 78:84] - 51 / 255).abs().max() < 0.02
    assert (filled - xray).abs().mean() < 0.02


@pytest.mark.parametrize("side", ["top", "bottom", "left", "right", "corner", "middle"])
def test_inpainting_fills_a_flat_radiograph_flat_at_every_edge(side):
    rows = {"top": slice(20), "bottom": slice(44, None), "corner": slice(20)}
    columns = {"left": slice(40), "right": slice(88, None), "corner": slice(40)}
    xray = torch.full((1, 1, 64, 128), 128 / 255)
    hidden = torch.zeros_like(xray, dtype=torch.bool)
    hidden[..., rows.get(side, slice(10, 50)), columns.get(side, slice(30, 90))] = True
    assert torch.equal(fill(hide(xray, hidden, Blocks()), hidden)["inpainting"], xray)


def test_radiographs_are_filled_one_by_one(xray, hidden):
    visible = hide(xray, hidden, Blocks())
    together = fill(visible, hidden)
    alone = fill(visible[1:2], hidden[1:2])
    for name in NAMES:
        torch.testing.assert_close(together[name][1:2], alone[name])


def test_where_nothing_is_masked_nothing_is_filled(xray):
    for image in fill(xray, torch.zeros_like(xray, dtype=torch.bool)).values():
        assert torch.equal(image, xray)


def test_where_everything_is_masked_nothing_is_known(xray):
    everything = torch.ones_like(xray, dtype=torch.bool)
    for image in fill(hide(xray, everything, Blocks(fill=0.2)), everything).values():
        assert (image == 0.2).all()
