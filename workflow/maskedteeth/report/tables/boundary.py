"""Outlines of every method at every fraction, averaged over seeds; not in the paper."""

from pathlib import Path

import pandas as pd

from maskedteeth.metrics.boundary import METRICS
from maskedteeth.report.about import about, stamped
from maskedteeth.report.results import RUN, mean_over_seeds, read_metrics
from maskedteeth.report.tables.layout import write_table
from maskedteeth.settings.jobs import ReportJob

#: Metric → name in print and format.
SHOWN = {"nsd": ("NSD", ".3f"), "hd95": ("HD95", ".1f")}


def boundary(
    settings: ReportJob,
    *,
    metrics: list[Path],
    csv: Path,
    md: Path,
    tex: Path,
    runs: list[Path] = (),  # type: ignore[assignment]
) -> None:
    """Write the table of boundary metrics.

    Args:
        settings: labels of the methods, tolerance, dataset, protocol.
        metrics: ``metrics.csv`` of all runs.
        csv: file to write: model, fraction, seeds, nsd, nsd_sd, hd95, hd95_sd, and as ``missed``
            how many radiographs, seeds together, have teeth either in the annotation or in the
            prediction alone.
        md: file to write.
        tex: file to write.
        runs: ``run.json`` of all these runs and their pretexts.
    """
    images = read_metrics(metrics, settings, METRICS)
    images["missed"] = (images["tp"] == 0) & ((images["fp"] == 0) != (images["fn"] == 0))
    table = average(images)
    table.insert(0, "model", table.pop("method").map(settings.labels))
    text = pd.DataFrame(
        {
            "Model": table["model"].where(table["model"] != table["model"].shift(), ""),
            "Train. data": table["fraction"].astype(str),
            "Seeds": table["seeds"].astype(str),
        }
    )
    for metric, (title, form) in SHOWN.items():
        text[title] = [cell(row, metric, form) for _, row in table.iterrows()]
    title = "Boundaries of all models"
    foot = f"{notes(table, len(images), settings)} {about(settings, runs)}"
    write_table(stamped(table, settings), text, title, foot, csv, md, tex)


def average(images: pd.DataFrame) -> pd.DataFrame:
    """Average each run over its radiographs, and the runs over their seeds.

    Args:
        images: as ``results.read_metrics`` returns them, with a bool column ``missed``.

    Returns:
        A row a method and fraction: method, fraction, seeds, and nsd and hd95 each with ``_sd``,
        the sample standard deviation over seeds (NaN for one seed); missed: how many.
    """
    runs = images.groupby(RUN, sort=False)[list(METRICS)].mean().reset_index()
    missed = images.groupby(["method", "fraction"], sort=False)["missed"].sum()
    table = mean_over_seeds(runs, METRICS).assign(missed=missed.to_numpy())
    order = [c for metric in METRICS for c in (metric, f"{metric}_sd")]
    return table[["method", "fraction", "seeds", *order, "missed"]]


def cell(row: pd.Series, metric: str, form: str) -> str:
    """Print a mean and, where there are several seeds, its deviation."""
    deviation = row[f"{metric}_sd"]
    return f"{row[metric]:{form}}" + ("" if pd.isna(deviation) else f" ± {deviation:{form}}")


def notes(table: pd.DataFrame, measured: int, settings: ReportJob) -> str:
    """Say what the numbers are."""
    missed = int(table["missed"].sum())
    return (
        "Each cell: mean over test radiographs and seeds ± sample standard deviation over seeds. "
        "NSD: normalised surface distance, the share of both outlines that runs within "
        f"{settings.boundary_tolerance:g} pixels of the other one; higher is better. HD95: 95th "
        "percentile of the distance between the outlines in pixels of the evaluated size; lower "
        f"is better. A radiograph with teeth in the prediction or the annotation alone ({missed} "
        f"of {measured}) has NSD 0 and the diagonal as HD95."
    )
