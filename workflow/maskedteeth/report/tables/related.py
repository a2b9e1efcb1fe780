"""Systems from the paper's related work, on the same splits; not in the paper."""

import math
import re
from pathlib import Path

import pandas as pd

from maskedteeth.report.about import about, about_seeds, percent
from maskedteeth.report.records import is_evaluation, read
from maskedteeth.report.results import RUN, mean_over_seeds, pooled_by_run, read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.cost import duration
from maskedteeth.report.tables.layout import NOTHING, deviating, once
from maskedteeth.settings.sections import Presentation

#: Metric → name in print; a column of each a fraction.
SHOWN = {"dice": "Dice", "jaccard": "Jaccard", "ap": "AP"}
#: What a training cost, from its record.
COST = ("parameters", "training_seconds", "pretext_seconds", "images_per_second")


def related(
    report: Presentation,
    sources: dict[str, str],
    *,
    metrics: list[Path],
    runs: list[Path],
    published: Path,
    instances: list[Path] = (),  # type: ignore[assignment]
) -> Table:
    """Make the table of related systems.

    Args:
        report: as of all tables.
        sources: where each method is from, with numbers of references as in [14]; "": not said.
        metrics: of all runs.
        runs: their records, and of pretexts.
        instances: of the methods that find teeth one by one, their average precision.
        published: CSV of what the originals report: reference, system, its parameters, dataset,
            task, measured, value, and in what it differs from ours.

    Returns:
        Columns model, source, fraction, seeds, dice, jaccard (pixels of all test radiographs
        together) and ap (average precision of the teeth that were found one by one; NaN of other
        methods) with ``_sd``, parameters that were trained, and means over seeds:
        training_seconds, pretext_seconds (of the pretext that it starts from; NaN without one),
        images_per_second (in training); and protocol. Printed is a line a system, and then what
        the originals report.
    """
    costs = _costs([record for record in map(read, runs) if not is_evaluation(record)])
    measured = pooled_by_run(read_rows(*metrics))
    found = read_rows(*instances) if instances else measured[RUN].assign(ap=math.nan)
    measured = measured.merge(found[[*RUN, "ap"]], on=RUN, how="left")
    frame = mean_over_seeds(measured, tuple(SHOWN))
    frame = frame.merge(costs, on=["method", "fraction"])
    frame.insert(0, "model", frame["method"].map(report.labels))
    frame.insert(1, "source", frame.pop("method").map(sources))
    references = {
        number for source in sources.values() for number in re.findall(r"\[\d+\]", source)
    }
    originals = read_rows(published)
    originals = originals[originals["reference"].isin(references)]
    parts = [Part(_lines(frame), "Here, on the same splits")]
    if len(originals):
        parts.append(_as_published(originals))
    return Table(
        title="Systems from the paper's related work",
        frame=frame.assign(protocol=report.protocol),
        parts=tuple(parts),
        lead=about(report, runs),
        notes=(
            "*From*: numbers in brackets are the paper's references. `docs/decisions.md` says what "
            "each original has that is left out here.",
            "*Dice*, *Jaccard*: computed from the pixels of all test radiographs together, at each "
            "training fraction. *AP*: COCO's average precision of the masks, for networks that "
            "find teeth one by one. Mean over seeds ± standard deviation.",
            "*Parameters*: those trained, without a discriminator's. *Training*: mean time of one. "
            "*Pretext*: additional time of the pretext that it starts from. *Images/s*: during "
            "training. The table of costs names the machine.",
            about_seeds(report, runs),
        ),
    )


def _costs(records: list[dict]) -> pd.DataFrame:
    """Return what the trainings of a method and fraction cost on average, by their records."""
    pretexts = {r["weights_sha256"]: r["training_seconds"] for r in records if "pretext" in r}
    rows = [
        {**record, "pretext_seconds": pretexts.get(record["inputs_sha256"]["pretext"])}
        for record in records
        if "method" in record
    ]
    table = pd.DataFrame(rows)[[*RUN, *COST]].astype({"pretext_seconds": float})
    means = table.groupby(["method", "fraction"], sort=False)[list(COST)].mean()
    return means.astype({"parameters": int}).reset_index()


def _lines(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a line a system, with columns for each fraction."""
    lines = []
    for model, rows in frame.groupby("model", sort=False):
        line = {"System": model, "From": rows["source"].iloc[0] or NOTHING}
        for metric, title in SHOWN.items():
            for _, row in rows.iterrows():
                heading = f"{title} at {percent(row['fraction'])}"
                line[heading] = deviating(row, metric, ".3f")
        mean = rows[list(COST)].mean()
        pretext = mean["pretext_seconds"]
        line |= {
            "Parameters": _many(mean["parameters"]),
            "Training": duration(mean["training_seconds"]),
            "Pretext": NOTHING if pd.isna(pretext) else duration(pretext),
            "Images/s": f"{mean['images_per_second']:.1f}",
        }
        lines.append(line)
    text = pd.DataFrame(lines)
    return text.loc[:, (text != NOTHING).any()]


def _many(count: float) -> str:
    """Print how many parameters a network has, in millions."""
    if pd.isna(count):
        return NOTHING
    return f"{count / 1e6:.3g} M" if count >= 1e5 else f"{count:,.0f}"


def _as_published(originals: pd.DataFrame) -> Part:
    text = pd.DataFrame(
        {
            "Reference": once(originals["reference"]),
            "System": originals["system"],
            "Parameters": originals["parameters"].map(_many),
            "Dataset": originals["dataset"],
            "Task": originals["task"],
            "Measured": originals["measured"],
            "Value": originals["value"].map("{:.3f}".format),
            "Not comparable": originals["differs"],
        }
    )
    notes = (
        "None of these can be compared with a number above. Originals that are not listed report "
        "nothing that we could check. Table 2 has what the paper reports for U-Net, PSPNet and "
        "LinkNet."
    )
    return Part(text, "What the originals report", notes)
