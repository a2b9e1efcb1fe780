"""The paper's own numbers, with intervals of what they can stand for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from maskedteeth.metrics.segmentation import METRICS
from maskedteeth.report.consistency import ROUNDING, box, is_pooled
from maskedteeth.report.quantities import NOT_POOLED, Quantity, Results, Unavailable
from maskedteeth.report.statistics import spread_bounds


class Paper(Results):
    """Looks numbers up in the paper.

    A printed value stands for all that round to it. Where table 3 has the seeds of a method, its
    values in table 2 are means of these and stand for their t interval on top; spreads over these
    seeds stand for their interval.

    Args:
        models: CSV: method (as in the settings), table1, table2 (its names there), by_seed
            (table3 for the method that table 3 is about).
        table2: CSV of the paper's table 2.
        table3: CSV of the paper's table 3.
    """

    side = "paper"

    def __init__(self, models: Path, table2: Path, table3: Path):
        self.models = pd.read_csv(models, index_col="method", keep_default_na=False)
        self.table2, self.table3 = pd.read_csv(table2), pd.read_csv(table3)

    def mean(self, metric: str, method: str, fraction: float) -> Quantity:
        """Return a value of table 2."""
        if method not in self.models.index:
            raise Unavailable(f"the paper has no method {method}")
        rows = self.table2[self.table2["model"] == self.models["table2"][method]]
        rows = rows[np.isclose(rows["fraction"], fraction)]
        if rows.empty:
            raise Unavailable(f"table 2 has no fraction {fraction:g} of {method}")
        row, seeds = rows.iloc[0], self._of_seeds(metric, method, fraction)

        def around(tail: float) -> np.ndarray:
            t = stats.t.isf(tail, len(seeds) - 1) * stats.sem(seeds) if len(seeds) else 0
            return (ROUNDING + t) * np.array([-1, 1])

        remark = "" if is_pooled(*box(dict(row[list(METRICS)]))) else NOT_POOLED
        return _printed(row[metric], around, "t over seeds" if len(seeds) else "", remark)

    def spread(self, statistic: str, metric: str, method: str, fraction: float) -> Quantity:
        """Return a spread over the seeds of table 3."""
        seeds = self._of_seeds(metric, method, fraction)
        if not len(seeds):
            raise Unavailable(f"the paper gives no seeds of {method} at fraction {fraction:g}")
        number = len(seeds)
        if statistic == "sd":  # a seminorm: off by at most the deviation of the rounding itself
            value, width = np.std(seeds, ddof=1), ROUNDING * np.sqrt(number / (number - 1))
        else:
            value, width = np.ptp(seeds), 2 * ROUNDING

        def around(tail: float) -> np.ndarray:
            ends = np.maximum(value + width * np.array([-1, 1]), 0)
            return ends * spread_bounds(statistic, number, tail) - value

        return _printed(value, around, "spread over seeds")

    def pretext(self, metric: str, pretext: str) -> Quantity:
        """Refuse: the paper gives each of these numbers once, so nothing can confirm it."""
        raise Unavailable("the paper's number stands in this sentence alone")

    def _of_seeds(self, metric: str, method: str, fraction: float) -> np.ndarray:
        """Return the seeds of table 3, (seeds,); (0,) where they are not of this method."""
        rows = self.table3[np.isclose(self.table3["fraction"], fraction)]
        named = method in self.models.index and self.models["by_seed"][method] == "table3"
        return rows[metric].to_numpy() if named else np.empty(0)


def _printed(value: float, around: Callable, seeds: str, remark: str = "") -> Quantity:
    basis = ("rounding", seeds) if seeds else ("rounding",)
    return Quantity(np.full(2, float(value)), around, basis, remark)
