"""The pretext's metrics, which the paper gives in its text (section 4.1)."""

import math
from pathlib import Path

import pandas as pd

from maskedteeth.jobs import ReportJob
from maskedteeth.metrics.reconstruction import METRICS
from maskedteeth.report.about import about_pretext
from maskedteeth.report.tables.layout import TITLES, cell, write_table

NOTES = (
    "Each cell: mean over test radiographs ± sample standard deviation (the paper's value, ours "
    "minus the paper's), over the whole radiograph. SSIM and FSIM: higher is better; LPIPS and "
    "L1: lower."
)
NO_LPIPS = (
    " LPIPS is not available: AlexNet's weights were switched off or could not be had "
    "(logs/lpips-weights.log says why)."
)


def table_pretext(
    settings: ReportJob,
    *,
    metrics: list[Path],
    published: Path,
    csv: Path,
    md: Path,
    tex: Path,
) -> None:
    """Write the table of the pretexts' metrics.

    Args:
        settings: dataset, protocol.
        metrics: ``metrics.csv`` of all pretexts, in folders named like them.
        published: the paper's values as CSV: metric, value.
        csv: file to write: pretext, metric, radiographs, value, value_sd, value_published,
            value_difference.
        md: file to write.
        tex: file to write.
    """
    paper = pd.read_csv(published).set_index("metric")["value"]
    rows, hidden = [], []
    for file in metrics:
        images = pd.read_csv(file, dtype={"id": str})
        hidden.append(images["hidden"])
        for metric in METRICS:
            rows.append(
                {
                    "pretext": file.parent.name,
                    "metric": metric,
                    "radiographs": len(images),
                    "value": images[metric].mean(),
                    "value_sd": images[metric].std(ddof=1),
                    "value_published": paper.get(metric, math.nan),
                }
            )
    table = pd.DataFrame(rows)
    table["value_difference"] = table["value"] - table["value_published"]
    text = pd.DataFrame(
        {
            "Pretext": table["pretext"].where(table["pretext"] != table["pretext"].shift(), ""),
            "Metric": table["metric"].map(TITLES),
            "Value": [cell(row, "value") for _, row in table.iterrows()],
        }
    )
    missing = table.loc[table["metric"] == "lpips", "value"].isna().any()
    share = pd.concat(hidden)
    drawn = f" Hidden: {share.mean():.1%} of the pixels ({share.min():.1%} to {share.max():.1%})."
    notes = f"{NOTES}{drawn}{NO_LPIPS if missing else ''} {about_pretext(settings)}"
    write_table(table, text, "The pretext's metrics on the test radiographs", notes, csv, md, tex)
