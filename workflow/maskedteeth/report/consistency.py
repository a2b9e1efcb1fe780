"""Do Dice, Jaccard, precision and recall of a printed row fit together?

A *case* is whatever a program computes the four metrics on at once: an image, a batch, a class, or
all pixels of a test set. With precision P and recall R of a case (eqs. 11 to 14),

    D = 2PR / (P + R)    and    J = D / (2 − D).

A row of a table is either one case (*pooled*) or an average of cases, with any weights. Whatever is
averaged,

    (1) J ≥ D / (2 − D), because D / (2 − D) is convex (Jensen's inequality);
    (2) D ≤ 2PR / (P + R), because the harmonic mean is concave;
    (3) J ≥ P + R − 1, because this is linear and holds for a case: of the pixels in truth or
        prediction the share 1 − J is wrong, at most 1 − P falsely found and 1 − R missed;
    (4) J ≤ D, J ≤ P and J ≤ R, likewise.

A row is *impossible* where one of these fails for all values that round to the printed ones. They
hold for soft counts as well as for thresholded ones, and for images in which nothing was found or
annotated, as long as all four metrics of an image follow one convention for 0/0 (all 0 or all 1).

They need not hold for metrics of different counts. The paper's eq. 11 is 1 − Dice loss, and its
loss (eq. 2) takes predicted probabilities, while eqs. 12 to 14 are of sets. Read literally, D is
soft and J, P and R are of thresholded masks. A row given to :func:`judge` without its Dice may have
any: what is impossible then is impossible under eq. 11, too.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from maskedteeth.metrics.segmentation import METRICS

#: Half of the last of three digits: a printed value stands for all that round to it.
ROUNDING = 0.0005
#: Below this a gap is floating-point error.
NEGLIGIBLE = 1e-9


@dataclass(frozen=True)
class Verdict:
    """What a row can be.

    Attributes:
        verdict: pooled (one case prints this row), averaged (no single case does, but an average of
            cases may) or impossible (no average does, whatever is averaged).
        jaccard_residual: J − D/(2 − D); 0 when pooled, never negative for an average. NaN where
            a metric is missing.
        dice_residual: D − 2PR/(P + R); 0 when pooled, never positive for an average. NaN likewise.
        excess: by how much more than rounding one of the values is wrong, at least; 0 for a
            possible row.
        empty_share: share of empty images with contradictory conventions for 0/0 that would be
            needed, at least; 0 for a possible row, infinite where no such images help.
    """

    verdict: str
    jaccard_residual: float
    dice_residual: float
    excess: float = 0.0
    empty_share: float = 0.0


def judge(values: dict[str, float], half_width: float = ROUNDING) -> Verdict:
    """Judge a row.

    Args:
        values: printed metrics in [0, 1], any of dice, jaccard, precision, recall; one that is
            missing may be anything, so it need not share its counts with the others.
        half_width: a printed value v stands for [v − half_width, v + half_width].
    """
    dice, jaccard, precision, recall = (values.get(metric, np.nan) for metric in METRICS)
    residuals = (float(jaccard - dice / (2 - dice)), float(dice - _dice(precision, recall)))
    if is_pooled(values, half_width):
        return Verdict("pooled", *residuals)
    failing = _shortfalls(values, half_width)
    if failing.max() <= NEGLIGIBLE:
        return Verdict("averaged", *residuals)
    excess = brentq(lambda more: _shortfalls(values, half_width + more).max(), 0, 1)
    # Dice and Jaccard follow the same convention, so an empty image may break all but (1), by 1 at
    # most.
    share = np.inf if failing[0] > NEGLIGIBLE else failing.max()
    return Verdict("impossible", *residuals, float(excess), float(share))


def is_pooled(values: dict[str, float], half_width: float = ROUNDING) -> bool:
    """Say whether a single case prints a row.

    D rises with P and with R, J with D, all continuously: a case does exactly when the ranges of D
    that the values allow have a value in common.
    """
    low, high = _box(values, half_width)
    least, most = (
        (end[0], 2 * end[1] / (1 + end[1]), _dice(end[2], end[3])) for end in (low, high)
    )
    return bool(max(least) <= min(most) + NEGLIGIBLE)


def _shortfalls(values: dict[str, float], half_width: float) -> np.ndarray:
    """Return by how much (1) to (4) fail, float (4,); not above zero where they may hold."""
    (dice, jaccard, precision, recall), most = _box(values, half_width)
    return np.array(
        [
            dice / (2 - dice) - most[1],
            dice - _dice(most[2], most[3]),
            precision + recall - 1 - most[1],
            jaccard - min(most[0], most[2], most[3]),
        ]
    )


def _box(values: dict[str, float], half_width: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the most that a row can stand for, float (4,) in METRICS' order."""
    printed = np.array([values.get(metric, np.nan) for metric in METRICS])
    low, high = np.clip(printed - half_width, 0, 1), np.clip(printed + half_width, 0, 1)
    return np.nan_to_num(low, nan=0), np.nan_to_num(high, nan=1)


def _dice(precision: float, recall: float) -> float:
    total = precision + recall
    return 2 * precision * recall / total if total != 0 else 0.0
