"""Candidates for annotation errors are found, ranked as stated, and not invented."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from maskedteeth.report.candidates import (
    CONFIDENCE,
    NOT_ANNOTATED,
    NOT_PREDICTED,
    disk_size,
    rank_candidates,
)

HEIGHT, WIDTH = 256, 512


def teeth(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for left, top, width, height in boxes:
        mask[top : top + height, left : left + width] = 1
    return mask


JAW = [(left, 100, 22, 44) for left in range(60, 440, 30)]


def confident(mask: np.ndarray, certainty: float = 0.97) -> np.ndarray:
    return np.where(mask, 256 * certainty, 256 * (1 - certainty)).astype(np.uint8)


def test_a_tooth_that_was_not_annotated_ranks_first():
    complete = teeth(*JAW)
    annotations = np.stack([complete, teeth(*JAW[:5], *JAW[6:]), complete])
    small_error = confident(complete | teeth((200, 200, 12, 12)))
    predictions = np.stack([small_error, confident(complete), confident(complete)])
    ranked = rank_candidates(["small", "missing", "right"], predictions, annotations)
    assert [candidate.id for candidate in ranked] == ["missing", "small"]
    assert ranked[0].kind == NOT_ANNOTATED
    left, top, width, height = JAW[5]
    assert ranked[0].box == (left, top, width, height)


def test_a_tooth_that_was_not_predicted_is_told_from_one_that_was_not_annotated():
    predictions = confident(teeth(*JAW[1:]))[None]
    (candidate,) = rank_candidates(["a"], predictions, teeth(*JAW)[None])
    assert candidate.kind == NOT_PREDICTED
    assert candidate.box == JAW[0]


@pytest.mark.parametrize("pixels", [-3, -1, 1, 3])
def test_contours_drawn_a_little_apart_are_no_candidates(pixels):
    annotation = teeth(*JAW)
    kernel = np.ones((2 * abs(pixels) + 1,) * 2, np.uint8)
    change = cv2.dilate if pixels > 0 else cv2.erode
    assert (
        rank_candidates(["a"], confident(change(annotation, kernel))[None], annotation[None]) == []
    )


def test_an_unsure_disagreement_is_no_candidate():
    unsure = confident(teeth(*JAW), certainty=0.78)
    assert rank_candidates(["a"], unsure[None], teeth(*JAW[1:])[None]) == []


def test_score_is_the_formula_of_the_docstring():
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.normal(size=(4, HEIGHT, WIDTH)).transpose(1, 2, 0), (0, 0), 12)
    noise = noise.transpose(2, 0, 1) / noise.std()
    predictions = (255 / (1 + np.exp(-4 * noise))).astype(np.uint8)
    annotations = np.stack([teeth(*JAW)] * 4)

    size = disk_size(HEIGHT)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    expected = {}
    for name, prediction, annotation in zip("abcd", predictions, annotations, strict=True):
        p = (prediction + 0.5) / 256
        best = 0.0
        for confidence in (p - annotation, annotation - p):
            # OpenCV lets a region go on beyond the edge; SciPy does not.
            padded = np.pad(confidence >= CONFIDENCE, size, mode="edge")
            opened = ndimage.binary_opening(padded, disk)[size:-size, size:-size]
            regions, number = ndimage.label(opened, np.ones((3, 3)))
            sums = ndimage.sum(confidence, regions, range(1, number + 1))
            best = max([best, *(100 * sums / annotation.size)])
        expected[name] = best
    ranked = rank_candidates(list("abcd"), predictions, annotations)
    assert {c.id: c.score for c in ranked} == pytest.approx(expected, rel=0.01)
    assert [c.score for c in ranked] == sorted((c.score for c in ranked), reverse=True)


def test_radiographs_that_agree_give_no_candidates():
    masks = np.stack([teeth(*JAW)] * 2)
    assert rank_candidates(["a", "b"], confident(masks), masks) == []
