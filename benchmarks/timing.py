"""Timing of sides that are compared: alternately, in one process, several times."""

import json
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        name: of what is measured.
        value: the median; what is held against the target.
        target: to reach.
        median: of the repetitions.
        min: smallest of them.
        max: largest of them.
        better: "higher" or "lower".
        unit: of all these numbers.
        detail: what the two sides did, in numbers.
    """

    name: str
    value: float
    target: float | None
    median: float
    min: float
    max: float
    better: str
    unit: str
    detail: str

    @property
    def met(self) -> str:
        """Tell whether the target is met: yes, NO, or nothing where there is none."""
        if self.target is None:
            return ""
        enough = self.value >= self.target if self.better == "higher" else self.value <= self.target
        return "yes" if enough else "NO"


def figure(
    name: str,
    values: Iterable[float],
    target: float | None,
    detail: str,
    better: str = "higher",
    unit: str = "x",
) -> Figure:
    """Sum up repeated measurements."""
    values = [round(value, 4) for value in values]
    median = round(statistics.median(values), 4)
    return Figure(name, median, target, median, min(values), max(values), better, unit, detail)


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


def median(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def worst(name: str, figures: list[Figure]) -> list[Figure]:
    """Put the worst of several sizes first, under the name of the whole."""
    sign = 1 if figures[0].better == "higher" else -1
    lowest = min(figures, key=lambda f: sign * f.value)
    return [Figure(**{**asdict(lowest), "name": name}), *figures]


def as_table(figures: list[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| what | median (min - max) | target | met | measured |", "|---|---|---|---|---|"]
    for f in figures:
        sign = {"higher": "≥", "lower": "≤"}[f.better]
        target = "" if f.target is None else f"{sign} {f.target:g} {f.unit}"
        numbers = f"{f.median:.3g} ({f.min:.3g} - {f.max:.3g}) {f.unit}"
        lines.append(f"| {f.name} | {numbers} | {target} | {f.met} | {f.detail} |")
    return "\n".join(lines)


def write(figures: list[Figure], path: Path) -> None:
    """Write the figures to ``path`` as a list of JSON objects, known names kept up to date."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    new = {f.name for f in figures}
    rows = [row for row in before if row["name"] not in new] + [asdict(f) for f in figures]
    path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
