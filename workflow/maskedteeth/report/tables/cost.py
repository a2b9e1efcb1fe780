"""What every training cost, and what made it; not in the paper."""

import math
from pathlib import Path

import pandas as pd
from pydantic import BaseModel

from maskedteeth.errors import InputError
from maskedteeth.report.about import about, stamped
from maskedteeth.report.mixtures import EVALUATION, Training
from maskedteeth.report.reading import read_content
from maskedteeth.report.tables.layout import NOTHING, write_table
from maskedteeth.settings.jobs import ReportJob


class Stay(BaseModel):
    """A machine that a training was on."""

    device: str
    precision: str
    threads: int


class Cost(Stay):
    """What ``run.json`` says of a training's cost and of what made it; it has more."""

    steps: int
    training_seconds: float
    images_per_second: float
    seconds: float
    peak_memory_mib: float
    peak_device_memory_mib: float | None
    git_commit: str | None
    code: str
    weights_sha256: str
    python: str
    system: str
    shared_from: str | None = None
    resumed_after_steps: list[int] = []
    machines: list[Stay] = []
    packages: dict[str, str | None]

    def in_turn(self, key: str) -> str:
        """Print what a machine is told by; of a training that moved, of each one in turn."""
        stays = self.machines or [self]
        values = dict.fromkeys(str(getattr(stay, key, getattr(self, key))) for stay in stays)
        return " then ".join(values)


class Evaluated(BaseModel):
    """What ``evaluation.json`` says of its cost; it has more."""

    seconds: float


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
            model, what :class:`Cost` has, ``resumed`` (how often it was started again), ``torch``
            (its version), and ``evaluation_seconds``.
        md: file to write, a line a pretext and a method, and all together.
        tex: file to write.
    """
    table = of_trainings(runs, settings)
    lines = [_line(model, rows) for model, rows in table.groupby("model", sort=False)]
    text = pd.DataFrame([*lines, _line("All", table)] if len(lines) > 1 else lines)
    text = text.loc[:, (text != NOTHING).any()]  # without the card's memory where there was none
    notes = (
        "Training: time in training steps, of all and of one on average. Images/s: the median over "
        "trainings. Measuring: the evaluations. Memory: the largest resident set of a process, and "
        f"what torch allocated on a card at most. {_machines(table)} {about(settings, runs)}"
    )
    title = "Cost of all trainings"
    write_table(stamped(table, settings), text, title, notes, csv, md, tex)


def duration(seconds: float) -> str:
    """Print seconds as a person says them: 8.2 s, 12 min, 3 h 5 min."""
    if seconds < 99.5:
        return f"{seconds:.0f} s" if seconds >= 9.95 else f"{seconds:.1f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"


def of_trainings(runs: list[Path], settings: ReportJob) -> pd.DataFrame:
    """Return a row a training, as in the CSV."""
    evaluated = {f.parent: read_content(f, Evaluated).seconds for f in runs if f.name == EVALUATION}
    rows = []
    for file in runs:
        if file.name == EVALUATION:
            continue
        training, record = Training.of(file), read_content(file, Cost)
        rows.append(
            {
                **training._asdict(),
                "model": _model(file, training, settings),
                **record.model_dump(exclude={"machines", "packages", "resumed_after_steps"}),
                "device": record.in_turn("device"),
                "resumed": len(record.resumed_after_steps),
                "torch": record.packages.get("torch"),
                "evaluation_seconds": evaluated.get(file.parent),
            }
        )
    return pd.DataFrame(rows).astype({"seed": "Int64"})


def _model(file: Path, training: Training, settings: ReportJob) -> str:
    if training.fraction is None:
        return f"Pretext: {training.name}"
    if training.name not in settings.labels:
        raise InputError(
            f"{file} is of the method {training.name!r}, which the settings do not have; they have "
            f"{', '.join(settings.labels)}."
        )
    return settings.labels[training.name]


def _line(model: str, rows: pd.DataFrame) -> dict[str, str]:
    """Return a line of the printed table."""
    card = rows["peak_device_memory_mib"].astype(float).max()
    return {
        "Model": model,
        "Trainings": str(len(rows)),
        "Training": duration(rows["training_seconds"].sum()),
        "A training": duration(rows["training_seconds"].mean()),
        "Images/s": f"{rows['images_per_second'].median():.1f}",
        "Measuring": duration(rows["evaluation_seconds"].sum()),
        "Memory": f"{rows['peak_memory_mib'].max():,.0f} MiB",
        "Card's memory": NOTHING if math.isnan(card) else f"{card:,.0f} MiB",
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
