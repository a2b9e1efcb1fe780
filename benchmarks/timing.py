"""Timing of sides that are compared: alternately, in one process, several times."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured.

    Attributes:
        values: one a repetition.
        target: what their median is held against; None: nothing.
        detail: the same in other numbers.
        better: "higher" or "lower".
        unit: of values and target.
    """

    values: list[float]
    target: float | None = None
    detail: str = ""
    better: str = "higher"
    unit: str = "×"

    @property
    def met(self) -> str:
        """Tell whether the target is met: yes, NO, or nothing where there is none."""
        if self.target is None:
            return ""
        sign = 1 if self.better == "higher" else -1
        return "yes" if sign * (statistics.median(self.values) - self.target) >= 0 else "NO"

    def row(self, *names: str) -> str:
        """Return a line of a Markdown table: names, median (min - max), target, met, detail."""
        low, middle, high = min(self.values), statistics.median(self.values), max(self.values)
        sign = "≥" if self.better == "higher" else "≤"
        target = "" if self.target is None else f"{sign} {self.target:g} {self.unit}"
        numbers = f"{middle:.4g} ({low:.4g} - {high:.4g}) {self.unit}"
        return f"| {' | '.join((*names, numbers, target, self.met, self.detail))} |"


def seconds(action: Callable[[], object]) -> float:
    """Return how long ``action`` takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def alternate(repetitions: int, *sides: Callable[[], object]) -> list[tuple[float, ...]]:
    """Time all sides in turn, again and again, after one turn that does not count.

    The order turns round each time, so that no side always comes second.
    """
    for side in sides:
        side()
    rounds = []
    for number in range(repetitions):
        order = range(len(sides)) if number % 2 == 0 else reversed(range(len(sides)))
        taken = {k: seconds(sides[k]) for k in order}
        rounds.append(tuple(taken[k] for k in range(len(sides))))
    return rounds


def compare(
    repetitions: int,
    images: int,
    target: float | None,
    ours: Callable[[], object],
    theirs: Callable[[], object],
) -> Figure:
    """Measure how many times as fast ``ours`` is; both sides take as many ``images``."""
    return faster(images, target, *zip(*alternate(repetitions, ours, theirs), strict=True))


def faster(
    images: int, target: float | None, ours: Sequence[float], theirs: Sequence[float]
) -> Figure:
    """Tell from the seconds of every round how many times as fast ``ours`` is."""
    rates = [f"{images / statistics.median(side):.1f}" for side in (ours, theirs)]
    ratios = [theirs / ours for ours, theirs in zip(ours, theirs, strict=True)]
    return Figure(ratios, target, f"{' against '.join(rates)} images/s")
