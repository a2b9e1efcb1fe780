"""Errors in annotations are what the settings say, on teeth with and without numbers."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from maskedteeth.data.annotations import with_errors
from maskedteeth.data.phantom import draw
from maskedteeth.settings.config import Annotations

COUNT, HEIGHT, GAP = 12, 192, 3
IDS = [str(number) for number in range(COUNT)]


@pytest.fixture(scope="module")
def numbered():
    """Labels of phantoms whose teeth are apart, uint8 (N, H, W)."""
    labels = np.zeros((COUNT, HEIGHT, 2 * HEIGHT), np.uint8)
    for picture, seed in zip(labels, range(COUNT), strict=True):
        for tooth in draw(seed, 1, HEIGHT).teeth:
            own = cv2.fillPoly(np.zeros_like(picture), [tooth.outline], 1)
            around = cv2.dilate(own, np.ones((2 * GAP + 1,) * 2, np.uint8))
            if not picture[around > 0].any():
                picture[own > 0] = tooth.number
    return labels


@pytest.fixture(scope="module", params=["numbered", "without numbers"])
def labels(request, numbered):
    """A tooth without a number is a region of its own."""
    return numbered if request.param == "numbered" else np.where(numbered, np.uint8(99), 0)


def wrong(labels, seed=1, **errors):
    return with_errors(labels, IDS, Annotations(**errors), seed)


def regions(picture):
    return ndimage.label(picture > 0, np.ones((3, 3)))


def teeth(labels):
    """Yield each tooth of each radiograph: its radiograph, and its pixels as bool (H, W)."""
    for number, picture in enumerate(labels):
        found, count = regions(picture)
        assert count > 5
        yield from ((number, found == part) for part in range(1, count + 1))


def test_missing_teeth_are_gone_as_a_whole_and_are_as_many_as_the_share_says(labels):
    found = wrong(labels, drop=0.3)
    kept = [found[number][tooth] for number, tooth in teeth(labels)]
    assert all((tooth == tooth[0]).all() for tooth in kept)
    assert np.mean([tooth[0] == 0 for tooth in kept]) == pytest.approx(0.3, abs=0.1)
    assert not found[labels == 0].any()
    assert not wrong(labels, drop=1).any()


def test_moved_teeth_keep_their_shape_and_lie_the_distance_away(labels):
    for number, tooth in list(teeth(labels))[::7]:
        alone = np.where(tooth, labels[number], 0)[None]
        moved = with_errors(alone, [IDS[number]], Annotations(shift=5), 1)[0]
        assert np.count_nonzero(moved) == pytest.approx(tooth.sum(), rel=0.02)  # at the border
        before, after = (np.argwhere(mask).mean(axis=0) for mask in (tooth, moved))
        assert np.linalg.norm(after - before) == pytest.approx(5, abs=0.8)


@pytest.mark.parametrize("pixels", [2, -2])
def test_grown_teeth_end_the_pixels_outside_and_shrunken_ones_inside(labels, pixels):
    found = wrong(labels, grow=pixels) > 0
    for picture, right in zip(found, labels > 0, strict=True):
        far = ndimage.distance_transform_edt(~right if pixels > 0 else right)
        assert picture[far > 3].all() if pixels < 0 else not picture[far > 3].any()
        ring = (far > 0) & (far <= 1)
        assert picture[ring].mean() > 0.95 if pixels > 0 else not picture[ring].any()


def test_coarse_outlines_have_few_corners_and_stay_within_the_pixels(labels):
    found, corners = wrong(labels, coarse=3), []
    for picture, right in zip(found > 0, labels > 0, strict=True):
        outside, inside = (ndimage.distance_transform_edt(mask) for mask in (~right, right))
        differ = picture != right
        assert differ.any() and np.maximum(outside, inside)[differ].max() <= 5
        outlines, _ = cv2.findContours(picture.astype(np.uint8), 0, cv2.CHAIN_APPROX_NONE)
        corners += [len(cv2.approxPolyDP(outline, 1, True)) for outline in outlines]
    assert np.mean(corners) < 8


def test_a_coarse_ring_of_teeth_that_touch_stays_a_ring():
    ring = np.zeros((1, 120, 240), np.uint8)
    cv2.ellipse(ring[0], (120, 60), (100, 45), 0, 0, 360, 99, 12)
    inside = np.zeros_like(ring)
    cv2.ellipse(inside[0], (120, 60), (85, 30), 0, 0, 360, 1, cv2.FILLED)
    found = with_errors(ring, ["1"], Annotations(coarse=3), 1)
    assert (found != ring).any() and not found[inside > 0].any()
    assert np.count_nonzero(found) == pytest.approx(np.count_nonzero(ring), rel=0.1)


def test_exchanged_numbers_are_of_neighbours_in_one_arch_and_nothing_else_changes(numbered):
    found = wrong(numbered, swap=0.4)
    assert ((found > 0) == (numbered > 0)).all()
    changed, count = 0, 0
    for before, after in zip(numbered, found, strict=True):
        present = np.unique(before)[1:].tolist()
        new = {number: int(after[before == number][0]) for number in present}
        assert sorted(new.values()) == present
        for number, other in new.items():
            between = set(range(min(number, other) + 1, max(number, other)))
            assert new[other] == number and not between & set(present)
            assert (number <= 16) == (other <= 16)
        changed += sum(number != other for number, other in new.items())
        count += len(new)
    assert changed / count == pytest.approx(0.4, abs=0.12)
    every = wrong(numbered, swap=1)
    assert (every != numbered)[numbered > 0].mean() > 0.85  # but the last of an odd number


def test_teeth_without_numbers_are_exchanged_with_nobody(numbered):
    alone = np.where(numbered, np.uint8(99), 0)
    assert (wrong(alone, swap=1) == alone).all()


def test_errors_depend_on_radiograph_and_seed_alone_and_more_are_of_the_same_kind(labels):
    found = wrong(labels, drop=0.2, shift=2)
    subset = with_errors(labels[3:5], IDS[3:5], Annotations(drop=0.2, shift=2), 1)
    assert (subset == found[3:5]).all()
    assert (wrong(labels, seed=2, drop=0.2, shift=2) != found).any()
    missing, more = (wrong(labels, drop=share) == 0 for share in (0.2, 0.5))
    assert (missing <= more).all() and (missing != more).any()
