"""The paper's own numbers, as intervals of what they can stand for."""

from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from maskedteeth.metrics.segmentation import METRICS
from maskedteeth.report.consistency import ROUNDING, judge
from maskedteeth.report.expressions import PRETEXT, Interval
from maskedteeth.report.reading import read_table, read_values
from maskedteeth.report.statistics import TAIL, spread_bounds

#: The paper's only pretext, by the name that it has in the settings.
THE_PRETEXT = "random_block_masking"


class Unavailable(Exception):
    """A result that a statement speaks of does not exist; the message says which."""


class Published:
    """Looks up the paper's values.

    A printed value stands for all that round to it. Where table 3 has the seeds of a method, its
    values in table 2 are means of these and stand for their 95 % t interval on top; spreads over
    these seeds stand for their 95 % interval.

    Args:
        models: CSV: method (as in the settings), table1, table2 (its names there), by_seed
            (table3 for the method that table 3 is about).
        table2: CSV of the paper's table 2.
        table3: CSV of the paper's table 3.
        pretext: CSV of section 4.1: metric, value.

    Raises:
        InputError: one is damaged.
    """

    def __init__(self, models: Path, table2: Path, table3: Path, pretext: Path):
        names = ("method", "table1", "table2", "by_seed")
        self.models = read_table(models, names, text=names).set_index("method")
        self.table2 = read_values(table2, ("model", "fraction"), METRICS)
        self.table3 = read_values(table3, ("seed", "fraction"), METRICS)
        self.pretext = read_values(pretext, ("metric",), ("value",)).set_index("metric")["value"]

    def printed(self, name: str, arguments: tuple[Any, ...]) -> float:
        """Return a value as printed, or computed from what is printed over the seeds.

        Raises:
            Unavailable: the paper does not have it.
        """
        if name in PRETEXT:
            return self._of_pretext(name, *arguments)
        metric, _, statistic = name.partition("_")
        if not statistic:
            return self._of_table2(metric, *arguments)
        seeds = self._seeds(metric, *arguments)
        return float(np.std(seeds, ddof=1) if statistic == "sd" else np.ptp(seeds))

    def rounded(self, name: str, arguments: tuple[Any, ...]) -> Interval:
        """Return all values that can hide behind rounding.

        Raises:
            Unavailable: the paper does not have it.
        """
        value, width = self.printed(name, arguments), ROUNDING
        if name.endswith("_range"):
            width = 2 * ROUNDING
        elif name.endswith("_sd"):  # a seminorm: at most the deviation of the rounding itself
            n = len(self._seeds(name.partition("_")[0], *arguments))
            width = ROUNDING * np.sqrt(n / (n - 1))
        return Interval(value - width, value + width)

    def uncertain(self, name: str, arguments: tuple[Any, ...], tail: float = TAIL) -> Interval:
        """Return :meth:`rounded`, widened by the interval over seeds where these are printed.

        That interval leaves out ``tail`` on each side.

        Raises:
            Unavailable: the paper does not have it.
        """
        interval = self.rounded(name, arguments)
        chance = self.chance(name, arguments)
        if not chance:
            return interval
        metric, _, statistic = name.partition("_")
        seeds = self._seeds(metric, *arguments)
        if statistic:
            low, high = spread_bounds(statistic, len(seeds), tail)
            return Interval(max(interval.low, 0) * low, interval.high * high)
        error = np.std(seeds, ddof=1) / np.sqrt(len(seeds))
        width = float(stats.t.isf(tail, len(seeds) - 1) * error)
        return Interval(interval.low - width, interval.high + width)

    def chance(self, name: str, arguments: tuple[Any, ...]) -> str:
        """Name the interval over seeds that a value has, "" where no seeds are printed."""
        if name in PRETEXT:
            return ""
        metric, _, statistic = name.partition("_")
        try:
            self._seeds(metric, *arguments)
        except Unavailable:
            return ""
        return "spread over seeds" if statistic else "t over seeds"

    def is_pooled(self, name: str, arguments: tuple[Any, ...]) -> bool:
        """Tell whether a value's row of table 2 can come from one set of pixel counts, as ours do.

        Of the pretext's values, and of spreads, which are of table 3, nothing is known: true.
        """
        if name in PRETEXT or "_" in name:
            return True
        row = {metric: self._of_table2(metric, *arguments) for metric in METRICS}
        return judge(row).verdict == "pooled"

    def _of_pretext(self, metric: str, pretext: str) -> float:
        if pretext != THE_PRETEXT:
            raise Unavailable(f"the paper has no pretext {pretext}")
        if metric not in self.pretext:
            raise Unavailable(f"the paper does not give {metric.upper()}")
        return float(self.pretext[metric])

    def _of_table2(self, metric: str, method: str, fraction: float) -> float:
        if method not in self.models.index:
            raise Unavailable(f"the paper has no method {method}")
        table = self.table2
        rows = table[
            (table["model"] == self.models["table2"][method])
            & np.isclose(table["fraction"], fraction)
        ]
        if rows.empty:
            raise Unavailable(f"table 2 has no fraction {fraction:g} of {method}")
        return float(rows[metric].iloc[0])

    def _seeds(self, metric: str, method: str, fraction: float) -> np.ndarray:
        if method not in self.models.index or self.models["by_seed"][method] != "table3":
            raise Unavailable(f"the paper gives no seeds of {method}")
        values = self.table3.loc[np.isclose(self.table3["fraction"], fraction), metric]
        if len(values) < 2:
            raise Unavailable(f"table 3 has no seeds at fraction {fraction:g}")
        return values.to_numpy(float)
