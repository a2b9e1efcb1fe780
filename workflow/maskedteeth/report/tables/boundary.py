"""Outlines of every method at every fraction, averaged over seeds; not in the paper."""

from pathlib import Path

import pandas as pd
from pydantic import BaseModel

from maskedteeth.metrics.boundary import METRICS
from maskedteeth.report.about import about, stamped
from maskedteeth.report.mixtures import EVALUATION
from maskedteeth.report.reading import read_content
from maskedteeth.report.results import RUN, mean_over_seeds, read_metrics
from maskedteeth.report.tables.layout import NOTHING, write_table
from maskedteeth.settings.jobs import ReportJob

#: Metric → name in print and format.
SHOWN = {"nsd": ("NSD", ".3f"), "hd95": ("HD95", ".1f")}
#: HD95 without missed radiographs, each of which adds the diagonal; shown where there are some.
WITHOUT_MISSED = "hd95_without_missed"


class Trained(BaseModel):
    """What ``run.json`` says of the size of radiographs: N, H, W; it has more."""

    radiographs: list[int] = []


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
        csv: file to write: the columns of :func:`average`, with model instead of method.
            ``missed`` are radiographs, seeds together, that have teeth either in the annotation or
            in the prediction alone.
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
    shown = dict(SHOWN)
    if table["missed"].any():
        shown[WITHOUT_MISSED] = ("HD95 without missed", SHOWN["hd95"][1])
    for metric, (title, form) in shown.items():
        text[title] = [cell(row, metric, form) for _, row in table.iterrows()]
    title = "Boundaries of all models"
    size = evaluated_size(runs)
    foot = f"{notes(table, len(images), size, settings)} {about(settings, runs)}"
    write_table(stamped(table, settings), text, title, foot, csv, md, tex)


def average(images: pd.DataFrame) -> pd.DataFrame:
    """Average each run over its radiographs, and the runs over their seeds.

    Args:
        images: as ``results.read_metrics`` returns them, with a bool column ``missed``.

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
    """Say at what size was measured, as far as the records tell."""
    found = (read_content(run, Trained).radiographs for run in runs if run.name != EVALUATION)
    sizes = {tuple(shape[1:]) for shape in found if shape}
    if len(sizes) != 1:
        return "the evaluated size"
    height, width = sizes.pop()
    return f"the evaluated {height} × {width}"


def notes(table: pd.DataFrame, measured: int, size: str, settings: ReportJob) -> str:
    """Say what the numbers are."""
    missed = int(table["missed"].sum())
    without = ", and one column leaves it out" if missed else ""
    return (
        "Each cell: mean over test radiographs and seeds ± sample standard deviation over seeds. "
        "NSD: normalised surface distance, the share of both outlines that runs within "
        f"{settings.boundary_tolerance:g} pixels (of {size}) of the other one; higher is better. "
        "HD95: 95th percentile of the distance between the outlines in such pixels; lower is "
        "better. A radiograph with teeth in the prediction or the annotation alone is missed "
        f"({missed} of {measured}): it has NSD 0 and the diagonal as HD95{without}."
    )
