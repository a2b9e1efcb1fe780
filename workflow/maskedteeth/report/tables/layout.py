"""What the tables share: numbers in print, and the paper's values beside ours."""

import math
from pathlib import Path

import pandas as pd

from maskedteeth.report.results import read_rows

#: Stands where there is no number.
NOTHING = "–"
#: Names of metrics in print.
TITLES = {
    "dice": "Dice",
    "jaccard": "Jaccard",
    "precision": "Precision",
    "recall": "Recall",
    "ssim": "SSIM",
    "lpips": "LPIPS",
    "fsim": "FSIM",
    "l1": "L1",
}
#: How to read a cell of :func:`cell`.
CELL = (
    "Each cell: our value, then in brackets the paper's value and ours minus the paper's. Ours "
    "counts the pixels of all test radiographs together"
)


def beside_published(
    ours: pd.DataFrame, published: Path, keys: list[str], metrics: tuple[str, ...]
) -> pd.DataFrame:
    """Join the paper's values to ours.

    Args:
        ours: a row for each combination of ``keys``, with columns ``metrics``.
        published: CSV of the paper's table, with the same keys and metrics.
        keys: columns that tell rows apart.
        metrics: columns that hold values.

    Returns:
        ``ours`` with ``<metric>_published`` and ``<metric>_difference`` (ours minus published)
        for every metric; NaN where the paper has no such row.
    """
    paper = read_rows(published)[[*keys, *metrics]]
    table = ours.merge(paper, on=keys, how="left", suffixes=("", "_published"))
    order = []
    for metric in metrics:
        table[f"{metric}_difference"] = table[metric] - table[f"{metric}_published"]
        names = (metric, f"{metric}_sd", f"{metric}_published", f"{metric}_difference")
        order += [name for name in names if name in table]
    return table[[name for name in table if name not in order] + order]


def cell(row: pd.Series, metric: str) -> str:
    """Print a metric as ``ours ± deviation *(paper, difference)*``, as far as these are known."""
    text = f"{row[metric]:.3f}"
    if not math.isnan(row.get(f"{metric}_sd", math.nan)):
        text += f" ± {row[f'{metric}_sd']:.3f}"
    if not math.isnan(row[f"{metric}_published"]):
        difference = number(row[f"{metric}_difference"], "+.3f")
        text += f" *({row[f'{metric}_published']:.3f}, {difference})*"
    return text


def printed(table: pd.DataFrame, titles: dict[str, str], metrics: tuple[str, ...]) -> pd.DataFrame:
    """Turn a table of numbers into one of texts, as a reader wants it.

    Args:
        table: as :func:`beside_published` returns it.
        titles: columns to show before the metrics, with their names in print.
        metrics: metrics to show, one column each.

    Returns:
        A frame of strings; a label that repeats the one above is left out.
    """
    frame = table[list(titles)].astype(str).rename(columns=titles)
    first = frame.columns[0]
    frame[first] = once(frame[first])
    for metric in metrics:
        frame[TITLES[metric]] = [cell(row, metric) for _, row in table.iterrows()]
    return frame


def once(labels: pd.Series) -> pd.Series:
    """Leave out labels that repeat the one above."""
    return labels.where(labels != labels.shift(), "")


def number(value: float, form: str) -> str:
    """Print a number with a real minus, and a dash where there is none."""
    return NOTHING if math.isnan(value) else f"{value:{form}}".replace("-", "−")


def interval(row: pd.Series, name: str, form: str = ".3f") -> str:
    """Print a value with the bounds of its interval, which have its name and _low and _high."""
    if pd.isna(row[name]):
        return NOTHING
    value, low, high = (number(row[f"{name}{bound}"], form) for bound in ("", "_low", "_high"))
    return f"{value} [{low}, {high}]"
