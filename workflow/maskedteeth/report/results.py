"""Results of the grid, read from the runs' finished ``metrics.csv`` files."""

from pathlib import Path

import numpy as np
import pandas as pd

from maskedteeth.errors import InputError
from maskedteeth.metrics.segmentation import METRICS, scores
from maskedteeth.report.reading import MEND, read_table
from maskedteeth.settings.jobs import ReportJob

RUN = ["method", "fraction", "seed"]
COUNTS = ("tp", "fp", "fn")
#: Columns of names, which stay text though they may look like numbers.
NAMES = ("method", "id", "model", "metric", "pretext", "filler", "pixels", "paper", "ours")
#: What Dice in a file may be off from that of its counts, for it has six digits.
ROUNDED = 1e-5


def read_rows(*files: Path) -> pd.DataFrame:
    """Read CSV files that stages have written as one frame.

    Args:
        files: with the same columns.

    Returns:
        All rows, in the order given. Names are text, also where they read `NA` or `12`.
    """
    types = dict.fromkeys(NAMES, str)
    options = {"keep_default_na": False, "na_values": [""], "float_precision": "round_trip"}
    return pd.concat([pd.read_csv(f, dtype=types, **options) for f in files], ignore_index=True)


def read_metrics(
    files: list[Path], settings: ReportJob, columns: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Return all test radiographs of all runs: a row for each, with the columns below.

    Args:
        files: ``metrics.csv`` of all runs.
        settings: labels of the methods, protocol.
        columns: what they must have besides those of the run, id, tp, fp, fn and dice.

    Raises:
        InputError: a file is damaged, is not of one run of this study's, or is cut off: holds but
            the first radiographs of another run's that was tested on the same ones.
    """
    frames = [read_run_metrics(file, columns, settings) for file in files]
    runs: dict[tuple, Path] = {}
    tested: dict[tuple, dict[tuple[str, ...], Path]] = {}
    for file, frame in zip(files, frames, strict=True):
        run = tuple(frame[RUN].iloc[0])
        if run in runs:
            raise InputError(f"{runs[run]} and {file} are of the same run, {_named(run)}. {MEND}")
        runs[run] = file
        alike = () if settings.protocol == "fixed-test" else run[1:]
        tested.setdefault(alike, {}).setdefault(tuple(frame["id"]), file)
    for sets in tested.values():
        longest = max(sets, key=len)
        for ids, file in sets.items():
            if len(ids) < len(longest) and ids == longest[: len(ids)]:
                raise InputError(
                    f"{file} is cut off: it holds {len(ids)} of the {len(longest)} test "
                    f"radiographs of {sets[longest]}. {MEND}"
                )
    return pd.concat(frames, ignore_index=True)


def read_run_metrics(file: Path, columns: tuple[str, ...], settings: ReportJob) -> pd.DataFrame:
    """Read the ``metrics.csv`` of one run.

    Args:
        file: to read.
        columns: what it must have besides method, fraction, seed, id, tp, fp, fn and dice.
        settings: labels of the methods.

    Raises:
        InputError: it is damaged, or not of one run of this study's.
    """
    whole = ("seed", *COUNTS, "tn")
    wanted = tuple(dict.fromkeys((*RUN, "id", *COUNTS, "dice", *columns)))
    frame = read_table(file, wanted, text=("method", "id"), whole=whole)
    runs = frame[RUN].drop_duplicates()
    if len(runs) > 1:
        first, second = (_named(tuple(row)) for row in runs.to_numpy()[:2])
        raise InputError(f"{file} is of two runs, {first} and {second}. {MEND}")
    method = frame["method"].iloc[0]
    if method not in settings.labels:
        known = ", ".join(settings.labels)
        raise InputError(f"{file} is of method {method!r}; the settings know {known}. {MEND}")
    twice = frame["id"][frame["id"].duplicated()]
    if len(twice):
        raise InputError(f"{file} has radiograph {twice.iloc[0]!r} twice. {MEND}")
    dice = scores(*(frame[key] for key in COUNTS))["dice"]
    off = np.flatnonzero(np.abs(dice - frame["dice"]) > ROUNDED)
    if len(off):
        raise InputError(
            f"{file} has Dice {frame['dice'].iloc[off[0]]:g} in row {off[0] + 1}, but its "
            f"pixel counts give {dice[off[0]]:.6f}. {MEND}"
        )
    return frame


def _named(run: tuple) -> str:
    method, fraction, seed = run
    return f"{method} at fraction {fraction:g} with seed {seed}"


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
