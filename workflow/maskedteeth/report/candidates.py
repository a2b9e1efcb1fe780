"""Candidates for annotation errors: where prediction and annotation disagree most confidently.

With p the predicted probability of tooth and g the annotation (0 or 1), pixels with
|p − g| ≥ 0.8 are confident disagreement. It is split into teeth that are predicted but not
annotated and teeth that are annotated but not predicted; each part is opened with a disk, so that
contours drawn a little apart do not count; what remains falls into connected regions. A region's
score is

    score = 100 · Σ |p − g| over the region / number of pixels of the radiograph,

its area in percent of the radiograph times its mean confidence. A radiograph's score is that of
its best region. A high score says that one of the two is wrong, not which: somebody has to look.
"""

from typing import NamedTuple

import cv2
import numpy as np

#: Least |p − g| of a pixel that counts.
CONFIDENCE = 0.8

NOT_ANNOTATED, NOT_PREDICTED = "predicted, not annotated", "annotated, not predicted"


class Candidate(NamedTuple):
    """A region: its radiograph, score, kind, and box of left, top, width, height in pixels."""

    id: str
    score: float
    kind: str
    box: tuple[int, int, int, int]


def rank_regions(ids: list[str], probability: np.ndarray, masks: np.ndarray) -> list[Candidate]:
    """Rank all regions of confident disagreement, whichever radiograph they are on.

    Args:
        ids: radiographs, N.
        probability: of tooth, uint8 (N, H, W); k stands for [k/256, (k+1)/256).
        masks: annotations, 0/1 (N, H, W).

    Returns:
        A candidate for each region, the highest score first.
    """
    found = [c for each in map(_regions, ids, probability, masks) for c in each]
    return sorted(found, key=lambda candidate: -candidate.score)


def best_of_each(regions: list[Candidate]) -> list[Candidate]:
    """Return each radiograph's best region, of ranked ``regions``, in their order."""
    best: dict[str, Candidate] = {}
    for region in regions:
        best.setdefault(region.id, region)
    return list(best.values())


def disk_size(height: int) -> int:
    """Return the diameter of the disk for radiographs of ``height``, in pixels: 9 at 256."""
    return 2 * round(height / 64) + 1


def _regions(name: str, probability: np.ndarray, mask: np.ndarray) -> list[Candidate]:
    """Return all regions of one radiograph."""
    difference = (probability.astype(np.float32) + 0.5) / 256 - (mask > 0)
    size = disk_size(len(mask))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    candidates = []
    for kind, confidence in ((NOT_ANNOTATED, difference), (NOT_PREDICTED, -difference)):
        confident = (confidence >= CONFIDENCE).astype(np.uint8)
        opened = cv2.morphologyEx(confident, cv2.MORPH_OPEN, disk)
        _, labels, boxes, _ = cv2.connectedComponentsWithStats(opened)
        sums = np.bincount(labels.ravel(), weights=confidence.ravel())
        for label in range(1, len(sums)):  # 0 is the background
            box = tuple(boxes[label, : cv2.CC_STAT_AREA].tolist())
            candidates.append(Candidate(name, 100 * sums[label] / mask.size, kind, box))
    return candidates
