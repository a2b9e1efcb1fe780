"""Results of the grid, read from the runs' finished ``metrics.csv`` files."""

from pathlib import Path

import pandas as pd

from maskedteeth.files import read_frame
from maskedteeth.metrics.segmentation import METRICS, scores

RUN = ["method", "fraction", "seed"]


def read_metrics(files: list[Path]) -> pd.DataFrame:
    """Return all test radiographs of all runs: a row for each, columns as in ``metrics.csv``."""
    columns = (*RUN, "id", "tp", "fp", "fn")
    frames = [read_frame(file, columns, dtype={"id": str}) for file in files]
    return pd.concat(frames, ignore_index=True)


def pooled_by_run(metrics: pd.DataFrame) -> pd.DataFrame:
    """Pool each run over its test radiographs.

    Args:
        metrics: as :func:`read_metrics` returns them.

    Returns:
        A row a run in the order given: method, fraction, seed, dice, jaccard, precision, recall,
        from the counts of all pixels of all test radiographs together.
    """
    sums = metrics.groupby(RUN, sort=False)[["tp", "fp", "fn"]].sum().reset_index()
    return sums[RUN].assign(**scores(sums["tp"], sums["fp"], sums["fn"]))


def mean_over_seeds(runs: pd.DataFrame, metrics: tuple[str, ...] = METRICS) -> pd.DataFrame:
    """Average runs over their seeds.

    Args:
        runs: a row a run, as :func:`pooled_by_run` returns them.
        metrics: columns to average.

    Returns:
        A row a method and fraction: method, fraction, seeds (how many), and for each metric its
        mean under its own name and its sample standard deviation as ``<metric>_sd``, which is
        NaN for a single seed.
    """
    groups = runs.groupby(["method", "fraction"], sort=False)
    means = groups[list(metrics)].mean()
    deviations = groups[list(metrics)].std(ddof=1).add_suffix("_sd")
    return pd.concat([groups.size().rename("seeds"), means, deviations], axis=1).reset_index()
