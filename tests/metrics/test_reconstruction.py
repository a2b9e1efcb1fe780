import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from maskedteeth.metrics.reconstruction import compare


@pytest.fixture(scope="module")
def pair(radiograph):
    xray = np.stack([radiograph(seed, 96, 192)[0] for seed in range(3)]).astype(np.float32) / 255
    noise = np.random.default_rng(0).normal(0, 1, xray.shape) * [[[0.02]], [[0.1]], [[0.3]]]
    return np.clip(xray + noise, 0, 1).astype(np.float32), xray


def tensors(pair):
    return (torch.from_numpy(array)[:, None] for array in pair)


def test_ssim_is_scikit_images_with_the_same_window(pair):
    """An 11 x 11 Gaussian window of sigma 1.5, without its border, to 1e-5."""
    found = compare(*tensors(pair), None)["ssim"]
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    for value, generated, xray in zip(found, *pair, strict=True):
        expected = structural_similarity(generated, xray, data_range=1.0, **options)
        assert value == pytest.approx(expected, abs=1e-5)


def test_l1_is_the_mean_absolute_difference(pair):
    found = compare(*tensors(pair), None)["l1"]
    np.testing.assert_allclose(found, np.abs(pair[0] - pair[1]).mean((1, 2)), rtol=1e-5)


def test_a_radiograph_equals_itself(pair):
    values = compare(*tensors((pair[1], pair[1])), None)
    assert values["ssim"] == pytest.approx([1] * 3, abs=1e-6)
    assert values["fsim"] == pytest.approx([1] * 3, abs=1e-6)
    assert values["l1"] == [0] * 3


def test_more_noise_is_worse_by_every_metric(pair):
    values = compare(*tensors(pair), None)
    for key in ("ssim", "fsim"):
        assert 1 > values[key][0] > values[key][1] > values[key][2] > 0
    assert values["l1"] == sorted(values["l1"])


def test_lpips_gets_three_channels_between_minus_1_and_1_and_is_left_out_without_a_network(pair):
    assert set(compare(*tensors(pair), None)) == {"ssim", "fsim", "l1"}
    seen = []

    def network(*images):
        seen.extend(images)
        return torch.arange(3.0).reshape(3, 1, 1, 1)

    assert compare(*tensors(pair), network)["lpips"] == [0, 1, 2]
    for image, original in zip(seen, pair, strict=True):
        assert image.shape == (3, 3, 96, 192)
        for channel in range(3):
            np.testing.assert_allclose(image[:, channel], original * 2 - 1, atol=1e-6)
