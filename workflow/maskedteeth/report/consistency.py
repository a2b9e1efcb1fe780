"""Do Dice, Jaccard, precision and recall of a printed row fit together?

A *case* is whatever a program computes the four metrics on at once: an image, a batch, a class, or
all pixels of a test set. With precision P and recall R of a case (eqs. 11 to 14),

    D = 2PR / (P + R)    and    J = PR / (P + R − PR) = D / (2 − D),

so a case is a point of the *surface* {(P, R, D, J)}. A row of a table is either one case (pooled)
or an average of cases, each with any weight: a point of the surface's convex hull. (Two
consequences are well known: mean D ≤ D(mean P, mean R), and mean J ≥ J(mean D). The hull asks for
more than both.)

**Theorem.** Let c be a direction and h(c) the maximum of c·x over the surface. If c·x > h(c) for
every x in the box of values that round to a printed row, no average of cases prints that row.
*Proof.* c·x is linear, so on an average it is at most its maximum over the cases. ∎

:func:`support` gives h(c) in closed form, so a row called impossible is proved impossible, up to
floating-point error (1e-12). The direction comes from a linear programme over finitely many points
of the surface; while its direction proves nothing, the surface's point that objects joins the
programme. It ends with a proof or with weights of cases that print the row (within 1e-7).

The surface holds all P, R in [0, 1], of soft counts as well as of thresholded ones, and 0/0 where
nothing was hit (D = J = 0 with P or R anything, the other 0) or where an empty image is left empty,
as long as all four metrics follow one convention (all 0 or all 1). Where they follow different
ones, such images lie off the surface; :func:`empty_share` bounds how many the row would need.

It does not hold metrics of one case that come from different counts. The paper's eq. 11 is
1 − Dice loss, and its loss (eq. 2) takes predicted probabilities, while eqs. 12 to 14 are of sets.
Read literally, D is soft and J, P and R are of thresholded masks. A row given to :func:`judge`
without its Dice may have any: what is impossible then is impossible under eq. 11, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from maskedteeth.metrics.segmentation import METRICS

#: Half of the last of three digits: a printed value stands for all that round to it.
ROUNDING = 0.0005
#: Below this a gap is floating-point error.
NEGLIGIBLE = 1e-9
#: An empty image, left empty, whose metrics follow different conventions for 0/0. Dice and Jaccard
#: follow the same one, precision and recall any.
EMPTY = np.array([(d, d, p, r) for d in (0, 1) for p in (0, 1) for r in (0, 1)], dtype=float)
NONE = EMPTY[:0]


@dataclass(frozen=True)
class Verdict:
    """What a row can be.

    Attributes:
        verdict: pooled (one case prints this row), averaged (an average of cases does, but no
            single case) or impossible (no average does, whatever is averaged).
        jaccard_residual: J − D/(2 − D); 0 when pooled, never negative for an average. NaN where
            a metric is missing.
        dice_residual: D − 2PR/(P + R); 0 when pooled, never positive for an average. NaN likewise.
        excess: how far the largest deviation of the four values from the nearest possible row is
            beyond rounding, at least; 0 for a possible row.
        empty_share: share of empty images with contradictory conventions that would be needed,
            at least; 0 for a possible row, infinite where no such images help.
    """

    verdict: str
    jaccard_residual: float
    dice_residual: float
    excess: float
    empty_share: float


def judge(values: dict[str, float], half_width: float = ROUNDING) -> Verdict:
    """Judge a row.

    Args:
        values: printed metrics in [0, 1], any of dice, jaccard, precision, recall; one that is
            missing may be anything, so it need not share its counts with the others.
        half_width: a printed value v stands for [v − half_width, v + half_width].
    """
    low, high = box(values, half_width)
    dice, jaccard, precision, recall = (values.get(metric, np.nan) for metric in METRICS)
    residuals = (float(jaccard - dice / (2 - dice)), float(dice - _dice(precision, recall)))
    if is_pooled(low, high):
        return Verdict("pooled", *residuals, 0.0, 0.0)
    excess = distance(low, high)
    if excess == 0:
        return Verdict("averaged", *residuals, 0.0, 0.0)
    return Verdict("impossible", *residuals, excess, empty_share(low, high))


def box(values: dict[str, float], half_width: float = ROUNDING) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper ends of what a row can stand for, float (4,) in METRICS' order."""
    printed = np.array([values.get(metric, np.nan) for metric in METRICS])
    low, high = np.clip(printed - half_width, 0, 1), np.clip(printed + half_width, 0, 1)
    return np.nan_to_num(low, nan=0), np.nan_to_num(high, nan=1)


def is_pooled(low: np.ndarray, high: np.ndarray) -> bool:
    """Say whether a single case lies in a box.

    D rises with P and with R, J with D, all continuously: the box holds a case exactly when the
    ranges of D that its sides allow have a value in common.
    """
    from_jaccard = [2 * j / (1 + j) for j in (low[1], high[1])]
    from_both = [_dice(low[2], low[3]), _dice(high[2], high[3])]
    least = max(low[0], from_jaccard[0], from_both[0])
    most = min(high[0], from_jaccard[1], from_both[1])
    return bool(least <= most + NEGLIGIBLE)


