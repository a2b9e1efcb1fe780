"""What every training cost, and what made it; not in the paper."""

import math
from pathlib import Path

import pandas as pd

from maskedteeth.report.about import about
from maskedteeth.report.records import is_evaluation, name_of, read
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import NOTHING
from maskedteeth.settings.sections import Presentation

#: What the CSV takes from ``run.json`` as it is, in order.
BEFORE = ("device", "precision", "threads", "steps", "training_seconds", "images_per_second")
BEFORE += ("seconds", "peak_memory_mib", "peak_device_memory_mib", "git_commit", "code")
BEFORE += ("weights_sha256", "python", "system")


def cost(report: Presentation, *, runs: list[Path]) -> Table:
    """Make the table of costs.

    Returns:
        A row a training: name, fraction and seed (empty for a pretext), model, what ``run.json``
        says of machine and cost, ``resumed`` (how often it was started again), ``torch`` (its
        version), ``evaluation_seconds``, and protocol. Printed is a line a pretext and a method,
        and one of all together.
    """
    records = [read(file) for file in runs]
    evaluations = [record for record in records if is_evaluation(record)]
    measured = [part for record in evaluations for part in record.get("runs", [record])]
    seconds = {name_of(part): part["seconds"] for part in measured}
    trained = [_row(report, record, seconds) for record in records if not is_evaluation(record)]
    table = pd.DataFrame(trained).astype({"seed": "Int64"})
    lines = [_line(model, rows) for model, rows in table.groupby("model", sort=False)]
    text = pd.DataFrame([*lines, _line("All", table)] if len(lines) > 1 else lines)
    text = text.loc[:, (text != NOTHING).any()]  # without GPU memory where there was none
    return Table(
        title="Cost of all trainings",
        frame=table.assign(protocol=report.protocol),
        parts=(Part(text),),
        lead=f"{_machines(table)} {about(report, runs, tested=False)}",
        notes=(
            "*Training*: time in training steps, in total; *A training*: the mean of one. "
            "*Images/s*: median over trainings. *Measuring*: time of the evaluations. *Memory*: "
            "the most that a process used; *GPU memory*: the most that torch used there.",
        ),
    )


def duration(seconds: float) -> str:
    """Print seconds as a person says them: 8.2 s, 12 min, 3 h 5 min."""
    if seconds < 99.5:
        return f"{seconds:.0f} s" if seconds >= 9.95 else f"{seconds:.1f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"


def _row(report: Presentation, record: dict, seconds: dict[str, float]) -> dict:
    method, stays = record.get("method"), record["machines"] or [record]
    name = method or record["pretext"]
    return {
        "name": name,
        "fraction": record["fraction"] if method else math.nan,
        "seed": record["seed"] if method else None,
        "model": report.labels[method] if method else f"Pretext: {name}",
        **{key: record[key] for key in BEFORE},
        "device": " then ".join(dict.fromkeys(stay["device"] for stay in stays)),
        "resumed": len(record["resumed_after_steps"]),
        "torch": record["packages"]["torch"],
        "evaluation_seconds": seconds[name_of(record)],
    }


def _line(model: str, rows: pd.DataFrame) -> dict[str, str]:
    gpu = rows["peak_device_memory_mib"].astype(float).max()
    return {
        "Model": model,
        "Trainings": str(len(rows)),
        "Training": duration(rows["training_seconds"].sum()),
        "A training": duration(rows["training_seconds"].mean()),
        "Images/s": f"{rows['images_per_second'].median():.1f}",
        "Measuring": duration(rows["evaluation_seconds"].sum()),
        "Memory": f"{rows['peak_memory_mib'].max():,.0f} MiB",
        "GPU memory": NOTHING if math.isnan(gpu) else f"{gpu:,.0f} MiB",
    }


def _machines(table: pd.DataFrame) -> str:
    listed = {key: ", ".join(map(str, table[key].unique())) for key in table}
    said = (
        "Device: {device}; threads per training: {threads}; precision: {precision}; torch {torch}; "
        "Python {python}."
    ).format_map(listed)
    resumed = (table["resumed"] > 0).sum()
    if resumed:
        said += f" {resumed} training{'s were' if resumed > 1 else ' was'} stopped and resumed."
    return said
