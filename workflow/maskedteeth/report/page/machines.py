"""What a study cost, and what it ran on, by the records of its runs."""

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
COLUMNS = ["What", "Trainings", "Training", "A training", "Images/s", "Measuring", "Memory"]
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
        costs: a line a pretext and method, and their sum.
        machines: kinds of machines, with how many trainings ran on each.
        packages: versions.
        commits: of the code that trained, with the number of trainings.
        differences: in what the runs differ that should be alike; empty where in nothing.
        radiographs: how many each fraction trained on, as `5 to 6` where that differs.
    """

    trainings: int
    seconds: float
    costs: Grid
    machines: Grid
    packages: Grid
    commits: Grid
    differences: str
    radiographs: dict[float, str]


def read_origin(runs: list[Path], labels: dict[str, str]) -> Origin:
    """Read the ``run.json`` and ``evaluation.json`` of all runs and pretexts.

    Args:
        runs: the files.
        labels: methods in order, with their names in print.

    Raises:
        InputError: a file is missing or no record.
    """
    trained, measured = {}, {}
    for file in runs:
        of = measured if file.name == EVALUATION else trained
        of[name_of(file)] = read_json(file, keys=())
    pretexts = [name for name in trained if name.startswith("pretext/")]
    kinds = {f"Pretext {name.removeprefix('pretext/')}": [name] for name in pretexts}
    kinds |= {
        label: [name for name in trained if name.startswith(f"{method}/")]
        for method, label in labels.items()
    }
    lines = [_cost(label, names, trained, measured) for label, names in kinds.items() if names]
    card = any(record.get("peak_device_memory_mib") for record in trained.values())
    if len(lines) > 1:
        lines.append(_cost("All", list(trained), trained, measured))
    return Origin(
        trainings=len(trained),
        seconds=sum(seconds(r) for of in (trained, measured) for r in of.values()),
        costs=grid_of(
            COLUMNS + ["Card’s memory"] * card, [line[: len(COLUMNS) + card] for line in lines]
        ),
        machines=_kinds(list(MACHINE.values()), map(_machine, trained.values())),
        packages=grid_of(["Package", "Version"], _packages(trained)),
        commits=_kinds(["Commit"], ([r.get("git_commit") or "unknown"] for r in trained.values())),
        differences=mixtures(runs),
        radiographs=_radiographs(trained),
    )


def seconds(record: dict[str, Any]) -> float:
    """Return what a record says that its result took; a resumed training counts as a whole."""
    return float(record.get("training_seconds") or record.get("seconds") or 0)


def duration(value: float) -> str:
    """Print seconds as a person says them: 8 s, 12 min, 3 h 5 min."""
    if value < 99.5:
        return f"{value:.0f} s" if value >= 9.95 else f"{value:.1f} s"
    minutes = round(value / 60)
    hours, rest = divmod(minutes, 60)
    return f"{minutes} min" if not hours else f"{hours:,} h {rest} min"


def _cost(label: str, names: list[str], trained: Records, measured: Records) -> list[str]:
    spent = [seconds(trained[name]) for name in names]
    speeds = [s for name in names if (s := trained[name].get("images_per_second"))]
    evaluations = [seconds(measured[name]) for name in names if name in measured]
    memory, card = (
        [m for name in names if (m := trained[name].get(key))]
        for key in ("peak_memory_mib", "peak_device_memory_mib")
    )
    return [
        label,
        str(len(names)),
        duration(sum(spent)),
        duration(sum(spent) / len(spent)),
        f"{sorted(speeds)[len(speeds) // 2]:.1f}" if speeds else NOTHING,
        duration(sum(evaluations)) if evaluations else NOTHING,
        f"{max(memory):,.0f} MiB" if memory else NOTHING,
        f"{max(card):,.0f} MiB" if card else NOTHING,
    ]


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
