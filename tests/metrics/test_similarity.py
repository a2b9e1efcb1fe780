import warnings

import numpy as np
import pytest
import torch
from skimage import data
from skimage.metrics import structural_similarity

from maskedteeth.metrics.reconstruction import MASKED, Reference
from maskedteeth.torchvision_shim import import_torchvision

import_torchvision()
import lpips  # noqa: E402 (imports torchvision, as the others do)
import piq  # noqa: E402
from piqa import fsim as piqa  # noqa: E402
from piqa.utils.functional import gradient_kernel, scharr_kernel  # noqa: E402

#: scikit-image's options for the window of the SSIM authors.
WINDOW = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def compare(generated, xray, network=None, hidden=None):
    """Metrics of tensors (B, 1, H, W), everything masked unless told."""
    hidden = torch.ones_like(xray, dtype=torch.bool) if hidden is None else hidden
    with torch.inference_mode():
        return Reference(xray, hidden, network).compare(generated)


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
    found = compare(*tensors(pair))["ssim"]
    for value, generated, xray in zip(found, *pair, strict=True):
        expected = structural_similarity(generated, xray, data_range=1.0, **WINDOW)
        assert value == pytest.approx(expected, abs=1e-5)


@DEGENERATE
def test_ssim_and_l1_of_degenerate_pairs_are_those_of_scikit_image_and_numpy(name):
    generated, xray = degenerate(name)
    found = compare(*tensors((generated, xray)))
    expected = structural_similarity(
        generated[0].astype(float), xray[0].astype(float), data_range=1.0, **WINDOW
    )
    assert found["ssim"][0] == pytest.approx(expected, abs=1e-5)
    assert found["l1"][0] == pytest.approx(np.abs(generated - xray).mean(), abs=1e-6)


def by_piqa(generated, xray):
    """FSIM by PIQA, another implementation of the paper than PIQ, which we use."""
    colours = (t.expand(-1, 3, -1, -1) for t in tensors((generated, xray)))
    return piqa.FSIM(chromatic=False, reduction="none")(*colours).numpy()


def test_fsim_is_piqas(pair):
    found = compare(*tensors(pair))["fsim"]
    np.testing.assert_allclose(found, by_piqa(*pair), atol=1e-4)
    assert max(found) - min(found) > 0.1


def test_fsim_of_a_picture_that_is_scaled_down_first_is_piqas():
    """From 384 pixels on FSIM looks at a smaller copy; radiographs of 256 x 512 stay as they are.

    The photograph is scikit-image's.
    """
    photograph = (data.camera() / 255).astype(np.float32)[None]
    noise = np.random.default_rng(0).normal(0, 0.1, photograph.shape)
    noisy = np.clip(photograph + noise, 0, 1).astype(np.float32)
    found = compare(*tensors((noisy, photograph)))["fsim"]
    np.testing.assert_allclose(found, by_piqa(noisy, photograph), atol=1e-4)


def test_fsim_of_noise_for_other_noise_is_piqas():
    pair = degenerate("noise for other noise")
    found = compare(*tensors(pair))["fsim"]
    np.testing.assert_allclose(found, by_piqa(*pair), atol=1e-4)


@DEGENERATE
def test_fsim_is_between_0_and_1_even_where_it_says_nothing(name):
    """A flat picture has no phase: the authors divide 0 by 0, PIQ takes its congruency to be 1."""
    (value,) = compare(*tensors(degenerate(name)))["fsim"]
    assert 0 <= value < 1


def test_l1_is_the_mean_absolute_difference(pair):
    found = compare(*tensors(pair))["l1"]
    np.testing.assert_allclose(found, np.abs(pair[0] - pair[1]).mean((1, 2)), rtol=1e-5)


def test_a_radiograph_equals_itself(pair):
    values = compare(*tensors((pair[1], pair[1])))
    assert values["ssim"] == pytest.approx([1] * 3, abs=1e-6)
    assert values["fsim"] == pytest.approx([1] * 3, abs=1e-6)
    assert values["l1"] == [0] * 3


def test_more_noise_is_worse_by_every_metric(pair):
    values = compare(*tensors(pair))
    for key in ("ssim", "fsim"):
        assert 1 > values[key][0] > values[key][1] > values[key][2] > 0
    assert values["l1"] == sorted(values["l1"])


@pytest.mark.parametrize("size", [(96, 192), (383, 400), (400, 640)])
def test_ssim_and_fsim_are_piqs(size):
    """Also where both look at a smaller copy: from 384 pixels on."""
    xray, generated = torch.rand(2, 2, 1, *size, generator=torch.Generator().manual_seed(1))
    found = compare(generated, xray)
    ssim = piq.ssim(generated, xray, data_range=1.0, reduction="none")
    fsim = piq.fsim(generated, xray, data_range=1.0, reduction="none", chromatic=False)
    np.testing.assert_allclose(found["ssim"], ssim, atol=1e-6)
    np.testing.assert_allclose(found["fsim"], fsim, atol=1e-6)


# --- LPIPS ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def network():
    """LPIPS with a random backbone: what is added up, not whether it is AlexNet's."""
    torch.manual_seed(0)
    with warnings.catch_warnings(action="ignore"):
        return lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()


