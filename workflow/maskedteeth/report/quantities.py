"""Uncertain numbers, and statements that compare them.

:class:`Results` looks numbers up, in the paper or in a study, as :class:`Quantity` objects. These
are added, subtracted and scaled like numbers. ``a > b`` is a :class:`Statement`; it keeps its
*margin* ``a - b``, the amount by which it holds. Statements are joined with ``&``, ``|``, ``~``,
:func:`all_of` and :func:`any_of`.
"""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Self

import numpy as np

#: Remarks on a quantity: its row of the paper was averaged or is impossible (see the audit); its
#: method was trained once, so that its interval lacks the chance of training and decides nothing.
NOT_POOLED, ONE_SEED = "not pooled", "one seed"


class Unavailable(Exception):
    """No number decides a claim; the message says why."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Quantity:
    """A number with its uncertainty: it has a ``value`` and an ``interval``.

    ``interval(tail)`` returns the ends, float64 (2,), of what leaves out ``tail`` on each side.

    Attributes:
        basis: what the interval is made of.
        remark: what a reader must know of it, or "".
    """

    basis: tuple[str, ...] = ()
    remark: str = ""

    def _with(self, operation: np.ufunc, other: "Quantity | float") -> Self:
        sides = [side for side in (self, other) if isinstance(side, Quantity)]
        basis = dict.fromkeys(part for side in sides for part in side.basis)
        remark = next((side.remark for side in sides if side.remark), "")
        numbers = self._numbers(operation, other)
        return replace(self, basis=tuple(basis), remark=remark, **numbers)

    def __add__(self, other: "Quantity | float") -> "Quantity":
        return self._with(np.add, other)

    def __mul__(self, factor: float) -> "Quantity":
        return self._with(np.multiply, float(factor))

    def __truediv__(self, number: float) -> "Quantity":
        return self * (1 / number)

    def __neg__(self) -> "Quantity":
        return self * -1

    def __sub__(self, other: "Quantity | float") -> "Quantity":
        return self + -other

    def __rsub__(self, other: float) -> "Quantity":
        return -self + other

    def __gt__(self, other: "Quantity | float") -> "Statement":
        return Statement(True, (self - other,))

    def __lt__(self, other: "Quantity | float") -> "Statement":
        return Statement(True, (-self + other,))

    __radd__, __rmul__, __ge__, __le__ = __add__, __mul__, __gt__, __lt__


@dataclass(frozen=True, eq=False, kw_only=True)
class Printed(Quantity):
    """A number of the paper's. Of several ones, the interval holds all that can come out."""

    value: float
    interval: Callable[[float], np.ndarray]

    def _numbers(self, operation: np.ufunc, other: Quantity | float) -> dict:
        value, interval = other, lambda tail: other
        if isinstance(other, Printed):
            value, interval = other.value, other.interval
        return {
            "value": float(operation(self.value, value)),
            # Sums, multiples and maxima of the ends are the ends.
            "interval": lambda tail: np.sort(operation(self.interval(tail), interval(tail))),
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class Drawn(Quantity):
    """A number of a study's.

    Attributes:
        draws: float64 (1 + draws,): the estimate, then its bootstrap draws, which all quantities of
            a study share. NaN in a draw that misses all test radiographs of a run.
    """

    draws: np.ndarray

    @property
    def value(self) -> float:
        """The estimate."""
        return float(self.draws[0])

    def interval(self, tail: float) -> np.ndarray:
        """Return the draws' percentiles, in steps of 1 / (draws + 1): few lie far outside."""
        return np.nanquantile(self.draws[1:], (tail, 1 - tail), method="weibull")

    def _numbers(self, operation: np.ufunc, other: Quantity | float) -> dict:
        return {"draws": operation(self.draws, getattr(other, "draws", other))}


def mean(quantities: Iterable[Quantity]) -> Quantity:
    """Average quantities."""
    quantities = list(quantities)
    return reduce(operator.add, quantities) / len(quantities)


def largest(quantities: Iterable[Quantity]) -> Quantity:
    """Take the largest. In a claim write ``all_of(a > b ...)``: chance makes a maximum larger."""
    return reduce(lambda a, b: a._with(np.maximum, b), quantities)


@dataclass(frozen=True, eq=False)
class Statement:
    """Comparisons that are joined.

    Attributes:
        every: whether all parts must hold; else one is enough.
        parts: margins of comparisons, and statements that are joined the other way.
    """

    every: bool
    parts: tuple["Quantity | Statement", ...]

    def __and__(self, other: "Statement") -> "Statement":
        return all_of([self, other])

    def __or__(self, other: "Statement") -> "Statement":
        return any_of([self, other])

    def __neg__(self) -> "Statement":
        return Statement(not self.every, tuple(-part for part in self.parts))

    __invert__ = __neg__

    def __bool__(self) -> bool:
        raise TypeError("join comparisons with & and |, not with 'and', 'or', 'not' or a < b < c")


def all_of(statements: Iterable[Statement]) -> Statement:
    """State that all of them hold."""
    return _joined(True, statements)


def any_of(statements: Iterable[Statement]) -> Statement:
    """State that one of them holds, or more."""
    return _joined(False, statements)


def _joined(every: bool, statements: Iterable[Statement]) -> Statement:
    parts: list[Quantity | Statement] = []
    for statement in statements:
        flat = statement.every == every or len(statement.parts) == 1
        parts += statement.parts if flat else [statement]
    return Statement(every, tuple(parts))


class Results:
    """Where statements look numbers up: the paper, or a study. What is missing is Unavailable."""

    def mean(self, metric: str, method: str, fraction: float) -> Quantity:
        """Return a metric of a method trained on a fraction: its mean over seeds."""
        raise NotImplementedError

    def dice(self, method: str, fraction: float) -> Quantity:
        """Return :meth:`mean` of Dice."""
        return self.mean("dice", method, fraction)

    def jaccard(self, method: str, fraction: float) -> Quantity:
        """Return :meth:`mean` of Jaccard."""
        return self.mean("jaccard", method, fraction)
