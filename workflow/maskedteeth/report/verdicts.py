"""Verdicts on claims, from an interval of each comparison's margin.

A claim is *supported* if the margins show that its statement holds, *refuted* if they show that the
opposite holds. A comparison is shown to hold if the interval of its margin lies above zero. All of
several parts are shown to hold if each is, at the same level; that any of k parts holds is shown by
a part whose interval lies above zero at a level k times stricter. (That some of k parts fails is
the same, of their opposites.) So the chance to show what is not so is at most :data:`TAIL` for
every statement, if that is so for the intervals: "all" is an intersection-union test (Berger 1982,
doi 10.1080/00401706.1982.10487790), "any" Bonferroni's correction.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from maskedteeth.report.quantities import ONE_SEED, Quantity, Results, Statement, Unavailable
from maskedteeth.report.statistics import TAIL

SUPPORTED, REFUTED, INCONCLUSIVE, NOT_TESTED = VERDICTS = (
    "supported",
    "refuted",
    "inconclusive",
    "not tested",
)


@dataclass(frozen=True)
class Verdict:
    """What results say of a claim.

    Attributes:
        verdict: one of :data:`VERDICTS`.
        margin: by how much the statement holds (negative: fails), of several parts that which
            decides; NaN when not tested.
        low: lower end of the margin's 95 % interval.
        high: upper end.
        basis: what the intervals are made of; when not tested, why.
        remark: what a reader must know of it, in two or three words.
    """

    verdict: str
    margin: float
    low: float
    high: float
    basis: str
    remark: str = ""


def judge(claim: Callable[[Results], Statement], results: Results) -> Verdict:
    """Judge a claim by the paper's results or by a study's."""
    try:
        statement = claim(results)
    except Unavailable as reason:
        return Verdict(NOT_TESTED, np.nan, np.nan, np.nan, str(reason))
    verdict, margin = decide(statement)
    low, high = map(float, margin.interval(TAIL))
    margins = list(_margins(statement))
    basis = dict.fromkeys(part for each in margins for part in each.basis)
    remark = next((each.remark for each in margins if each.remark), "")
    if remark == ONE_SEED and verdict != INCONCLUSIVE:
        remark = ""
    return Verdict(verdict, margin.value, low, high, ", ".join(basis), remark)


def decide(statement: Statement) -> tuple[str, Quantity]:
    """Judge a statement.

    Returns:
        The verdict, and the margin that decides it: of parts that must all hold the smallest; where
        the verdict is not that they do, of those that are shown to fail or that leave it open. Of
        parts of which one is enough likewise the largest.
    """
    if proof := _proof(statement, TAIL):
        return SUPPORTED, proof
    if proof := _proof(-statement, TAIL):
        return REFUTED, -proof
    return INCONCLUSIVE, _open(statement)


def _proof(part: Statement | Quantity, tail: float) -> Quantity | None:
    """Return the margin that shows a part to hold, None where none does."""
    if isinstance(part, Quantity):
        return part if part.remark != ONE_SEED and part.interval(tail)[0] > 0 else None
    number = len(part.parts)
    proofs = [_proof(each, tail if part.every else tail / number) for each in part.parts]
    shown = [proof for proof in proofs if proof]
    return _deciding(part, shown) if len(shown) >= (number if part.every else 1) else None


def _open(part: Statement | Quantity) -> Quantity:
    """Return the margin that leaves a part open."""
    if isinstance(part, Quantity):
        return part
    left = [each for each in part.parts if not _proof(each if part.every else -each, TAIL)]
    return _deciding(part, map(_open, left or part.parts))


def _deciding(statement: Statement, margins) -> Quantity:
    return (min if statement.every else max)(margins, key=lambda margin: margin.value)


def _margins(part: Statement | Quantity) -> Iterator[Quantity]:
    if isinstance(part, Quantity):
        yield part
    else:
        for each in part.parts:
            yield from _margins(each)
