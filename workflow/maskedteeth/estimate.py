"""About how long, and how large: estimates from what this machine has done or measured."""

import json
import math
import textwrap
from collections import defaultdict
from functools import cache
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from maskedteeth.archive import RESULTS, size
from maskedteeth.config import Settings
from maskedteeth.files import read_csv, read_json

if TYPE_CHECKING:
    from snakemake.jobs import Job

#: Radiographs of the paper's dataset.
HITL = 598


def estimate(study: Settings, jobs: list["Job"]) -> list[str]:
    """Return lines on the hours and the disk space that ``jobs`` will take.

    Hours are of trainings alone, which take nearly all the time.
    """
    trainings = [job for job in jobs if job.rule.name in ("train", "pretrain")]
    number = radiographs(study)
    lines = ["Estimate, from what this machine has measured"]
    if trainings:
        lines += _hours(study, trainings, number)
    else:
        lines.append("  no training: minutes at most")
    return lines + _disk(study, jobs, number)


def radiographs(study: Settings) -> int | None:
    """Return how many radiographs the study has, or will have; None where nobody knows yet."""
    index = Path(RESULTS, study.study, "data", "index.csv")
    if index.is_file():
        return len(read_csv(index))
    if study.data.source == "phantom":
        return study.data.phantom.images
    return HITL if study.data.source == "hitl" else None


def steps(settings: dict[str, Any], study: Settings, number: int) -> int:
    """Return the steps of a training, about: unlabelled radiographs and copies are not known."""
    pool = number * (1 - study.split.test_fraction)
    if settings.get("budget") == "equal-epochs":
        pool = number * settings["fraction"]
    return math.ceil(settings["epochs"] * pool / settings["batch_size"])


def _hours(study: Settings, trainings: list["Job"], number: int | None) -> list[str]:
    from maskedteeth.training.device import set_up

    machine = set_up(study.compute)
    rates = seconds_per_step(machine.name)
    seconds, counted, without = 0.0, 0, defaultdict(int)
    for job in trainings:
        settings = json.loads(job.params.settings)
        name = str(job.wildcards.get("method") or job.wildcards.get("pretext"))
        rate = rates.get(_key(job.rule.name, settings, *_size(study)))
        rate = rate or measured(study, job.rule.name, name, settings["batch_size"], machine.name)
        if rate is None or number is None:
            without[name] += 1
        else:
            seconds += rate * steps(settings, study, number)
            counted += 1
    lines = [f"  device: {machine.name}"]
    if counted:
        unit = "GPU" if machine.device.type == "cuda" else "CPU"
        cores = study.compute.threads if unit == "CPU" else 1
        text = f"about {_duration(seconds * cores)} of {unit} time for {counted} trainings"
        if cores > 1:
            text += f" ({_duration(seconds)} one after another, {cores} threads each)"
        lines += _item(text)
    if number is None:
        lines += _item("hours unknown: how many radiographs there are, `snakemake index` finds out")
    elif without:
        names = ", ".join(f"{count} {name}" for name, count in without.items())
        lines += _item(f"no rate measured yet of: {names}")
        lines += _item("`snakemake measure` takes a minute and measures them")
    return lines


def _item(text: str) -> list[str]:
    return textwrap.wrap(text, 80, initial_indent="  ", subsequent_indent="    ")


def _size(study: Settings) -> tuple[int, int]:
    return study.image.height, study.image.width


def measured(study: Settings, stage: str, name: str, batch_size: int, device: str) -> float | None:
    """Return the seconds a step that `snakemake measure` found on ``device``, or None."""
    path = Path(RESULTS, study.study, "needs", f"{stage}-{name}.json")
    if not path.is_file():
        return None
    needs = read_json(path)
    here = {"device": device, "batch_size": batch_size, "height": study.image.height}
    here["width"] = study.image.width
    return needs["seconds_per_step"] if all(needs.get(k) == v for k, v in here.items()) else None


def seconds_per_step(device: str) -> dict[tuple, float]:
    """Return the median seconds a step that ``device`` took, by kind of training.

    From the records of finished trainings of all studies here.
    """
    found = defaultdict(list)
    for path in _runs():
        record = read_json(path)
        if record.get("device") == device and record.get("steps") and record.get("radiographs"):
            stage = "pretrain" if "pretext" in path.parts else "train"
            height, width = record["radiographs"][1:]
            key = _key(stage, record["settings"], height, width)
            found[key].append(record["training_seconds"] / record["steps"])
    return {key: median(values) for key, values in found.items()}


def _runs() -> list[Path]:
    patterns = ("*/runs/*/fraction-*/seed-*/run.json", "*/pretext/*/run.json")
    return [path for pattern in patterns for path in sorted(Path(RESULTS).glob(pattern))]


def _key(stage: str, settings: dict[str, Any], height: int, width: int) -> tuple:
    model = {k: v for k, v in settings["model"].items() if k != "encoder_weights"}
    machine = {k: settings["compute"][k] for k in ("precision", "threads")}
    kind = json.dumps([model, machine, settings["batch_size"]], sort_keys=True)
    return stage, kind, height, width


def _disk(study: Settings, jobs: list["Job"], number: int | None) -> list[str]:
    rules = [job.rule.name for job in jobs]
    pixels = study.image.height * study.image.width
    parts, unknown = {}, []
    if "prepare" in rules:
        if number is None:
            unknown.append("arrays")
        else:
            parts["arrays"] = 2 * number * pixels
    if "evaluate" in rules and number is not None:
        tested = math.ceil(number * study.split.test_fraction)
        parts["predictions (at most)"] = rules.count("evaluate") * tested * pixels
    weights = 0
    for job in jobs:
        if job.rule.name in ("train", "pretrain"):
            weights += bytes_of_weights(json.dumps(json.loads(job.params.settings)["model"]))
    if weights:
        parts["weights"] = weights
    if not parts and not unknown:
        return []
    listed = ", ".join(f"{name} {size(value)}" for name, value in parts.items())
    lines = _item(f"about {size(sum(parts.values()))} of disk: {listed}") if parts else []
    return lines + [f"  unknown: {name}" for name in unknown]


@cache
def bytes_of_weights(model: str) -> int:
    """Return the size of a network's weights from its settings as JSON; nothing is allocated."""
    import torch

    from maskedteeth.config import Model
    from maskedteeth.models import build

    with torch.device("meta"):
        network = build(Model(**(json.loads(model) | {"encoder_weights": None})))
    return sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
