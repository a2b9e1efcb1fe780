"""The records of trainings and evaluations, read: what they say, and in what they differ.

:mod:`maskedteeth.record` writes them.
"""

import json
from pathlib import Path
from typing import Any

from maskedteeth.errors import InputError
from maskedteeth.fingerprint import PACKAGE

#: Inputs that all runs of a study share.
SHARED_INPUTS = ("images", "labels", "index")
#: Settings of a measurement that all runs of a study share.
MEASUREMENT = ("threshold", "boundary_tolerance", "mask_seed")
#: Runs that a sentence names one by one; of more it gives the number.
NAMED = 2


def unlike(runs: list[Path]) -> str:
    """Say in what the runs behind a table differ that should be alike.

    Code is compared among records that the same modules made: a training, its evaluation and its
    pretext have different code by their nature. Container images are not compared: what decides a
    number in one, code and packages, is compared already.

    Args:
        runs: ``run.json`` and ``evaluation.json`` of every run and pretext behind the table.

    Returns:
        A few sentences; "" where the runs are alike.
    """
    records = [read(file) for file in runs]
    seen: dict[str, dict[str, dict[str, dict[str, None]]]] = {}
    for record in records:
        names = dict.fromkeys(name_of(part) for part in record.get("runs", [record]))
        for words, parts in _compared(record, is_evaluation(record)).items():
            for part, value in parts.items():
                values = seen.setdefault(words, {}).setdefault(part, {})
                values.setdefault(short(value), {}).update(names)
    sentences = []
    for words, parts in seen.items():
        found = [_listed(part, values) for part, values in parts.items() if len(values) > 1]
        if found:
            sentences.append(f"Runs {words}: {'; '.join(found)}.")
    written = {name_of(r): r["weights_sha256"] for r in records if not is_evaluation(r)}
    measured = [part for r in records if is_evaluation(r) for part in r.get("runs", [r])]
    digests = dict.fromkeys((name_of(part), part["weights_sha256"]) for part in measured)
    if replaced := [name for name, digest in digests if written.get(name, digest) != digest]:
        sentences.append(f"Measured with weights other than the run's: {', '.join(replaced)}.")
    return " ".join(sentences)


def read(file: Path) -> dict[str, Any]:
    """Return a record that this module wrote."""
    return json.loads(file.read_text(encoding="utf-8"))


def is_evaluation(record: dict[str, Any]) -> bool:
    """Tell the record of an evaluation from that of a training, which has steps."""
    return "steps" not in record


def name_of(part: dict[str, Any]) -> str:
    """Name the training that a record, or a part of an evaluation's, is of."""
    if "pretext" in part:
        return f"pretext {part['pretext']}"
    return f"{part['method']} at {part['fraction']:g} with seed {part['seed']}"


def _compared(record: dict[str, Any], evaluated: bool) -> dict[str, dict[str, Any]]:
    """Return what should be alike, by the words for a difference; each in parts with names."""
    settings, inputs = record["settings"], record["inputs_sha256"]
    stays = record.get("machines") or [record]  # several where a training moved
    modules = " and ".join(name.removeprefix(f"{PACKAGE}.") for name in record["modules"])
    data = {name: inputs[name] for name in SHARED_INPUTS if inputs.get(name)}
    kind = "evaluations" if evaluated else ""
    device, precision = (
        {kind: " then ".join(dict.fromkeys(stay[key] for stay in stays))}
        for key in ("device", "precision")
    )
    return {
        "of different code": {modules: record["code"]},
        "on different data": data,
        "with different test sets": settings.get("held_out", {}),
        "trained in different ways": settings.get("training", {}),
        "of different packages": record["packages"],
        "on different devices": device,
        "in different precision": precision,
        "measured with different settings": {
            name: settings[name] for name in MEASUREMENT if name in settings
        },
    }


def _listed(part: str, values: dict[str, dict[str, None]]) -> str:
    """List values with the runs that have them, the most frequent first."""
    texts = []
    for value, who in sorted(values.items(), key=lambda item: -len(item[1])):
        texts.append(f"{value} ({', '.join(who) if len(who) <= NAMED else f'{len(who)} runs'})")
    return f"{part}: {', '.join(texts)}" if part else ", ".join(texts)


def short(value: Any) -> str:
    """Print a value of a record shortly: digests by their first twelve digits."""
    if value is None:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value)
    digest, dash, rest = text.removeprefix("sha256:").partition("-")
    if len(digest) in (16, 40, 64) and set(digest) <= set("0123456789abcdef"):
        return digest[:12] + dash + rest
    return text


def why(run: Path, /) -> None:
    """Print how a result came about: settings, seeds, code, data, machine and cost.

    Args:
        run: the folder of a training or an evaluation, or a file in it:
            ``runs/METHOD/fraction-F/seed-S``, ``pretext/NAME`` or ``evaluation/METHOD`` of a study.

    Raises:
        InputError: neither left its record there.
    """
    folder = run if run.is_dir() else run.parent
    files = [folder / name for name in ("run.json", "evaluation.json")]
    files = [file for file in files if file.is_file()]
    if not run.exists() or not files:
        raise InputError(
            f"{run} is not the result of a training or an evaluation: there is no run.json or "
            "evaluation.json. Name a folder runs/METHOD/fraction-F/seed-S, pretext/NAME or "
            "evaluation/METHOD of a study."
        )
    known: dict[str, str] = {}
    for file in files:
        print(file)
        for key, value in _flat(read(file)).items():
            if known.get(key) != value:  # the evaluation repeats much of what the training says
                print(f"  {key}: {value}")
                known[key] = value
    print(unlike(files))


def _flat(value: Any, name: str = "") -> dict[str, str]:
    """Return the values in nested objects by their path: ``settings.training.epochs``."""
    if not isinstance(value, dict):
        return {name: short(value)}
    parts = (_flat(inner, f"{name}.{key}" if name else key) for key, inner in value.items())
    return {key: text for part in parts for key, text in part.items()}
