import cv2
import numpy as np
import pytest
import torch

from maskedteeth.pretext.guidance import sobel_magnitude


def by_opencv(image):
    gx = cv2.Sobel(image, cv2.CV_64F, 1, 0, ksize=3)
    gy = cv2.Sobel(image, cv2.CV_64F, 0, 1, ksize=3)
    magnitude = np.hypot(gx, gy)
    return magnitude / magnitude.max()


@pytest.mark.parametrize("shape", [(32, 64), (7, 5), (3, 3)])
def test_the_magnitude_is_opencvs_scaled_per_radiograph(shape):
    images = np.random.default_rng(0).uniform(0, 1, (3, *shape)).astype(np.float32)
    images[1] *= 0.1
    found = sobel_magnitude(torch.from_numpy(images)[:, None])
    assert found.shape == (3, 1, *shape) and found.dtype == torch.float32
    for image, magnitude in zip(images, found[:, 0].numpy(), strict=True):
        np.testing.assert_allclose(magnitude, by_opencv(image), atol=1e-5)


def test_it_stays_between_0_and_1_and_reaches_1(radiograph):
    xray = torch.from_numpy(radiograph(1)[0]).float().div(255)[None, None]
    magnitude = sobel_magnitude(xray)
    assert magnitude.min() >= 0 and magnitude.max() == 1


@pytest.mark.parametrize("grey", [0.0, 0.3, 1.0])
def test_a_flat_radiograph_has_no_edges(grey):
    assert not sobel_magnitude(torch.full((2, 1, 8, 8), grey)).any()


def test_radiographs_of_a_batch_do_not_touch_each_other():
    batch = torch.rand(4, 1, 16, 16) * torch.tensor([1.0, 0.1, 0.0, 0.5])[:, None, None, None]
    alone = torch.cat([sobel_magnitude(batch[k : k + 1]) for k in range(4)])
    assert torch.equal(sobel_magnitude(batch), alone)
