"""What a study ran on, by the records of its runs."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field

from maskedteeth.report.mixtures import EVALUATION, mixtures
from maskedteeth.report.page.markdown import Grid
from maskedteeth.report.page.tables import grid_of
from maskedteeth.report.reading import read_content
from maskedteeth.report.tables.cost import Cost, Evaluated

#: What a machine is told by, with the words for it.
MACHINE = {
    "device": "Device",
    "precision": "Precision",
    "threads": "Threads",
    "system": "System",
    "python": "Python",
}


class Image(BaseModel):
    """A container image."""

    name: str
    digest: str | None = None
    content: str | None = None


class Job(BaseModel):
    """The settings of a training; a pretext's have no fraction."""

    fraction: float | None = None


class Trained(Cost):
    """What ``run.json`` says besides of where and on what; it has more."""

    settings: Job
    image: Image | None = None
    radiographs: list[int] = Field(default_factory=list)


@dataclass(frozen=True)
class Origin:
    """Where the numbers come from.

    Attributes:
        trainings: how many networks were trained.
        seconds: of all trainings, a resumed one as a whole, and measurements together.
        machines: kinds of machines, with how many trainings ran on each.
        packages: versions.
        commits: of the code that trained, with the number of trainings.
        differences: in what the runs differ that should be alike; empty where in nothing.
        radiographs: how many each fraction trained on, as `5 to 6` where that differs.
    """

    trainings: int
    seconds: float
    machines: Grid
    packages: Grid
    commits: Grid
    differences: str
    radiographs: dict[float, str]


def read_origin(runs: list[Path]) -> Origin:
    """Read the ``run.json`` and ``evaluation.json`` of all runs and pretexts.

    Args:
        runs: the files.

    Raises:
        InputError: a file is missing or damaged, or lacks what is told of it.
    """
    trained = [read_content(file, Trained) for file in runs if file.name != EVALUATION]
    measured = [read_content(file, Evaluated) for file in runs if file.name == EVALUATION]
    return Origin(
        trainings=len(trained),
        seconds=sum(r.training_seconds for r in trained) + sum(r.seconds for r in measured),
        machines=_kinds(
            list(MACHINE.values()), ([r.in_turn(key) for key in MACHINE] for r in trained)
        ),
        packages=grid_of(["Package", "Version"], _packages(trained)),
        commits=_kinds(["Commit"], ([record.git_commit or "unknown"] for record in trained)),
        differences=mixtures(runs),
        radiographs=_radiographs(trained),
    )


def _kinds(columns: list[str], rows) -> Grid:
    counts = Counter(tuple(row) for row in rows)
    return grid_of(
        [*columns, "Trainings"], [[*row, str(count)] for row, count in counts.most_common()]
    )


def _packages(trained: list[Trained]) -> list[list[str]]:
    versions: dict[str, dict[str, None]] = {}
    for record in trained:
        for name, version in record.packages.items():
            versions.setdefault(name, {})[version or "unknown"] = None
        if image := record.image:
            named = image.digest or image.content or "digest unknown"
            versions.setdefault("Container image", {})[f"{image.name} ({named})"] = None
    return [[name, ", ".join(found)] for name, found in versions.items()]


def _radiographs(trained: list[Trained]) -> dict[float, str]:
    counts: dict[float, set[int]] = {}
    for record in trained:
        fraction = record.settings.fraction
        if fraction is not None and record.radiographs:
            counts.setdefault(fraction, set()).add(record.radiographs[0])
    return {
        fraction: " to ".join(map(str, sorted({min(found), max(found)})))
        for fraction, found in sorted(counts.items())
    }
