"""Figures 5 and 9: candidates for annotation errors.

They are test radiographs on which prediction and annotation disagree most confidently. With p the
predicted probability of tooth and g the annotation (0 or 1), pixels with |p − g| ≥ 0.8 are
confident disagreement. It is split into teeth that are predicted but not annotated and teeth that
are annotated but not predicted; each part is opened with a disk, so that contours drawn a little
apart do not count; what remains falls into connected regions. A region's score is

    score = 100 · Σ |p − g| over the region / number of pixels of the radiograph,

its area in percent of the radiograph times its mean confidence. A radiograph's score is that of
its best region. A high score says that one of the two is wrong, not which: somebody has to look.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from maskedteeth.data.arrays import Arrays
from maskedteeth.report.about import about, percent
from maskedteeth.report.figures.panels import Picture, Sheet, draw_grid, draw_words, mask_picture
from maskedteeth.report.figures.runs import Run, read_runs
from maskedteeth.settings.sections import Presentation

#: Least |p − g| of a pixel that counts.
CONFIDENCE = 0.8
NOT_ANNOTATED, NOT_PREDICTED = "predicted, not annotated", "annotated, not predicted"
#: Candidates of figure 5; the next ones are figure 9's.
FOREMOST = 2


class Candidate(NamedTuple):
    """A region: its radiograph, score, kind, and box of left, top, width, height in pixels."""

    id: str
    score: float
    kind: str
    box: tuple[int, int, int, int]


def figure5(
    report: Presentation, *, dataset: Arrays, metrics: list[Path], predictions: list[Path]
) -> Sheet:
    """Draw X-ray, annotation and generated mask of the two foremost candidates of one run."""
    words = "Figure 5: Test radiographs on which generated mask and annotation disagree most"
    titles = ("Dental X-ray", "Annotation", "Generated mask")
    return _draw(report, words, titles, slice(FOREMOST), dataset, *read_runs(metrics, predictions))


def figure9(
    report: Presentation, *, dataset: Arrays, metrics: list[Path], predictions: list[Path]
) -> Sheet:
    """Draw the same of the candidates that follow figure 5's."""
    words = (
        "Figure 9: Further test radiographs, after figure 5's, on which the generated mask and the "
        "ground truth disagree"
    )
    titles = ("Input radiograph", "Ground truth", "Generated mask")
    ranks = slice(FOREMOST, FOREMOST + report.samples)
    return _draw(report, words, titles, ranks, dataset, *read_runs(metrics, predictions))


def rank(ids: list[str], probability: np.ndarray, masks: np.ndarray) -> list[Candidate]:
    """Find each radiograph's best region of confident disagreement, and rank these.

    Args:
        ids: radiographs, N.
        probability: of tooth, uint8 (N, H, W); k stands for [k/256, (k+1)/256).
        masks: annotations, 0/1 (N, H, W).

    Returns:
        A candidate for each radiograph that has such a region, the highest score first.
    """
    found = (list(_regions(*each)) for each in zip(ids, probability, masks, strict=True))
    best = [max(regions, key=lambda region: region.score) for regions in found if regions]
    return sorted(best, key=lambda candidate: -candidate.score)


def disk_size(height: int) -> int:
    """Return the diameter of the disk for radiographs of ``height``, in pixels: 9 at 256."""
    return 2 * round(height / 64) + 1


def _regions(name: str, probability: np.ndarray, mask: np.ndarray) -> Iterator[Candidate]:
    difference = (probability.astype(np.float32) + 0.5) / 256 - (mask > 0)
    size = disk_size(len(mask))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    for kind, confidence in ((NOT_ANNOTATED, difference), (NOT_PREDICTED, -difference)):
        confident = (confidence >= CONFIDENCE).astype(np.uint8)
        opened = cv2.morphologyEx(confident, cv2.MORPH_OPEN, disk)
        _, labels, boxes, _ = cv2.connectedComponentsWithStats(opened)
        sums = np.bincount(labels.ravel(), weights=confidence.ravel())
        for label in range(1, len(sums)):  # 0 is the background
            box = tuple(boxes[label, : cv2.CC_STAT_AREA].tolist())
            yield Candidate(name, 100 * sums[label] / mask.size, kind, box)


def _draw(
    report: Presentation,
    words: str,
    titles: tuple[str, ...],
    ranks: slice,
    dataset: Arrays,
    run: Run,
) -> Sheet:
    """Draw candidates by their ranks, of which 0 is the foremost, with the region outlined."""
    xrays, labels = dataset.of(run.ids)
    truths = labels > 0
    shown = rank(run.ids, run.probability, truths)[ranks]
    names = "; ".join(f"{c.id} ({c.kind})" for c in shown)
    found = f"These are candidates for annotation errors; nobody has verified them: {names}."
    caption = (
        f"{words} confidently. {found if shown else 'There are none.'} Prediction: "
        f"{report.labels[run.method]}, trained on "
        f"{percent(run.fraction)} of the samples in the dataset (seed {run.seed}). Score: sum of "
        "|p − g| over the outlined region in % of the radiograph's pixels (p: probability of "
        f"tooth, g: annotation). A region is connected, has |p − g| ≥ {CONFIDENCE:g} everywhere "
        f"and survives an opening with a disk of {disk_size(truths.shape[1])} pixels. "
        f"{about(report)}"
    )
    if not shown:
        nothing = "No (further) region in which prediction and annotation disagree confidently."
        return draw_words(nothing, caption)
    rows = []
    for candidate in shown:
        place = run.ids.index(candidate.id)
        note = f"score {candidate.score:.2f}%"
        generated = run.segmentation(candidate.id, report.threshold, note)
        row = (Picture(xrays[place]), mask_picture(truths[place]), generated)
        rows.append([picture._replace(box=candidate.box) for picture in row])
    return draw_grid(rows, titles, caption)
