"""Candidates for annotation errors are found, ranked as stated, and not invented."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from maskedteeth.report.figures.candidates import (
    CONFIDENCE,
    NOT_ANNOTATED,
    NOT_PREDICTED,
    disk_size,
    rank,
)

JAW = [(left, 100, 22, 44) for left in range(60, 440, 30)]


def teeth(*boxes):
    mask = np.zeros((256, 512), np.uint8)
    for left, top, width, height in boxes:
        mask[top : top + height, left : left + width] = 1
    return mask


def confident(mask, certainty=0.97):
    return np.where(mask, 256 * certainty, 256 * (1 - certainty)).astype(np.uint8)


def test_a_tooth_that_was_not_annotated_ranks_first():
    annotated = [teeth(*JAW), teeth(*JAW[:5], *JAW[6:]), teeth(*JAW)]
    small_error = confident(teeth(*JAW, (200, 200, 12, 12)))
    predicted = [small_error, confident(teeth(*JAW)), confident(teeth(*JAW))]
    regions = rank(["small", "missing", "right"], predicted, annotated)
    assert [region.id for region in regions] == ["missing", "small"]
    assert (regions[0].kind, regions[0].box) == (NOT_ANNOTATED, JAW[5])


def test_a_tooth_that_was_not_predicted_is_told_from_one_that_was_not_annotated():
    (region,) = rank(["a"], [confident(teeth(*JAW[1:]))], [teeth(*JAW)])
    assert (region.kind, region.box) == (NOT_PREDICTED, JAW[0])


def test_what_is_unsure_or_a_contour_drawn_a_little_apart_is_no_candidate():
    annotation = teeth(*JAW)
    predictions = [confident(teeth(*JAW[1:]), certainty=0.78)]
    for pixels in (1, 3):
        kernel = np.ones((2 * pixels + 1,) * 2, np.uint8)
        predictions += [confident(change(annotation, kernel)) for change in (cv2.dilate, cv2.erode)]
    assert rank("abcde", predictions, [annotation] * 5) == []


def test_score_is_the_formula_of_the_docstring():
    noise = np.random.default_rng(0).normal(size=(4, 256, 512))
    noise = np.stack([cv2.GaussianBlur(each, (0, 0), 12) for each in noise])
    predictions = (255 / (1 + np.exp(-4 * noise / noise.std()))).astype(np.uint8)
    annotation, size = teeth(*JAW), disk_size(256)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    expected = {}
    for name, prediction in zip("abcd", predictions, strict=True):
        p = (prediction + 0.5) / 256
        for confidence in (p - annotation, annotation - p):
            # OpenCV lets a region go on beyond the edge; SciPy does not.
            padded = np.pad(confidence >= CONFIDENCE, size, mode="edge")
            opened = ndimage.binary_opening(padded, disk)[size:-size, size:-size]
            regions, number = ndimage.label(opened, np.ones((3, 3)))
            sums = ndimage.sum(confidence, regions, range(1, number + 1))
            expected[name] = max([expected.get(name, 0), *(100 * sums / annotation.size)])
    ranked = rank("abcd", predictions, [annotation] * 4)
    assert {c.id: c.score for c in ranked} == pytest.approx(expected, rel=0.01)
    assert [c.score for c in ranked] == sorted((c.score for c in ranked), reverse=True)