def test_lpips_is_its_authors_on_three_channels_between_minus_1_and_1(pair, network):
    colours = [image.repeat(1, 3, 1, 1) * 2 - 1 for image in tensors(pair)]
    with torch.inference_mode():
        expected = network(*colours).flatten()
    found = compare(*tensors(pair), network)["lpips"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert max(found) > 2 * min(found) > 0


def test_lpips_is_left_out_without_a_network(pair):
    assert set(compare(*tensors(pair))) == {"ssim", "fsim", "l1", *MASKED} - {"lpips_masked"}


# --- The masked pixels alone ---------------------------------------------------------------------


@pytest.fixture(scope="module", params=["blocks", "scattered", "a corner"])
def hidden(request):
    masks = np.zeros((3, 96, 192), bool)
    if request.param == "blocks":
        masks[:, 20:60, 30:100] = masks[1:, 50:90, 80:180] = True
    elif request.param == "scattered":
        masks = np.random.default_rng(2).random(masks.shape) < 0.3
    else:
        masks[:, :7, 183:] = True  # mostly where SSIM's window does not fit
    return masks


def over_masked(values, masks):
    return [value[mask].mean() for value, mask in zip(values, masks, strict=True)]


def test_ssim_of_the_masked_is_the_mean_of_scikit_images_map_there(pair, hidden):
    found = compare(*tensors(pair), hidden=torch.from_numpy(hidden)[:, None])["ssim_masked"]
    maps = [
        structural_similarity(*two, data_range=1.0, full=True, **WINDOW)[1]
        for two in zip(*pair, strict=True)
    ]
    inside = (slice(None), slice(5, -5), slice(5, -5))
    expected = over_masked(np.stack(maps)[inside], hidden[inside])
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_l1_of_the_masked_is_numpys(pair, hidden):
    found = compare(*tensors(pair), hidden=torch.from_numpy(hidden)[:, None])["l1_masked"]
    expected = over_masked(np.abs(pair[0].astype(float) - pair[1]), hidden)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_fsim_of_the_masked_is_piqas_with_the_weights_of_visible_pixels_set_to_0(pair, hidden):
    generated, xray = tensors(pair)
    masks = torch.from_numpy(hidden)
    filters = piqa.pc_filters(xray)
    phases = [piqa.phase_congruency(image, filters) * masks for image in (generated, xray)]
    kernel = gradient_kernel(scharr_kernel())
    expected = piqa.fsim(generated, xray, *phases, kernel)
    found = compare(generated, xray, hidden=masks[:, None])["fsim_masked"]
    # A corner's weights are small numbers, and PIQ and PIQA add different ones to avoid 0 / 0.
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_lpips_of_the_masked_is_the_mean_of_its_authors_map_there(pair, hidden, network):
    generated, xray = tensors(pair)
    masks = torch.from_numpy(hidden)[:, None]
    found = compare(generated, xray, network, masks)["lpips_masked"]
    network.spatial = True
    try:
        with torch.inference_mode():
            maps = network(*(t.repeat(1, 3, 1, 1) * 2 - 1 for t in (generated, xray)))
    finally:
        network.spatial = False
    assert maps.shape == (3, 1, 96, 192)
    np.testing.assert_allclose(found, over_masked(maps.numpy(), masks.numpy()), rtol=1e-4)


def test_where_everything_is_masked_nothing_changes(pair):
    found = compare(*tensors(pair))
    for name in ("ssim", "fsim", "l1"):
        assert found[f"{name}_masked"] == pytest.approx(found[name], abs=1e-6)


def test_where_nothing_is_masked_there_is_no_value(pair, network):
    generated, xray = tensors(pair)
    some = torch.zeros_like(xray, dtype=torch.bool)
    some[1:, :, 30:50, 30:50] = True
    found = compare(generated, xray, network, some)
    for name in MASKED:
        assert np.isnan(found[name]).tolist() == [True, False, False]
    assert not np.isnan(found["ssim"]).any()


def test_pixels_of_the_border_alone_have_no_ssim(pair):
    generated, xray = tensors(pair)
    border = torch.ones_like(xray, dtype=torch.bool)
    border[..., 5:-5, 5:-5] = False
    found = compare(generated, xray, hidden=border)
    assert np.isnan(found["ssim_masked"]).all()
    assert not np.isnan(found["l1_masked"]).any()
    assert not np.isnan(found["fsim_masked"]).any()


def test_in_a_smaller_copy_a_pixel_counts_as_much_as_it_is_masked():
    generator = torch.Generator().manual_seed(0)
    xray, generated = torch.rand(2, 1, 1, 400, 480, generator=generator)
    rows = torch.arange(400)[:, None].expand(400, 480)
    small = [torch.nn.functional.avg_pool2d(image, 2) for image in (generated, xray)]
    quarter = compare(*small, hidden=(rows[:200, :240] < 51)[None, None])
    less = compare(*small, hidden=(rows[:200, :240] < 50)[None, None])
    between = compare(generated, xray, hidden=(rows < 101)[None, None])
    # Row 50 of the copy is half masked, and so weighs half: 5 rows have no window above them.
    expected = (quarter["ssim_masked"][0] * 46 + less["ssim_masked"][0] * 45) / 91
    assert between["ssim_masked"][0] == pytest.approx(expected, abs=1e-6)


def test_visible_pixels_far_away_do_not_count(pair):
    generated, xray = tensors(pair)
    hidden = torch.zeros_like(xray, dtype=torch.bool)
    hidden[..., 20:60, 20:60] = True
    other = generated.clone()
    other[..., 100:] = 0.5
    here, there = (compare(image, xray, hidden=hidden) for image in (generated, other))
    for name in ("ssim_masked", "l1_masked"):
        assert there[name] == here[name]
    assert there["ssim"] != here["ssim"]
