import warnings

import numpy as np
import pytest
import torch
from skimage import data
from skimage.metrics import structural_similarity

from maskedteeth.metrics.similarity import MASKED, METRICS, Reference
from maskedteeth.torchvision_shim import import_torchvision

import_torchvision()
import lpips  # noqa: E402 (imports torchvision, as the others do)
import piq  # noqa: E402
from piqa import fsim as piqa  # noqa: E402
from piqa.utils.functional import gradient_kernel, scharr_kernel  # noqa: E402

#: scikit-image's options for the window of the SSIM authors.
WINDOW = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def compare(generated, xray, network=None, hidden=None):
    """Metrics of arrays (B, H, W) or tensors (B, 1, H, W), everything masked unless told."""
    generated, xray, hidden = (
        torch.from_numpy(a)[:, None] if isinstance(a, np.ndarray) else a
        for a in (generated, xray, hidden)
    )
    hidden = torch.ones_like(xray, dtype=torch.bool) if hidden is None else hidden
    with torch.inference_mode():
        return Reference(xray, hidden, network).measure(generated)


@pytest.fixture(scope="module")
def pair(radiograph):
    """Three radiographs with little, more and much noise, and without it."""
    xray = np.stack([radiograph(seed, 96, 192)[0] for seed in range(3)]).astype(np.float32) / 255
    noise = np.random.default_rng(0).normal(0, 1, xray.shape) * [[[0.02]], [[0.1]], [[0.3]]]
    return np.clip(xray + noise, 0, 1).astype(np.float32), xray


def test_ssim_is_scikit_images_and_l1_is_numpys(pair):
    generated, xray = pair
    found = compare(generated, xray)
    exact = list(zip(generated.astype(float), xray.astype(float), strict=True))
    expected = [structural_similarity(*two, data_range=1.0, **WINDOW) for two in exact]
    np.testing.assert_allclose(found["ssim"], expected, atol=1e-5)
    np.testing.assert_allclose(found["l1"], [abs(a - b).mean() for a, b in exact], atol=1e-6)


def test_fsim_is_piqas_another_implementation_than_the_one_in_use(pair):
    """The photograph is scikit-image's: from 384 pixels on FSIM looks at a smaller copy."""
    photograph = (data.camera() / 255).astype(np.float32)[None]
    noise = np.random.default_rng(0).normal(0, 0.1, photograph.shape)
    noisy = np.clip(photograph + noise, 0, 1).astype(np.float32)
    for generated, xray in (pair, (noisy, photograph)):
        colours = (torch.from_numpy(a)[:, None].expand(-1, 3, -1, -1) for a in (generated, xray))
        expected = piqa.FSIM(chromatic=False, reduction="none")(*colours)
        np.testing.assert_allclose(compare(generated, xray)["fsim"], expected, atol=1e-4)


@pytest.mark.parametrize("size", [(383, 400), (400, 640)])
def test_ssim_and_fsim_are_piqs_where_both_look_at_a_smaller_copy_too(size):
    xray, generated = torch.rand(2, 2, 1, *size, generator=torch.Generator().manual_seed(1))
    found = compare(generated, xray)
    ssim = piq.ssim(generated, xray, data_range=1.0, reduction="none")
    fsim = piq.fsim(generated, xray, data_range=1.0, reduction="none", chromatic=False)
    np.testing.assert_allclose(found["ssim"], ssim, atol=1e-6)
    np.testing.assert_allclose(found["fsim"], fsim, atol=1e-6)


@pytest.fixture(scope="module")
def network():
    """LPIPS with a random backbone: what is added up, not whether it is AlexNet's."""
    torch.manual_seed(0)
    with warnings.catch_warnings(action="ignore"):
        return lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()


def by_the_authors(network, pair):
    colours = (torch.from_numpy(a)[:, None].repeat(1, 3, 1, 1) * 2 - 1 for a in pair)
    with torch.inference_mode():
        return network(*colours)


def test_lpips_is_its_authors_on_three_channels_between_minus_1_and_1(pair, network):
    found = compare(*pair, network)["lpips"]
    np.testing.assert_allclose(found, by_the_authors(network, pair).flatten(), rtol=1e-5)
    assert max(found) > 2 * min(found) > 0


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


def test_ssim_l1_and_lpips_of_the_masked_are_means_of_their_authors_maps_there(
    pair, hidden, network
):
    found = compare(*pair, network, hidden)
    maps = [
        structural_similarity(*two, data_range=1.0, full=True, **WINDOW)[1]
        for two in zip(*pair, strict=True)
    ]
    inside = (slice(None), slice(5, -5), slice(5, -5))
    ssim = over_masked(np.stack(maps)[inside], hidden[inside])
    np.testing.assert_allclose(found["ssim_masked"], ssim, atol=2e-5)
    l1 = over_masked(np.abs(pair[0].astype(float) - pair[1]), hidden)
    np.testing.assert_allclose(found["l1_masked"], l1, rtol=1e-5)
    network.spatial = True
    try:
        maps = by_the_authors(network, pair)[:, 0].numpy()
    finally:
        network.spatial = False
    np.testing.assert_allclose(found["lpips_masked"], over_masked(maps, hidden), rtol=1e-4)


def test_fsim_of_the_masked_is_piqas_with_the_weights_of_visible_pixels_set_to_0(pair, hidden):
    generated, xray = (torch.from_numpy(a)[:, None] for a in pair)
    filters = piqa.pc_filters(xray)
    masks = torch.from_numpy(hidden)
    phases = [piqa.phase_congruency(image, filters) * masks for image in (generated, xray)]
    expected = piqa.fsim(generated, xray, *phases, gradient_kernel(scharr_kernel()))
    found = compare(generated, xray, hidden=masks[:, None])["fsim_masked"]
    # A corner's weights are small numbers, and PIQ and PIQA add different ones to avoid 0 / 0.
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_where_everything_is_masked_nothing_changes_and_where_nothing_is_there_is_no_value(
    pair, network
):
    some = np.ones(pair[0].shape, bool)
    some[0] = False
    found = compare(*pair, network, some)
    for name in ("ssim", "fsim", "l1"):
        assert found[f"{name}_masked"][1:] == pytest.approx(found[name][1:], abs=1e-6)
    for name in METRICS:
        assert np.isnan(found[f"{name}_masked"]).tolist() == [True, False, False]
        assert np.isfinite(found[name]).all()


def test_pixels_of_the_border_alone_have_no_ssim_and_without_its_network_there_is_no_lpips(pair):
    border = np.ones(pair[0].shape, bool)
    border[:, 5:-5, 5:-5] = False
    found = compare(*pair, hidden=border)
    missing = {name for name in (*METRICS, *MASKED) if np.isnan(found[name]).all()}
    assert missing == {"ssim_masked", "lpips", "lpips_masked"}


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
