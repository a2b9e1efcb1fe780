"""Errors in annotations: what somebody in a hurry would have drawn, from the labels that are right.

The study of wrong ground truth (section 4.3) trains on them and knows what would be right.
"""

from zlib import crc32

import cv2
import numpy as np

from maskedteeth.data.teeth import BACKGROUND, UNNUMBERED
from maskedteeth.settings.config import Annotations


def with_errors(
    labels: np.ndarray, ids: list[str], annotations: Annotations, seed: int
) -> np.ndarray:
    """Return labels as they would be with errors.

    A radiograph's errors depend on its id and the seed alone, so that nested training subsets have
    the same, and so have all methods.

    Args:
        labels: uint8 (N, H, W) as in ``labels.npy``.
        ids: of the radiographs.
        annotations: the errors.
        seed: of the run.

    Returns:
        uint8 (N, H, W). Where moved or larger teeth overlap, the higher number is seen.
    """
    wrong = np.empty_like(labels)
    for place, (name, right) in enumerate(zip(ids, labels, strict=True)):
        rng = np.random.default_rng([seed, crc32(name.encode())])
        wrong[place] = _annotated(right, annotations, rng)
    return wrong


def teeth_of(labels: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Return the teeth of a radiograph.

    Args:
        labels: uint8 (H, W), as in ``labels.npy``.

    Returns:
        Of each its number and mask, uint8 (H, W), 1 = tooth: all pixels of one number; of unknown
        number, 99, each region that touches no other.
    """
    numbers = [n for n in np.unique(labels).tolist() if n not in (BACKGROUND, UNNUMBERED)]
    teeth = [(number, (labels == number).astype(np.uint8)) for number in numbers]
    count, parts = cv2.connectedComponents((labels == UNNUMBERED).astype(np.uint8))
    return teeth + [(UNNUMBERED, (parts == part).astype(np.uint8)) for part in range(1, count)]


def _annotated(
    labels: np.ndarray, annotations: Annotations, rng: np.random.Generator
) -> np.ndarray:
    """Return the labels of one radiograph, uint8 (H, W), with errors.

    Every tooth draws all its numbers in any case, so that a stronger error is of the same kind.
    """
    teeth = teeth_of(labels)
    missing, angles = rng.random(len(teeth)), rng.uniform(0, 2 * np.pi, len(teeth))
    numbers = _exchanged([number for number, _ in teeth], annotations.swap, rng)
    wrong = np.full_like(labels, BACKGROUND)
    for number, (_, tooth), lot, angle in zip(numbers, teeth, missing, angles, strict=True):
        if lot < annotations.drop:
            continue
        if annotations.coarse:
            tooth = _coarse(tooth, annotations.coarse)
        if annotations.grow:
            tooth = _grown(tooth, annotations.grow)
        if annotations.shift:
            moved = np.rint(annotations.shift * np.array([np.cos(angle), np.sin(angle)]))
            matrix = np.column_stack([np.eye(2), moved])
            tooth = cv2.warpAffine(tooth, matrix, tooth.shape[::-1], flags=cv2.INTER_NEAREST)
        wrong[tooth > 0] = number
    return wrong


def _exchanged(numbers: list[int], share: float, rng: np.random.Generator) -> list[int]:
    """Exchange numbers of neighbours, so that about ``share`` of the teeth have a wrong one."""
    numbers = list(numbers)
    lots = rng.random(len(numbers))
    place = 0
    while place + 1 < len(numbers):
        first, second = numbers[place : place + 2]
        # One arch ends with 16, the other begins with 17; what has no number has no neighbour.
        neighbours = second < UNNUMBERED and (first <= 16) == (second <= 16)
        if neighbours and lots[place] < share / (2 - share):  # a pair is two teeth
            numbers[place : place + 2] = second, first
            place += 1
        place += 1
    return numbers


def _coarse(tooth: np.ndarray, tolerance: float) -> np.ndarray:
    outlines, _ = cv2.findContours(tooth, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)  # holes', too
    corners = [cv2.approxPolyDP(outline, tolerance, True) for outline in outlines]
    return cv2.fillPoly(np.zeros_like(tooth), corners, 1)  # by the even-odd rule


def _grown(tooth: np.ndarray, pixels: int) -> np.ndarray:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(pixels) + 1,) * 2)
    return cv2.dilate(tooth, disc) if pixels > 0 else cv2.erode(tooth, disc)
