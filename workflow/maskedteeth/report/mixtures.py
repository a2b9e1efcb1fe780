"""Whether the runs behind a table are of one kind: code, data, packages, device, measurement.

Trainings of networks from different modules have different fingerprints of code by their nature,
and so have a training, its evaluation and its pretext: code is compared among runs that the same
modules make. Evaluations are always in float32, so they are compared among themselves. Container
images are not compared: a new one for a reworded sentence is another image, and what decides a
number in it, code and packages, is compared already.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from maskedteeth.fingerprint import PACKAGE
from maskedteeth.report.reading import read_content

#: Inputs that all runs of a study share; a split belongs to its fraction and seed.
SHARED_INPUTS = ("images", "index", "masks")

#: Settings of a measurement that all runs of a study share.
MEASUREMENT = ("threshold", "boundary_tolerance", "mask_seed")

#: Name of the record that an evaluation leaves beside that of its training.
EVALUATION = "evaluation.json"

#: Runs that a sentence names one by one.
NAMED = 2


class Record(BaseModel):
    """What is compared of ``run.json`` and ``evaluation.json``; they have more."""

    settings: dict[str, Any]
    code: str
    inputs_sha256: dict[str, str | None]
    packages: dict[str, str | None]
    modules: list[str] = []
    machines: list[dict[str, Any]] = []
    device: str | None = None
    precision: str | None = None
    weights_sha256: str | None = None


def read_record(run: Path) -> dict[str, Any]:
    """Read ``run.json`` or ``evaluation.json``.

    Raises:
        InputError: it is missing or damaged, or lacks what is compared.
    """
    return read_content(run, Record).model_dump()


def name_of(run: Path) -> str:
    """Return the name of a record's run in its study: `unet/fraction-0.2/seed-42`."""
    parts = run.parent.parts
    if parts[-4:-3] == ("runs",):
        return "/".join(parts[-3:])
    if parts[-2:-1] == ("pretext",):
        return "/".join(parts[-2:])
    return run.parent.name


class Training(NamedTuple):
    """Which training a file is about: a run's, or a pretext's, which has no fraction and seed."""

    name: str
    fraction: float | None
    seed: int | None

    @classmethod
    def of(cls, file: Path) -> "Training":
        """Tell it from the file's folder."""
        *first, last = name_of(file).split("/")
        if len(first) < 2:
            return cls(last, None, None)
        fraction = float(first[1].removeprefix("fraction-"))
        return cls(first[0], fraction, int(last.removeprefix("seed-")))


def mixtures(runs: list[Path]) -> str:
    """Say in a few sentences in what ways the runs differ that should be alike, or return "".

    Args:
        runs: ``run.json`` and ``evaluation.json`` of every run and pretext that a table is made
            from.

    Raises:
        InputError: a file is missing or damaged, or lacks what is compared.
    """
    records = [(name_of(run), run.name == EVALUATION, read_record(run)) for run in runs]
    sentences = []
    for words, value_of in (
        ("of different code", _code),
        ("on different data", _data),
        ("of different packages", _packages),
        ("on different devices", lambda record: _machines(record, "device")),
        ("in different precision", lambda record: _machines(record, "precision")),
        ("measured with different settings", _measurement),
    ):
        seen: dict[str, dict[Any, list[str]]] = defaultdict(lambda: defaultdict(list))
        for name, evaluated, record in records:
            for part, value in value_of(record | {"evaluated": evaluated}).items():
                if name not in seen[part][value]:
                    seen[part][value].append(name)
        found = "; ".join(_listed(part, values) for part, values in _differing(seen))
        if found:
            sentences.append(f"Runs {words}: {found}.")
    replaced = _of_other_weights(records)
    if replaced:
        sentences.append(f"Measured on other weights than the run's own: {', '.join(replaced)}.")
    return " ".join(sentences)


def _of_other_weights(records: list[tuple[str, bool, dict]]) -> list[str]:
    """Return the runs whose evaluation read other weights than their training wrote."""
    written = {
        name: record.get("weights_sha256") for name, evaluated, record in records if not evaluated
    }
    read = {
        name: record.get("inputs_sha256", {}).get("weights")
        for name, evaluated, record in records
        if evaluated
    }
    return [name for name, digest in read.items() if written.get(name) not in (None, digest)]


def _differing(seen: dict[str, dict[Any, list[str]]]) -> Iterator[tuple[str, dict]]:
    yield from ((part, values) for part, values in seen.items() if len(values) > 1)


def _code(record: dict) -> dict[str, Any]:
    """Return a run's fingerprint under a key for the modules that it is taken from."""
    model = record.get("settings", {}).get("model", {})
    modules = record.get("modules") or [model.get("architecture", "")]  # in records without them
    return {
        " and ".join(module.removeprefix(f"{PACKAGE}.") for module in modules): record.get("code")
    }


def _data(record: dict) -> dict[str, Any]:
    inputs, settings = record.get("inputs_sha256", {}), record.get("settings", {})
    found = {name: inputs[name] for name in SHARED_INPUTS if inputs.get(name)}
    if {"fraction", "seed"} <= {*settings} and inputs.get("split"):
        found[f"split {settings['fraction']}, seed {settings['seed']}"] = inputs["split"]
    return found


def _machines(record: dict, key: str) -> dict[str, Any]:
    """Return a run's device or precision; several where it was stopped and went on elsewhere."""
    names = [machine.get(key) for machine in record.get("machines") or [record]]
    kind = "evaluations" if record["evaluated"] else ""
    return {kind: " then ".join(map(str, names)) if any(names) else None}


def _measurement(record: dict) -> dict[str, Any]:
    settings = record.get("settings", {})
    return {name: settings[name] for name in MEASUREMENT if name in settings}


def _packages(record: dict) -> dict[str, Any]:
    return dict(record.get("packages", {}))


def _listed(part: str, values: dict[Any, list[str]]) -> str:
    """List values with the runs that have them, the most frequent first."""
    texts = []
    for value, names in sorted(values.items(), key=lambda item: -len(item[1])):
        who = ", ".join(names) if len(names) <= NAMED else f"{len(names)} runs"
        texts.append(f"{short(value)} ({who})")
    return f"{part}: {', '.join(texts)}" if part else ", ".join(texts)


def short(value: Any) -> str:
    """Print a value of run.json shortly: digests by their first twelve digits."""
    if value is None:
        return "unknown"
    text = value if isinstance(value, str) else json.dumps(value)
    digest, dash, rest = text.removeprefix("sha256:").partition("-")
    if len(digest) in (16, 40, 64) and set(digest) <= set("0123456789abcdef"):
        return digest[:12] + dash + rest
    return text
