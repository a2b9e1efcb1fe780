import cv2
import numpy as np
import pytest
import torch

from maskedteeth.models.inputs import to_unit
from maskedteeth.pretext.fillers import RADIUS, fill
from maskedteeth.pretext.masking import draw_masks
from maskedteeth.settings.config import Mask


@pytest.fixture(scope="module")
def xray(radiograph):
    return to_unit(torch.from_numpy(np.stack([radiograph(seed)[0] for seed in range(3)])))


@pytest.fixture(scope="module")
def hidden():
    return draw_masks(Mask(), 3, 64, 128, torch.Generator().manual_seed(0))


def test_visible_pixels_stay_as_they_are_and_masked_ones_get_the_mean_of_the_visible(xray, hidden):
    filled = fill(torch.where(hidden, 0.0, xray), hidden)
    assert list(filled) == ["inpainting", "image_mean", "unfilled"]
    for image in filled.values():
        assert image.dtype == torch.float32 and image.shape == xray.shape
        assert torch.equal(image[~hidden], xray[~hidden])
        assert 0 <= image.min() <= image.max() <= 1
    for image, mask, original in zip(filled["image_mean"], hidden, xray, strict=True):
        expected = original[~mask].numpy().astype(float).mean()
        np.testing.assert_allclose(image[mask], expected, rtol=1e-5)


def test_no_filler_depends_on_what_is_masked():
    """OpenCV alone does: where a mask reaches the edge, it reads pixels that it should fill."""
    generator = torch.Generator().manual_seed(0)
    xray = torch.randint(256, (40, 1, 64, 128), generator=generator) / 255
    hidden = draw_masks(Mask(), 40, 64, 128, generator)
    black, white = (torch.where(hidden, float(grey), xray) for grey in (0, 1))
    filled = [fill(visible, hidden) for visible in (black, white, xray)]
    for name in ("inpainting", "image_mean"):
        assert torch.equal(filled[0][name], filled[1][name])
        assert torch.equal(filled[0][name], filled[2][name])
    assert torch.equal(filled[0]["unfilled"], black)


def test_inpainting_continues_what_surrounds_a_mask():
    """Bright left, dark right: the seam runs on behind the mask."""
    xray = torch.full((1, 1, 64, 128), 51 / 255)
    xray[..., :64] = 204 / 255
    hidden = torch.zeros_like(xray, dtype=torch.bool)
    hidden[..., 20:40, 44:84] = True
    filled = fill(torch.where(hidden, 0.0, xray), hidden)["inpainting"]
    pixels, mask = (part.mul(255).byte().numpy()[0, 0] for part in (xray, hidden))
    expected = cv2.inpaint(pixels, mask, RADIUS, cv2.INPAINT_NS)
    np.testing.assert_allclose(filled[0, 0], expected / 255, rtol=1e-6)
    assert (filled[..., 30, 44:50] - 204 / 255).abs().max() < 0.02
    assert (filled[..., 30, 78:84] - 51 / 255).abs().max() < 0.02
    assert (filled - xray).abs().mean() < 0.02


def test_where_nothing_or_everything_is_masked_nothing_is_filled(xray):
    nothing = torch.zeros_like(xray, dtype=torch.bool)
    for hidden in (nothing, ~nothing):
        visible = torch.where(hidden, 0.3, xray)
        assert all(torch.equal(image, visible) for image in fill(visible, hidden).values())
