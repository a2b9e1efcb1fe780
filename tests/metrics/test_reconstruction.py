import numpy as np
import pytest
import torch
from skimage import data
from skimage.metrics import structural_similarity

from maskedteeth.metrics.reconstruction import compare
from maskedteeth.torchvision_shim import import_torchvision

import_torchvision()
from piqa.fsim import FSIM  # noqa: E402 (imports torchvision)


@pytest.fixture(scope="module")
def pair(radiograph):
    xray = np.stack([radiograph(seed, 96, 192)[0] for seed in range(3)]).astype(np.float32) / 255
    noise = np.random.default_rng(0).normal(0, 1, xray.shape) * [[[0.02]], [[0.1]], [[0.3]]]
    return np.clip(xray + noise, 0, 1).astype(np.float32), xray


def tensors(pair):
    return (torch.from_numpy(array)[:, None] for array in pair)


def degenerate(name):
    """Pairs (1, 96, 192) at the ends of what a network can give."""
    black, white = np.zeros((2, 1, 96, 192), np.float32) + [[[[0]]], [[[1]]]]
    noise = np.random.default_rng(0).random((1, 96, 192))
    steps = np.tile(np.arange(192) % 2, (1, 96, 1))
    pairs = {
        "black for white": (black, white),
        "grey for noise": (black + 0.5, noise),
        "noise for black": (noise, black),
        "noise for other noise": (noise, noise[:, ::-1]),
        "inverted": (1 - steps, steps),
    }
    return tuple(np.ascontiguousarray(array, np.float32) for array in pairs[name])


DEGENERATE = pytest.mark.parametrize(
    "name",
    ["black for white", "grey for noise", "noise for black", "noise for other noise", "inverted"],
)


def test_ssim_is_scikit_images_with_the_same_window(pair):
    """An 11 x 11 Gaussian window of sigma 1.5, without its border, to 1e-5."""
    found = compare(*tensors(pair), None)["ssim"]
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    for value, generated, xray in zip(found, *pair, strict=True):
        expected = structural_similarity(generated, xray, data_range=1.0, **options)
        assert value == pytest.approx(expected, abs=1e-5)


@DEGENERATE
def test_ssim_and_l1_of_degenerate_pairs_are_those_of_scikit_image_and_numpy(name):
    generated, xray = degenerate(name)
    found = compare(*tensors((generated, xray)), None)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = structural_similarity(
        generated[0].astype(float), xray[0].astype(float), data_range=1.0, **options
    )
    assert found["ssim"][0] == pytest.approx(expected, abs=1e-5)
    assert found["l1"][0] == pytest.approx(np.abs(generated - xray).mean(), abs=1e-6)


def by_piqa(generated, xray):
    """FSIM by PIQA, another implementation of the paper than PIQ, which we use."""
    colours = (t.expand(-1, 3, -1, -1) for t in tensors((generated, xray)))
    return FSIM(chromatic=False, reduction="none")(*colours).numpy()


def test_fsim_is_piqas(pair):
    found = compare(*tensors(pair), None)["fsim"]
    np.testing.assert_allclose(found, by_piqa(*pair), atol=1e-4)
    assert max(found) - min(found) > 0.1


def test_fsim_of_a_picture_that_is_scaled_down_first_is_piqas():
    """From 384 pixels on FSIM looks at a smaller copy; radiographs of 256 x 512 stay as they are.

    The photograph is scikit-image's.
    """
    photograph = (data.camera() / 255).astype(np.float32)[None]
    noise = np.random.default_rng(0).normal(0, 0.1, photograph.shape)
    noisy = np.clip(photograph + noise, 0, 1).astype(np.float32)
    found = compare(*tensors((noisy, photograph)), None)["fsim"]
    np.testing.assert_allclose(found, by_piqa(noisy, photograph), atol=1e-4)


def test_fsim_of_noise_for_other_noise_is_piqas():
    pair = degenerate("noise for other noise")
    found = compare(*tensors(pair), None)["fsim"]
    np.testing.assert_allclose(found, by_piqa(*pair), atol=1e-4)


@DEGENERATE
def test_fsim_is_between_0_and_1_even_where_it_says_nothing(name):
    """A flat picture has no phase: the authors divide 0 by 0, PIQ takes its congruency to be 1."""
    (value,) = compare(*tensors(degenerate(name)), None)["fsim"]
    assert 0 <= value < 1


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
