"""Verdicts on statements of one part or several, from an interval of each part's margin.

A statement is *supported* if its margins show that it holds, *refuted* if they show that its
opposite holds. A comparison is shown to hold if the interval of its margin lies above zero. All of
several parts are shown to hold if each is, at the same level; that any of k parts holds is shown by
a part whose interval lies above zero at a level k times stricter. (That some of k parts fails is
the same, of their opposites.) So the chance to show what is not so is at most :data:`TAIL` for
every statement, if that is so for the intervals: "all" is an intersection-union test (Berger 1982,
doi 10.1080/00401706.1982.10487790), "any" Bonferroni's correction.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from maskedteeth.report.expressions import Comparison, Interval, Joined, Statement
from maskedteeth.report.statistics import TAIL

SUPPORTED, REFUTED, INCONCLUSIVE, NOT_TESTED = VERDICTS = (
    "supported",
    "refuted",
    "inconclusive",
    "not tested",
)


@dataclass(frozen=True)
class Margin:
    """What is known of a comparison's margin.

    Attributes:
        value: its estimate; negative where the comparison fails.
        interval: returns its interval that leaves out a given share on each side.
        decides: whether the interval holds all chance that there is.
    """

    value: float
    interval: Callable[[float], Interval]
    decides: bool = True

    def __neg__(self) -> "Margin":
        return Margin(-self.value, lambda tail: -self.interval(tail), self.decides)


#: What is known of a statement: of a comparison, or of each of several parts.
Known = Margin | tuple[bool, list]


def decide(statement: Statement, known: Callable[[Comparison], Margin]) -> tuple[str, Margin]:
    """Judge a statement.

    Args:
        statement: to judge.
        known: returns what is known of a comparison's margin.

    Returns:
        The verdict, and the margin that decides it: of parts that must all hold the smallest; where
        the verdict is not that they do, of those that are shown to fail or that leave it open. Of
        parts of which one is enough likewise the largest.
    """
    margins = _looked_up(statement, known)
    if proof := _proof(margins, TAIL):
        return SUPPORTED, proof
    if proof := _proof(_opposite(margins), TAIL):
        return REFUTED, -proof
    return INCONCLUSIVE, _open(margins)


def _looked_up(statement: Statement, known: Callable[[Comparison], Margin]) -> Known:
    if isinstance(statement, Joined):
        return statement.every, [_looked_up(part, known) for part in statement.parts]
    return known(statement)


def _opposite(margins: Known) -> Known:
    if isinstance(margins, Margin):
        return -margins
    every, parts = margins
    return not every, [_opposite(part) for part in parts]


def _proof(margins: Known, tail: float) -> Margin | None:
    """Return the margin that shows a statement to hold, None where none does."""
    if isinstance(margins, Margin):
        return margins if margins.decides and margins.interval(tail).low > 0 else None
    every, parts = margins
    proofs = [_proof(part, tail if every else tail / len(parts)) for part in parts]
    shown = [proof for proof in proofs if proof]
    if len(shown) < (len(parts) if every else 1):
        return None
    return (min if every else max)(shown, key=lambda margin: margin.value)


def _open(margins: Known) -> Margin:
    """Return the margin that leaves a statement open."""
    if isinstance(margins, Margin):
        return margins
    every, parts = margins
    left = [p for p in parts if not _proof(p if every else _opposite(p), TAIL)]
    return (min if every else max)(map(_open, left or parts), key=lambda margin: margin.value)


def of_draws(values: np.ndarray, decides: bool) -> Margin:
    """Return the margin of an estimate and its finite draws, float (1 + draws,).

    Its interval is that of the draws' percentiles; in steps of 1 / (draws + 1), because few draws
    lie outside at strict levels.
    """

    def interval(tail: float) -> Interval:
        return Interval(*map(float, np.quantile(values[1:], (tail, 1 - tail), method="weibull")))

    return Margin(float(values[0]), interval, decides)
