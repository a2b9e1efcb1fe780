"""About how long, and how large: estimates from what this machine has done or measured."""

import json
import math
import textwrap
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from maskedteeth.files import read_csv, read_json
from maskedteeth.settings.config import Settings
from maskedteeth.study.archive import RESULTS, size
from maskedteeth.study.processes import processor
from maskedteeth.study.progress.words import duration
from maskedteeth.training.cards import name_of, visible_cards

if TYPE_CHECKING:
    from snakemake.jobs import Job

#: Radiographs of the paper's dataset.
HITL = 598


def estimate(study: Settings, jobs: list["Job"], command: Callable[[str], str]) -> list[str]:
    """Return lines on the hours and the disk space that ``jobs`` will take.

    Hours are of trainings alone, which take nearly all the time. ``command`` tells how to make
    another target of the same study, which may find out what is unknown.
    """
    trainings = [job for job in jobs if job.rule.name in ("train", "pretrain")]
    number = radiographs(study)
    lines = ["Estimate, from what this machine has measured"]
    if trainings:
        lines += _hours(study, trainings, number, command)
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
    share = 1.0 if study.split.protocol == "complement" else 1 - study.split.test_fraction
    if settings.get("budget") == "equal-epochs":
        share = settings["fraction"]
    return math.ceil(settings["epochs"] * number * share / settings["batch_size"])


def tested(job: "Job", study: Settings, number: int) -> int:
    """Return how many radiographs an evaluation tests on, at most: all may be labelled."""
    share = study.split.test_fraction
    if study.split.protocol == "complement":
        share = 1 - float(job.wildcards.fraction)
    return math.ceil(number * share)


def _hours(
    study: Settings,
    trainings: list["Job"],
    number: int | None,
    command: Callable[[str], str],
) -> list[str]:
    device, unit = _machine(study)
    rates = seconds_per_step(device)
    seconds, counted, without = 0.0, 0, defaultdict(int)
    for job in trainings:
        settings = json.loads(job.params.settings)
        rate = rates.get(_key(job.rule.name, settings, study.image.height, study.image.width))
        needs = measured(job)
        if rate is None and needs.get("device") == device:
            rate = needs["seconds_per_step"]
        if rate is None or number is None:
            without[str(job.wildcards.get("method") or job.wildcards.get("pretext"))] += 1
        else:
            seconds += rate * steps(settings, study, number)
            counted += 1
    lines = [f"  device: {device}"]
    if counted:
        cores = study.compute.threads if unit == "CPU" else 1
        text = f"about {duration(seconds * cores)} of {unit} time for {counted} trainings"
        if cores > 1:
            text += f" ({duration(seconds)} one after another, {cores} threads each)"
        lines += _item(text)
    if number is None:
        lines += _item("hours unknown, as is the number of radiographs; this counts them:")
        lines.append(f"    {command('index')}")
    elif without:
        names = ", ".join(f"{count} {name}" for name, count in without.items())
        lines += _item(f"no rate measured yet of: {names}")
        lines += _item("this measures them in a minute:")
        lines.append(f"    {command('measure')}")
    return lines


def _machine(study: Settings) -> tuple[str, str]:
    """Return the name of the device that will train, and whether it is a GPU or a CPU."""
    cards = [] if study.compute.device == "cpu" else visible_cards()
    return (name_of(cards[0]), "GPU") if cards else (processor(), "CPU")


def _item(text: str) -> list[str]:
    return textwrap.wrap(text, 80, initial_indent="  ", subsequent_indent="    ")


def measured(job: "Job") -> dict[str, Any]:
    """Return what `snakemake measure` found of a training, nothing if it has not."""
    path = Path(job.input.needs)
    return read_json(path) if path.is_file() else {}


def seconds_per_step(device: str) -> dict[tuple, float]:
    """Return the median seconds a step that ``device`` took, by kind of training.

    From the records of finished trainings of all studies here.
    """
    found = defaultdict(list)
    for stage, path in _runs():
        record = read_json(path)
        if record.get("device") == device and "training_seconds" in record:
            height, width = record["radiographs"][1:]
            key = _key(stage, record["settings"], height, width)
            found[key].append(record["training_seconds"] / record["steps"])
    return {key: median(values) for key, values in found.items()}


def _runs() -> list[tuple[str, Path]]:
    patterns = {
        "train": "*/runs/*/fraction-*/seed-*/run.json",
        "pretrain": "*/pretext/*/run.json",
    }
    return [
        (stage, path)
        for stage, pattern in patterns.items()
        for path in sorted(Path(RESULTS).glob(pattern))
    ]


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
        evaluations = [job for job in jobs if job.rule.name == "evaluate"]
        images = sum(tested(job, study, number) for job in evaluations)
        parts["predictions (at most)"] = images * pixels
    trainings = [measured(job) for job in jobs if job.rule.name in ("train", "pretrain")]
    weights = sum(needs.get("weights_bytes", 0) for needs in trainings)
    without = sum("weights_bytes" not in needs for needs in trainings)
    if without:
        unknown.append(f"weights of {without} trainings")
    if weights:
        parts["weights"] = weights
    if not parts and not unknown:
        return []
    listed = ", ".join(f"{name} {size(value)}" for name, value in parts.items())
    lines = _item(f"about {size(sum(parts.values()))} of disk: {listed}") if parts else []
    return lines + [f"  disk unknown: {name}" for name in unknown]
