"""Outlines of every method at every fraction, averaged over seeds; not in the paper."""

from pathlib import Path

import pandas as pd

from maskedteeth.metrics.boundary import METRICS
from maskedteeth.report.about import about
from maskedteeth.report.records import is_evaluation, read
from maskedteeth.report.results import RUN, mean_over_seeds, read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import deviating, once
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

    Returns:
        Columns model, fraction, seeds; nsd, hd95 and hd95_without_missed (NaN where all are
        missed), means over radiographs, then seeds, each with ``_sd``, the sample standard
        deviation over seeds (NaN for one seed); missed: radiographs, seeds together, that have
        teeth in the annotation or the prediction alone; and protocol.
    """
    images, names = read_rows(*metrics), (*METRICS, WITHOUT_MISSED)
    images["missed"] = (images["tp"] == 0) & ((images["fp"] == 0) != (images["fn"] == 0))
    images[WITHOUT_MISSED] = images["hd95"].where(~images["missed"])
    by_run = images.groupby(RUN, sort=False)[list(names)].mean().reset_index()
    table = mean_over_seeds(by_run, names)
    missed = images.groupby(["method", "fraction"], sort=False)["missed"].sum().to_numpy()
    columns = [column for name in names for column in (name, f"{name}_sd")]
    table = table[["method", "fraction", "seeds", *columns]].assign(missed=missed)
    table.insert(0, "model", table.pop("method").map(report.labels))
    text = pd.DataFrame(
        {
            "Model": once(table["model"]),
            "Train. data": table["fraction"].astype(str),
            "Seeds": table["seeds"].astype(str),
        }
    )
    for metric, (title, form) in SHOWN.items():
        if missed.any() or metric != WITHOUT_MISSED:
            text[title] = [deviating(row, metric, form) for _, row in table.iterrows()]
    without = " The last column leaves them out." if missed.any() else ""
    trainings = (record for record in map(read, runs) if not is_evaluation(record))
    sizes = {"{1} × {2}".format(*record["radiographs"]) for record in trainings}
    size = f" (of {sizes.pop()})" if len(sizes) == 1 else ""
    return Table(
        title="Boundaries of all models",
        frame=table.assign(protocol=report.protocol),
        parts=(Part(text),),
        lead=about(report, runs),
        notes=(
            "Each cell: mean over test radiographs and seeds ± standard deviation over seeds.",
            "*NSD*: normalised surface distance, the share of both outlines that lies within "
            f"{report.boundary_tolerance:g} pixels{size} of the other one; higher is better. "
            "*HD95*: 95th percentile of the distance between the outlines, in the same pixels; "
            "lower is better.",
            "A prediction is missed if only it or only the annotation has teeth: its NSD is 0, "
            f"its HD95 the diagonal. {missed.sum()} of {len(images)} are missed.{without}",
        ),
    )
