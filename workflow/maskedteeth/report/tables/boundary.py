"""Outlines of every method at every fraction, averaged over seeds; not in the paper."""

from pathlib import Path

import pandas as pd

from maskedteeth.metrics.boundary import METRICS
from maskedteeth.record import is_evaluation, read
from maskedteeth.report.about import about
from maskedteeth.report.results import RUN, mean_over_seeds, read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import NOTHING, once
from maskedteeth.settings.sections import Presentation

#: HD95 without missed radiographs, each of which adds the diagonal; shown where there are some.
WITHOUT_MISSED = "hd95_without_missed"
#: Metric → name in print and format.
SHOWN = {
    "nsd": ("NSD", ".3f"),
    "hd95": ("HD95", ".1f"),
    WITHOUT_MISSED: ("HD95 without missed", ".1f"),
}


def boundary(report: Presentation, *, metrics: list[Path], runs: list[Path]) -> Table:
    """Make the table of boundary metrics.

    Args:
        report: labels of the methods, tolerance, dataset, protocol.
        metrics: ``metrics.csv`` of all runs.
        runs: records of all these runs and their pretexts.

    Returns:
        Columns of :func:`average`, with model instead of method, and protocol. ``missed`` counts
        radiographs, seeds together, that have teeth in the annotation or the prediction alone.
    """
    images = read_rows(*metrics)
    images["missed"] = (images["tp"] == 0) & ((images["fp"] == 0) != (images["fn"] == 0))
    table = average(images)
    table.insert(0, "model", table.pop("method").map(report.labels))
    text = pd.DataFrame(
        {
            "Model": once(table["model"]),
            "Train. data": table["fraction"].astype(str),
            "Seeds": table["seeds"].astype(str),
        }
    )
    missed = int(table["missed"].sum())
    for metric, (title, form) in SHOWN.items():
        if missed or metric != WITHOUT_MISSED:
            text[title] = [cell(row, metric, form) for _, row in table.iterrows()]
    without = " The last column leaves them out." if missed else ""
    return Table(
        title="Boundaries of all models",
        frame=table.assign(protocol=report.protocol),
        parts=(Part(text),),
        lead=about(report, runs),
        notes=(
            "Each cell: mean over test radiographs and seeds ± standard deviation over seeds.",
            "*NSD*: normalised surface distance, the share of both outlines that lies within "
            f"{report.boundary_tolerance:g} pixels{evaluated_size(runs)} of the other one; higher "
            "is better. *HD95*: 95th percentile of the distance between the outlines, in the same "
            "pixels; lower is better.",
            "A prediction is missed when teeth are in it or in the annotation alone: its NSD is 0, "
            f"its HD95 the diagonal. {missed} of {len(images)} are missed.{without}",
        ),
    )


def average(images: pd.DataFrame) -> pd.DataFrame:
    """Average each run over its radiographs, and the runs over their seeds.

    Args:
        images: rows of ``metrics.csv``, with a bool column ``missed``.

    Returns:
        A row a method and fraction: method, fraction, seeds, and nsd, hd95 and hd95_without_missed
        each with ``_sd``, the sample standard deviation over seeds (NaN for one seed); missed: how
        many. hd95_without_missed is NaN where all are missed.
    """
    metrics = (*METRICS, WITHOUT_MISSED)
    images = images.assign(**{WITHOUT_MISSED: images["hd95"].where(~images["missed"])})
    runs = images.groupby(RUN, sort=False)[list(metrics)].mean().reset_index()
    missed = images.groupby(["method", "fraction"], sort=False)["missed"].sum()
    table = mean_over_seeds(runs, metrics).assign(missed=missed.to_numpy())
    order = [c for metric in metrics for c in (metric, f"{metric}_sd")]
    return table[["method", "fraction", "seeds", *order, "missed"]]


def cell(row: pd.Series, metric: str, form: str) -> str:
    """Print a mean and, where there are several seeds, its deviation."""
    if pd.isna(row[metric]):
        return NOTHING
    deviation = row[f"{metric}_sd"]
    return f"{row[metric]:{form}}" + ("" if pd.isna(deviation) else f" ± {deviation:{form}}")


def evaluated_size(runs: list[Path]) -> str:
    """Say at what size was measured, where the trainings' records agree on it."""
    records = map(read, runs)
    sizes = {tuple(r["radiographs"][1:]) for r in records if not is_evaluation(r)}
    return " (of {} × {})".format(*sizes.pop()) if len(sizes) == 1 else ""