def distance(low: np.ndarray, high: np.ndarray) -> float:
    """Return a proven lower bound of the distance between a box and the surface's hull.

    It is that of the largest coordinate, to 1e-7, and 0 where the hull reaches into the box.
    """
    for shortfall, direction, most in _directions(low, high):
        gap = _least(direction, low, high) - most
        if shortfall < NEGLIGIBLE:
            return 0.0
        if gap > max(NEGLIGIBLE, shortfall - 1e-7):
            return gap
    return 0.0  # neither proved nor refuted: the row gets the benefit of the doubt


def empty_share(low: np.ndarray, high: np.ndarray) -> float:
    """Return a proven lower bound of the share of contradictory empty images in a row.

    If a share w of the cases is in EMPTY and the rest on the surface, then for every direction
    c·x ≤ (1 − w) h(c) + w max over EMPTY; the bound is that inequality solved for w, infinite where
    no share is enough.
    """
    best = 0.0
    for share, direction, most in _directions(low, high, EMPTY):
        gap, reach = _least(direction, low, high) - most, (EMPTY @ direction).max() - most
        if gap > NEGLIGIBLE:
            best = max(best, gap / reach if reach > gap else np.inf)
        if best >= min(share - 1e-5, 1):
            break
    return float(best)


def support(direction: np.ndarray) -> tuple[float, np.ndarray]:
    """Maximise a linear function over the surface, in closed form.

    With a = 1/P and b = 1/R, D = 2/(a + b) and J depends on D alone. For one D = d the points of
    the surface are a in [1, 2/d − 1], b = 2/d − a, and the function is αP + βR plus a constant.
    Unless α and β are both negative, α/a + β/b has its maximum at an end, where P or R is 1 and
    the other is J: it is convex or monotone. If both are negative it is concave, with its maximum
    at P = d/2u, R = d/2(1 − u), u = √−α / (√−α + √−β), wherever these are at most 1. Each of the
    three curves leaves a function A d + B d/(2 − d) + constant, whose maximum over an interval is
    at an end or at d = 2 − √(−2B/A).

    Args:
        direction: float (4,), coefficients of dice, jaccard, precision, recall.

    Returns:
        The maximum, and the point of the surface where it is reached.
    """
    dice, jaccard, precision, recall = (float(value) for value in direction)
    corners = [(1.0, d / (2 - d)) for d in _peaks(dice, jaccard + recall, 1.0)]
    corners += [(d / (2 - d), 1.0) for d in _peaks(dice, jaccard + precision, 1.0)]
    if precision < 0 and recall < 0:
        roots = np.sqrt([-precision, -recall])
        u = roots[0] / roots.sum()
        inner = _peaks(dice - roots.sum() ** 2 / 2, jaccard, 2 * min(u, 1 - u))
        corners += [(d / (2 * u), d / (2 * (1 - u))) for d in inner]
    points = surface(*np.array(corners).T)
    values = points @ direction
    return float(values.max()), points[values.argmax()]


def surface(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """Return the surface's points (…, 4): dice, jaccard, precision, recall."""
    dice = _dice(precision, recall)
    return np.stack([dice, dice / (2 - dice), precision, recall], axis=-1)


def _dice(precision, recall):
    total = precision + recall
    return np.where(total > 0, 2 * precision * recall / np.where(total > 0, total, 1), total * 0)


def _peaks(a: float, b: float, top: float) -> list[float]:
    """Return where a·d + b·d/(2 − d) can be largest for d in [0, top]."""
    inner = [2 - np.sqrt(-2 * b / a)] if a * b < 0 else []
    return [0.0, top, *(d for d in inner if 0 < d < top)]


def _least(direction: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    return float(np.minimum(direction * low, direction * high).sum())


def _directions(low: np.ndarray, high: np.ndarray, extra: np.ndarray = NONE) -> Iterator[tuple]:
    """Yield what :func:`_nearest` finds, with h(c) of its direction; what objects joins the mix."""
    side = np.linspace(0, 1, 21)
    points = surface(*(axis.ravel() for axis in np.meshgrid(side, side)))
    for _ in range(200):
        cost, direction = _nearest(points, low, high, extra)
        most, where = support(direction)
        yield cost, direction, most
        points = np.vstack([points, where])


def _nearest(points, low, high, extra) -> tuple[float, np.ndarray]:
    """Mix ``points`` as near to a box as can be; return the cost and the dual direction.

    Without ``extra`` the cost is the distance in the largest coordinate. With ``extra``, it is the
    share of these, and distance costs so much that it is avoided where it can be.
    """
    columns = np.vstack([points, extra]).T
    slack = -np.ones((4, 1))
    cost = np.r_[np.zeros(len(points)), np.ones(len(extra)), 1e6 if len(extra) else 1.0]
    solved = linprog(
        cost,
        A_ub=np.block([[columns, slack], [-columns, slack]]),
        b_ub=np.r_[high, -low],
        A_eq=np.r_[np.ones(columns.shape[1]), 0.0][None],
        b_eq=[1.0],
        method="highs",
    )
    prices = -solved.ineqlin.marginals
    direction = prices[4:] - prices[:4]
    return float(solved.fun), direction / max(1.0, np.abs(direction).sum())
