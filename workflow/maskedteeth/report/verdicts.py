"""Uncertain numbers, and verdicts on claims about them.

A claim is a function that looks numbers up (:mod:`maskedteeth.report.evidence`) and returns its
*margins*: numbers that are all above zero if the claim is true. Each is a :class:`Quantity`, which
is added, subtracted and scaled like a number.

A claim is *supported* if the interval of each of its margins lies above zero (an intersection-union
test, Berger 1982, doi 10.1080/00401706.1982.10487790), and *refuted* if that of one of its k
margins lies below zero at a level k times stricter (Bonferroni). So, for every claim, the chance to
show what is not so is at most 2.5 %, if that is so for the intervals.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from maskedteeth.report.chance import TAIL

SUPPORTED, REFUTED, INCONCLUSIVE = "supported", "refuted", "inconclusive"
NOT_TESTED = "not tested"
#: Remarks on a quantity: its row of the paper was averaged or is impossible (see the audit); its
#: method was trained once, so that its interval lacks the chance of training and decides nothing.
NOT_POOLED, ONE_SEED = "not pooled", "one seed"


class Unavailable(Exception):
    """No number decides a claim; the message says why."""


@dataclass(frozen=True, eq=False)
class Quantity:
    """A number with its uncertainty.

    Attributes:
        draws: float64 (1 + n,): the number, then what it may be by chance. All quantities of a
            study share their draws; NaN in one that misses all test radiographs of a run.
        around: of ``tail``, a share to leave out on each side, returns by how much more the number
            may be too high and too low, float64 (2,): what is known of printed numbers.
        remark: what a reader must know of it, or "".
    """

    draws: np.ndarray
    around: Callable[[float], np.ndarray] = lambda tail: np.zeros(2)
    remark: str = ""

    @property
    def value(self) -> float:
        """The number."""
        return float(self.draws[0])

    def interval(self, tail: float = TAIL) -> np.ndarray:
        """Return the ends, float64 (2,), of what leaves out ``tail`` on each side."""
        # Percentiles in steps of 1 / (draws + 1), for few draws lie far outside.
        drawn = np.nanquantile(self.draws[1:], (tail, 1 - tail), method="weibull")
        return drawn + self.around(tail)

    def __add__(self, other: "Quantity | float") -> "Quantity":
        if not isinstance(other, Quantity):
            return replace(self, draws=self.draws + other)
        return Quantity(
            self.draws + other.draws,
            lambda tail: self.around(tail) + other.around(tail),
            self.remark or other.remark,
        )

    def __mul__(self, factor: float) -> "Quantity":
        def around(tail: float) -> np.ndarray:
            return np.sort(self.around(tail) * factor)

        return replace(self, draws=self.draws * factor, around=around)

    def __sub__(self, other: "Quantity | float") -> "Quantity":
        return self + other * -1

    def __rsub__(self, other: float) -> "Quantity":
        return self * -1 + other

    __radd__, __rmul__ = __add__, __mul__


class Verdict(NamedTuple):
    """What numbers say of a claim: supported, refuted, inconclusive or not tested.

    Attributes:
        verdict: which.
        margin: by how much the claim holds (negative: fails), of several comparisons the smallest
            of those that decide; NaN when not tested.
        low: lower end of the margin's 95 % interval.
        high: upper end.
        remark: what a reader must know of it, in two or three words; when not tested, why.
    """

    verdict: str
    margin: float = np.nan
    low: float = np.nan
    high: float = np.nan
    remark: str = ""


def judge(claim: Callable[[Any], list[Quantity]], evidence: Any) -> Verdict:
    """Judge a claim by the paper's numbers or by a study's."""
    try:
        margins = claim(evidence)
    except Unavailable as reason:
        return Verdict(NOT_TESTED, remark=str(reason))
    known = [margin for margin in margins if margin.remark != ONE_SEED]
    failing = [m for m in known if m.interval(TAIL / len(margins))[1] < 0]
    unshown = [m for m in margins if m not in known or not m.interval()[0] > 0]  # nor NaN
    verdict = REFUTED if failing else INCONCLUSIVE if unshown else SUPPORTED
    margin = min(failing or unshown or margins, key=lambda each: each.value)
    low, high = map(float, margin.interval())
    remark = next((each.remark for each in margins if each.remark), "")
    if remark == ONE_SEED and verdict != INCONCLUSIVE:
        remark = ""
    return Verdict(verdict, margin.value, low, high, remark)
