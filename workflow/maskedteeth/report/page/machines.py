"""What a study ran on, by the records of its runs."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskedteeth.files import read_json
from maskedteeth.report.mixtures import EVALUATION, mixtures, name_of
from maskedteeth.report.page.markdown import Grid
from maskedteeth.report.page.tables import grid_of
from maskedteeth.report.tables.layout import NOTHING

Records = dict[str, dict[str, Any]]
#: What a machine is told by, with the words for it.
MACHINE = {
    "device": "Device",
    "precision": "Precision",
    "threads": "Threads",
    "system": "System",
    "python": "Python",
}


@dataclass(frozen=True)
class Origin:
    """Where the numbers come from.

    Attributes:
        trainings: how many networks were trained.
        seconds: of all trainings and measurements together.
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
        InputError: a file is missing or no record.
    """
    trained, measured = {}, {}
    for file in runs:
        of = measured if file.name == EVALUATION else trained
        of[name_of(file)] = read_json(file, keys=())
    return Origin(
        trainings=len(trained),
        seconds=sum(seconds(r) for of in (trained, measured) for r in of.values()),
        machines=_kinds(list(MACHINE.values()), map(_machine, trained.values())),
        packages=grid_of(["Package", "Version"], _packages(trained)),
        commits=_kinds(["Commit"], ([r.get("git_commit") or "unknown"] for r in trained.values())),
        differences=mixtures(runs),
        radiographs=_radiographs(trained),
    )


def seconds(record: dict[str, Any]) -> float:
    """Return what a record says that its result took; a resumed training counts as a whole."""
    return float(record.get("training_seconds") or record.get("seconds") or 0)


def _machine(record: dict[str, Any]) -> list[str]:
    """Return what a machine is told by; of a training that moved, each device in turn."""
    stays = record.get("machines") or [record]
    cells = []
    for key in MACHINE:
        values = dict.fromkeys(str(stay.get(key, record.get(key, NOTHING))) for stay in stays)
        cells.append(" then ".join(values))
    return cells


def _kinds(columns: list[str], rows) -> Grid:
    counts = Counter(tuple(row) for row in rows)
    return grid_of(
        [*columns, "Trainings"], [[*row, str(count)] for row, count in counts.most_common()]
    )


def _packages(trained: Records) -> list[list[str]]:
    versions: dict[str, dict[str, None]] = {}
    for record in trained.values():
        for name, version in record.get("packages", {}).items():
            versions.setdefault(name, {})[version or "unknown"] = None
        if image := record.get("image"):
            named = image.get("digest") or image.get("content") or "digest unknown"
            versions.setdefault("Container image", {})[f"{image['name']} ({named})"] = None
    return [[name, ", ".join(found)] for name, found in versions.items()]


def _radiographs(trained: Records) -> dict[float, str]:
    counts: dict[float, set[int]] = {}
    for record in trained.values():
        fraction, shape = record.get("settings", {}).get("fraction"), record.get("radiographs")
        if fraction is not None and shape:
            counts.setdefault(fraction, set()).add(shape[0])
    return {
        fraction: " to ".join(map(str, sorted({min(found), max(found)})))
        for fraction, found in sorted(counts.items())
    }
