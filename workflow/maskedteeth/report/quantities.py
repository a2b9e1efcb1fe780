"""Uncertain numbers, comparisons of them, and verdicts on what they say.

:class:`Results` looks numbers up, in the paper or in a study, as :class:`Quantity` objects, which
are added, subtracted and scaled like numbers. ``a > b`` is a :class:`Statement`, which keeps its
*margin* ``a - b``, the amount by which it holds. Statements are joined with ``&`` and
:func:`all_of`.

A statement is *supported* if the interval of each of its margins lies above zero (an
intersection-union test, Berger 1982, doi 10.1080/00401706.1982.10487790), and *refuted* if that of
one of its k margins lies below zero at a level k times stricter (Bonferroni). So, for every
statement, the chance to show what is not so is at most 2.5 %, if that is so for the intervals.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from maskedteeth.report.statistics import TAIL

SUPPORTED, REFUTED, INCONCLUSIVE = "supported", "refuted", "inconclusive"
NOT_TESTED = "not tested"
#: Remarks on a quantity: its row of the paper was averaged or is impossible (see the audit); its
#: method was trained once, so that its interval lacks the chance of training and decides nothing.
NOT_POOLED, ONE_SEED = "not pooled", "one seed"


class Unavailable(Exception):
    """No number decides a claim; the message says why."""


def _exact(tail: float) -> np.ndarray:
    return np.zeros(2)


@dataclass(frozen=True, eq=False)
class Quantity:
    """A number with its uncertainty.

    Attributes:
        draws: float64 (1 + n,): the number, then what it may be by chance. All quantities of a
            study share their draws; NaN in one that misses all test radiographs of a run.
        around: of ``tail``, a share to leave out on each side, returns by how much more the number
            may be too high and too low, float64 (2,): what is known of printed numbers.
        basis: what the uncertainty is made of.
        remark: what a reader must know of it, or "".
    """

    draws: np.ndarray
    around: Callable[[float], np.ndarray] = _exact
    basis: tuple[str, ...] = ()
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
            tuple(dict.fromkeys(self.basis + other.basis)),
            self.remark or other.remark,
        )

    def __mul__(self, factor: float) -> "Quantity":
        def around(tail: float) -> np.ndarray:
            return np.sort(self.around(tail) * factor)

        return replace(self, draws=self.draws * factor, around=around)

    def __neg__(self) -> "Quantity":
        return self * -1

    def __sub__(self, other: "Quantity | float") -> "Quantity":
        return self + -other

    def __gt__(self, other: "Quantity | float") -> "Statement":
        return Statement((self - other,))

    def __lt__(self, other: "Quantity | float") -> "Statement":
        return Statement((-self + other,))

    __radd__, __rmul__ = __add__, __mul__


def mean(quantities: Iterable[Quantity]) -> Quantity:
    """Average quantities."""
    quantities = list(quantities)
    return sum(quantities) * (1 / len(quantities))


@dataclass(frozen=True, eq=False)
class Statement:
    """Comparisons that must all hold, by their margins."""

    margins: tuple[Quantity, ...]

    def __and__(self, other: "Statement") -> "Statement":
        return all_of([self, other])

    def __bool__(self) -> bool:
        raise TypeError("join comparisons with & or all_of, not with 'and', 'or' or a < b < c")


def all_of(statements: Iterable[Statement]) -> Statement:
    """State that all of them hold."""
    return Statement(tuple(margin for each in statements for margin in each.margins))


class Results:
    """Where statements look numbers up: the paper, or a study. What is missing is Unavailable.

    Subclasses have ``mean(metric, method, fraction)``, over seeds; ``spread(statistic, metric,
    method, fraction)`` over these, with "sd" or "range"; and ``pretext(metric, pretext)``.
    """

    #: "paper" or "ours".
    side: str

    def dice(self, method: str, fraction: float) -> Quantity:
        """Return the mean Dice of a method trained on a fraction."""
        return self.mean("dice", method, fraction)

    def jaccard(self, method: str, fraction: float) -> Quantity:
        """Return the mean Jaccard."""
        return self.mean("jaccard", method, fraction)

    def untestable(self, *, paper: str, ours: str) -> Unavailable:
        """Return why none of these numbers decides a claim, for it to raise."""
        return Unavailable({"paper": paper, "ours": ours}[self.side])


class Verdict(NamedTuple):
    """What results say of a claim: supported, refuted, inconclusive or not tested.

    Attributes:
        verdict: which.
        margin: by how much the statement holds (negative: fails), of several comparisons the
            smallest of those that decide; NaN when not tested.
        low: lower end of the margin's 95 % interval.
        high: upper end.
        basis: what the intervals are made of; when not tested, why.
        remark: what a reader must know of it, in two or three words.
    """

    verdict: str
    margin: float = np.nan
    low: float = np.nan
    high: float = np.nan
    basis: str = ""
    remark: str = ""


def judge(claim: Callable[[Results], Statement], results: Results) -> Verdict:
    """Judge a claim by the paper's results or by a study's."""
    try:
        margins = claim(results).margins
    except Unavailable as reason:
        return Verdict(NOT_TESTED, basis=str(reason))
    known = [margin for margin in margins if margin.remark != ONE_SEED]
    failing = [m for m in known if m.interval(TAIL / len(margins))[1] < 0]
    unshown = [m for m in margins if m not in known or m.interval()[0] <= 0]
    verdict = REFUTED if failing else INCONCLUSIVE if unshown else SUPPORTED
    margin = min(failing or unshown or margins, key=lambda each: each.value)
    low, high = map(float, margin.interval())
    basis = dict.fromkeys(part for each in margins for part in each.basis)
    remark = next((each.remark for each in margins if each.remark), "")
    if remark == ONE_SEED and verdict != INCONCLUSIVE:
        remark = ""
    return Verdict(verdict, margin.value, low, high, ", ".join(basis), remark)
