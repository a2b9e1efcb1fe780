"""Results of the runs as frames: read, pooled, and averaged over seeds."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from maskedteeth.metrics.segmentation import METRICS, scores

RUN = ["method", "fraction", "seed"]
#: Columns of names, which stay text though they may look like numbers.
NAMES = ("method", "id", "duplicate_group", "model", "metric", "pretext", "filler", "pixels")
NAMES += ("paper", "ours", "dataset", "of")


def read_rows(*files: Path) -> pd.DataFrame:
    """Read CSV files that stages have written as one frame; names stay text, also `NA` or `12`."""
    types = dict.fromkeys(NAMES, str)
    options = {"keep_default_na": False, "na_values": [""]}
    return pd.concat([pd.read_csv(f, dtype=types, **options) for f in files], ignore_index=True)


def pooled_by_run(metrics: pd.DataFrame) -> pd.DataFrame:
    """Pool each run of ``metrics.csv`` over its test radiographs.

    Returns:
        A row a run in the order given: method, fraction, seed, dice, jaccard, precision, recall,
        from the counts of all pixels of all test radiographs together.
    """
    sums = metrics.groupby(RUN, sort=False)[["tp", "fp", "fn"]].sum().reset_index()
    return sums[RUN].assign(**scores(sums["tp"], sums["fp"], sums["fn"]))


def mean_over_seeds(
    runs: pd.DataFrame,
    metrics: tuple[str, ...] = METRICS,
    keys: Sequence[str] = ("method", "fraction"),
) -> pd.DataFrame:
    """Average ``metrics`` of runs, a row a run, over their seeds.

    Returns:
        A row a method and fraction, or whatever else ``keys`` name: these, seeds (how many), and
        for each metric its mean under its own name and its sample standard deviation as
        ``<metric>_sd``, which is NaN for a single seed.
    """
    groups = runs.groupby([*keys], sort=False)
    means = groups[list(metrics)].mean()
    deviations = groups[list(metrics)].std(ddof=1).add_suffix("_sd")
    return pd.concat([groups.size().rename("seeds"), means, deviations], axis=1).reset_index()
