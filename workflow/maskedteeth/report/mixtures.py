"""Whether the runs behind a table are of one kind: code, data, packages, device, precision.

Trainings of networks from different modules have different fingerprints of code by their nature,
and so have a training and its pretext: code is compared among runs that the same modules make.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskedteeth.files import read_json
from maskedteeth.fingerprint import PACKAGE

#: Inputs that all runs of a study share; a split belongs to its fraction and seed.
SHARED_INPUTS = ("images", "index", "masks")

#: Runs that a sentence names one by one.
NAMED = 2


def name_of(run: Path) -> str:
    """Return the name of a run.json's run in its study: `unet/fraction-0.2/seed-42`."""
    parts = run.parent.parts
    for folder in ("runs", "pretext"):
        if folder in parts:
            place = len(parts) - 1 - parts[::-1].index(folder)
            return "/".join(parts[place + (folder == "runs") :])
    return run.parent.name


def mixtures(runs: list[Path]) -> str:
    """Say in a few sentences in what ways the runs differ that should be alike, or return "".

    Args:
        runs: ``run.json`` of every run and pretext that a table is made from.

    Raises:
        InputError: a file is missing or no JSON.
    """
    records = {name_of(run): read_json(run) for run in runs}
    sentences = []
    for label, value_of in (
        ("code", _code),
        ("data", _data),
        ("packages", _packages),
        ("devices", lambda record: {"": _machines(record, "device")}),
        ("precision", lambda record: {"": _machines(record, "precision")}),
    ):
        seen: dict[str, dict[Any, list[str]]] = defaultdict(lambda: defaultdict(list))
        for name, record in records.items():
            for part, value in value_of(record).items():
                seen[part][value].append(name)
        found = "; ".join(_listed(part, values) for part, values in _differing(seen))
        if found:
            verb = "on" if label in ("data", "devices") else "in" if label == "precision" else "of"
            sentences.append(f"Runs {verb} different {label}: {found}.")
    return " ".join(sentences)


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
    if "fraction" in settings and inputs.get("split"):
        found[f"split {settings['fraction']}, seed {settings['seed']}"] = inputs["split"]
    return found


def _machines(record: dict, key: str) -> Any:
    """Return a run's device or precision; several where it was stopped and went on elsewhere."""
    names = [machine.get(key) for machine in record.get("machines") or [record]]
    return " then ".join(map(str, names)) if any(names) else None


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
    digest, dash, rest = text.partition("-")
    if len(digest) in (16, 40, 64) and set(digest) <= set("0123456789abcdef"):
        return digest[:12] + dash + rest
    return text
