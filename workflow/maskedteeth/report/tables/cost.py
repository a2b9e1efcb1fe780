"""What every training cost, and what made it; not in the paper."""

import math
from pathlib import Path

import pandas as pd

from maskedteeth.files import read_json
from maskedteeth.report.about import about, stamped
from maskedteeth.report.mixtures import EVALUATION, Training
from maskedteeth.report.tables.layout import NOTHING, number, write_table
from maskedteeth.settings.jobs import ReportJob

#: Keys of ``run.json`` in the CSV, as they are there.
RECORDED = (
    "device",
    "precision",
    "threads",
    "steps",
    "training_seconds",
    "images_per_second",
    "seconds",
    "peak_memory_mib",
    "peak_device_memory_mib",
    "git_commit",
    "code",
    "weights_sha256",
    "python",
    "system",
    "shared_from",
)


def cost(
    settings: ReportJob,
    *,
    runs: list[Path],
    csv: Path,
    md: Path,
    tex: Path,
) -> None:
    """Write the table of costs.

    Args:
        settings: labels of the methods, dataset, protocol.
        runs: ``run.json`` and ``evaluation.json`` of all runs and pretexts.
        csv: file to write, a line a training: name, fraction and seed (empty for a pretext),
            model, the keys of ``run.json`` in :data:`RECORDED`, ``resumed`` (how often it was
            started again), ``torch`` (its version), and ``evaluation_seconds``.
        md: file to write, a line a pretext and a method.
        tex: file to write.
    """
    table = of_trainings(runs, settings)
    text = pd.DataFrame([_line(name, rows) for name, rows in table.groupby("model", sort=False)])
    text = text.loc[:, (text != NOTHING).any()]  # without the card's memory where there was none
    together = table["seconds"].sum() + table["evaluation_seconds"].sum()
    notes = (
        "Steps, images/s and minutes: median over the trainings. Memory: the largest resident set "
        "of a process, and what torch reserved on a card. Hours: all trainings together, with "
        f"loading and saving; with the evaluations {together / 3600:.2f}. "
        f"{_machines(table)} {about(settings, runs)}"
    )
    title = "Cost of all trainings"
    write_table(stamped(table, settings), text, title, notes, csv, md, tex)


def of_trainings(runs: list[Path], settings: ReportJob) -> pd.DataFrame:
    """Return a row a training, as in the CSV."""
    evaluated = {f.parent: read_json(f, keys=()) for f in runs if f.name == EVALUATION}
    rows = []
    for file in runs:
        if file.name == EVALUATION:
            continue
        record = read_json(file, keys=("seconds",))
        training = Training.of(file)
        rows.append(
            {
                **training._asdict(),
                "model": _model(training, settings),
                **{key: record.get(key) for key in RECORDED},
                "resumed": len(record.get("resumed_after_steps", ())),
                "torch": record.get("packages", {}).get("torch"),
                "evaluation_seconds": evaluated.get(file.parent, {}).get("seconds"),
            }
        )
    return pd.DataFrame(rows).astype({"seed": "Int64"})


def _model(training: Training, settings: ReportJob) -> str:
    pretext = training.fraction is None
    return f"Pretext: {training.name}" if pretext else settings.labels[training.name]


def _line(model: str, rows: pd.DataFrame) -> dict[str, str]:
    """Return a line of the printed table."""
    median = rows[["steps", "images_per_second", "seconds"]].astype(float).median()
    cards = rows["peak_device_memory_mib"].astype(float).max()
    return {
        "Model": model,
        "Trainings": str(len(rows)),
        "Steps": number(median["steps"], ".0f"),
        "Images/s": number(median["images_per_second"], ".1f"),
        "Minutes": number(median["seconds"] / 60, ".1f"),
        "Memory": f"{rows['peak_memory_mib'].max():.0f} MiB",
        "Card's memory": NOTHING if math.isnan(cards) else f"{cards:.0f} MiB",
        "Hours": f"{rows['seconds'].sum() / 3600:.2f}",
    }


def _machines(table: pd.DataFrame) -> str:
    """Say what computed, and where a training was interrupted or taken over."""

    def listed(key: str) -> str:
        return ", ".join(str(value) for value in table[key].dropna().unique()) or NOTHING

    sentences = [
        f"Device: {listed('device')}; threads a training: {listed('threads')}; precision: "
        f"{listed('precision')}; torch {listed('torch')}; Python {listed('python')}."
    ]
    resumed, shared = (table["resumed"] > 0).sum(), table["shared_from"].notna().sum()
    if resumed:
        some = "1 training was" if resumed == 1 else f"{resumed} trainings were"
        sentences.append(f"{some} stopped and went on.")
    if shared == 1:
        sentences.append("1 pretext was taken over from another study, with its cost.")
    elif shared:
        sentences.append(f"{shared} pretexts were taken over from other studies, with their cost.")
    return " ".join(sentences)
