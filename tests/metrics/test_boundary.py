"""Boundary metrics agree with MONAI and with brute force, and no miss improves a mean."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from skimage.segmentation import find_boundaries

from maskedteeth.metrics.boundary import METRICS, boundary_scores

SHAPE = (9, 14)
MASKS = arrays(bool, SHAPE, elements=st.booleans(), fill=st.booleans())
TOLERANCES = st.sampled_from([0.0, 1.0, math.sqrt(2), 2.0, math.sqrt(5), 3.5])


def of_one(prediction, truth, tolerance):
    values = boundary_scores(prediction[None], truth[None], tolerance)
    return tuple(float(values[name][0]) for name in METRICS)


def by_brute_force(prediction, truth, tolerance):
    """All distances between all pixels of the outlines that scikit-image finds."""
    points = []
    for mask in (prediction, truth):
        padded = find_boundaries(np.pad(mask, 1), connectivity=1, mode="inner")
        points.append(np.argwhere(padded[1:-1, 1:-1]))
    distances = cdist(*points)
    there, back = distances.min(1), distances.min(0)
    near = np.concatenate([there, back]) <= tolerance + 1e-9
    return near.mean(), max(np.percentile(there, 95), np.percentile(back, 95))


@given(MASKS, MASKS, TOLERANCES)
def test_random_masks_score_as_by_brute_force_whichever_is_the_truth(one, other, tolerance):
    if one.any() and other.any():
        expected = by_brute_force(one, other, tolerance)
        assert of_one(one, other, tolerance) == pytest.approx(expected, abs=1e-5)
    assert of_one(one, other, tolerance) == of_one(other, one, tolerance)


@given(MASKS, MASKS, TOLERANCES)
def test_a_missed_prediction_is_never_better_than_any_other(prediction, truth, tolerance):
    if truth.any():
        nsd, hd95 = of_one(prediction, truth, tolerance)
        missed_nsd, missed_hd95 = of_one(np.zeros(SHAPE, bool), truth, tolerance)
        assert missed_nsd <= nsd <= 1 and 0 <= hd95 <= missed_hd95
        assert of_one(truth, truth, tolerance) == (1, 0)


@pytest.mark.parametrize(
    ("prediction", "truth", "nsd", "hd95"),
    [(0, 0, 1, 0), (1, 0, 0, math.hypot(*SHAPE)), (0, 1, 0, math.hypot(*SHAPE)), (1, 1, 1, 0)],
    ids=["both-empty", "truth-empty", "prediction-empty", "both-full"],
)
def test_empty_and_full_masks_have_stated_values(prediction, truth, nsd, hd95):
    masks = (np.full(SHAPE, value, bool) for value in (prediction, truth))
    assert of_one(*masks, 2) == (nsd, hd95)


def shapes(seed, shape=(96, 192)):
    """Overlapping rectangles, and the same ones moved and cut off by the edge."""
    generator = np.random.default_rng(seed)
    masks = np.zeros((2, *shape), bool)
    for _ in range(8):
        y, x = (int(generator.integers(side)) for side in shape)
        for mask in masks:
            dy, dx, h, w = generator.integers([-3, -3, 8, 5], [4, 4, 30, 16])
            mask[max(y + dy, 0) : y + dy + h, max(x + dx, 0) : x + dx + w] = True
    return masks


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy")
def test_shapes_score_as_by_monai():
    from monai import metrics as monai  # takes seconds

    masks = np.stack([shapes(seed) for seed in range(6)])
    found = boundary_scores(masks[:, 0], masks[:, 1], 2.0)
    prediction, truth = (torch.from_numpy(masks[:, n, None]).float() for n in (0, 1))
    options = {"include_background": True}
    nsd = monai.compute_surface_dice(prediction, truth, [2.0], **options)
    hd95 = monai.compute_hausdorff_distance(prediction, truth, percentile=95, **options)
    np.testing.assert_allclose(found["nsd"], nsd.numpy().ravel(), atol=1e-6)
    np.testing.assert_allclose(found["hd95"], hd95.numpy().ravel(), atol=1e-4)
    assert 0 < found["nsd"].min() < found["nsd"].max() < 1


def test_a_square_that_moves_or_grows_is_off_by_as_many_pixels():
    truth, moved, grown = np.zeros((3, 1, 40, 80), np.uint8)
    truth[:, 10:20, 10:20] = moved[:, 10:20, 40:50] = grown[:, 8:22, 8:22] = 1
    assert boundary_scores(moved, truth, 2)["hd95"] == pytest.approx(30)
    assert boundary_scores(grown, truth, 3)["nsd"] == 1  # the corners are sqrt(8) away
    assert 0 < boundary_scores(grown, truth, 2)["nsd"] < 1
    assert boundary_scores(grown, truth, 1)["nsd"] == 0
