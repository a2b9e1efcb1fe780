"""`run.json` and `evaluation.json`: how a number came about, enough to defend it a year later.

Every training leaves a ``run.json``, every evaluation an ``evaluation.json``. This module writes
them (:class:`RunRecord`), says in what the runs behind a table differ that should be alike
(:func:`compare`), and prints them for people (:func:`why`).
"""

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskedteeth.errors import InputError
from maskedteeth.files import write_json
from maskedteeth.fingerprint import PACKAGE, fingerprint
from maskedteeth.machine import peak_memory_mib
from maskedteeth.settings.sections import as_values

if TYPE_CHECKING:
    from maskedteeth.training.device import Machine

PACKAGES = (
    *("torch", "torchvision", "numpy", "opencv-python", "segmentation-models-pytorch"),
    *("piq", "lpips", "safetensors", "snakemake"),
)
#: Packages that define networks.
NETWORKS = ("segmentation-models-pytorch", "timm", "torchvision")
#: Inputs that all runs of a study share.
SHARED_INPUTS = ("images", "labels", "index")
#: Settings of a measurement that all runs of a study share.
MEASUREMENT = ("threshold", "boundary_tolerance", "mask_seed")
#: Runs that a sentence names one by one; of more it gives the number.
NAMED = 2


class RunRecord:
    """How a result comes about, written down while it does.

    Code and inputs are identified when the record is opened: what is edited or replaced while a
    long training runs is not what ran.

    Args:
        settings: the stage's sections by name, as models or plain values.
        modules: the stage's module and those of the networks that it builds.
        machine: device and precision in use.
        inputs: files that the result depends on, by name; None for one that is not used.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        modules: tuple[str, ...],
        machine: "Machine",
        **inputs: Path | None,
    ):
        self.begin = time.perf_counter()
        self.machine = machine
        self.content = {
            "settings": as_values(settings),
            "code": fingerprint(*modules),
            "modules": list(modules),
            "git_commit": git_commit(),
            "image": image(),
            "inputs_sha256": {n: sha256(f) if f else None for n, f in inputs.items()},
        }

    @property
    def identity(self) -> dict[str, Any]:
        """What makes two runs the same: settings, code and inputs; and where this one runs."""
        parts = ("settings", "code", "inputs_sha256")
        return {
            **{name: self.content[name] for name in parts},
            "packages": {name: _version(name) for name in NETWORKS},
            "machine": {**self._where(), "torch": _version("torch")},
        }

    def _where(self) -> dict[str, Any]:
        import torch

        return {
            "device": self.machine.name,
            "device_type": self.machine.device.type,
            "precision": str(self.machine.precision).removeprefix("torch."),
            "threads": torch.get_num_threads(),
        }

    def write(self, path: Path, **measured: Any) -> None:
        """Write the record to ``path`` as JSON, atomically.

        Besides what was known at the start it holds packages, machine, ``seconds`` since then,
        peak memory in MiB (the device's as torch's allocator counts it), and ``measured``.
        """
        import torch

        used = None
        if self.machine.device.type == "cuda":
            used = round(torch.cuda.max_memory_allocated(self.machine.device) / 2**20, 1)
        found = {
            "packages": {name: _version(name) for name in PACKAGES},
            "python": platform.python_version(),
            "system": platform.platform(),
            **self._where(),
            "peak_memory_mib": round(peak_memory_mib(), 1),
            "peak_device_memory_mib": used,
            "seconds": round(time.perf_counter() - self.begin, 2),
        }
        write_json(path, self.content | found | measured)


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with Path(file).open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror}. Restore it, or remove it so that it is made "
            "again."
        ) from None


def git_commit() -> str | None:
    """Return the commit of the working tree that this code lies in, marked when it is changed."""
    here = Path(__file__).parent
    # Without tags, which would stand in the commit's place and can be moved.
    describe = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    command = ["git", "-C", str(here), *describe]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def image() -> dict[str, str | None] | None:
    """Return the container image that this runs in, or None outside one.

    ``name`` and ``digest`` come from ``MASKEDTEETH_IMAGE`` (NAME@sha256:...), which whoever starts
    the container sets: nothing inside it can know its digest. ``content`` (a digest of all code and
    packages in it) and ``commit`` were written when this project's image was built. What is not
    known is None. A file that Apptainer runs is named by its path.

    Raises:
        InputError: ``MASKEDTEETH_IMAGE`` holds something else after its @.
    """
    built = Path(sys.prefix) / "image.json"  # beside the Python that runs, whose ever the code is
    file = os.environ.get("APPTAINER_CONTAINER") or os.environ.get("SINGULARITY_CONTAINER")
    if not (built.is_file() or file):
        return None
    record = {"name": file, "digest": None, "content": None, "commit": None}
    if built.is_file():
        record |= {key: value or None for key, value in json.loads(built.read_text()).items()}
    if given := os.environ.get("MASKEDTEETH_IMAGE"):
        name, _, digest = given.partition("@")
        if digest and not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            raise InputError(
                f"MASKEDTEETH_IMAGE is {given!r}; expected NAME@sha256: and 64 hexadecimal "
                "digits, or the name alone. docs/container.md has the line that finds them."
            )
        record |= {"name": name, "digest": digest or None}
    return record


def _version(package: str) -> str | None:
    # OpenCV may be here as its build without windows (Makefile).
    for name in (package, f"{package}-headless"):
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return None


def compare(runs: list[Path]) -> str:
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
    seen: dict[str, dict[str, dict[str, list[str]]]] = {}
    for record in records:
        names = [name_of(part) for part in record.get("runs", [record])]
        for words, parts in _compared(record, is_evaluation(record)).items():
            for part, value in parts.items():
                values = seen.setdefault(words, {}).setdefault(part, {})
                who = values.setdefault(short(value), [])
                who += [name for name in names if name not in who]
    sentences = []
    for words, parts in seen.items():
        found = [_listed(part, values) for part, values in parts.items() if len(values) > 1]
        if found:
            sentences.append(f"Runs {words}: {'; '.join(found)}.")
    written = {name_of(r): r["weights_sha256"] for r in records if not is_evaluation(r)}
    measured = [part for r in records if is_evaluation(r) for part in r.get("runs", [r])]
    replaced = [
        name_of(part)
        for part in measured
        if written.get(name_of(part)) not in (None, part["weights_sha256"])
    ]
    if replaced:
        sentences.append(f"Measured on other weights than the run's own: {', '.join(replaced)}.")
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
        "of different packages": record["packages"],
        "on different devices": device,
        "in different precision": precision,
        "measured with different settings": {
            name: settings[name] for name in MEASUREMENT if name in settings
        },
    }


def _listed(part: str, values: dict[str, list[str]]) -> str:
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
            f"{run} is no result of a training or an evaluation: no run.json or evaluation.json is "
            "beside it. Name a folder runs/METHOD/fraction-F/seed-S, pretext/NAME or "
            "evaluation/METHOD of a study."
        )
    known: dict[str, str] = {}
    for file in files:
        print(file)
        for key, value in _flat(read(file)).items():
            if known.get(key) != value:  # the evaluation repeats much of what the training says
                print(f"  {key}: {value}")
                known[key] = value
    print(compare(files))


def _flat(value: Any, name: str = "") -> dict[str, str]:
    """Return the values in nested objects by their path: ``settings.training.epochs``."""
    if not isinstance(value, dict):
        return {name: short(value)}
    parts = (_flat(inner, f"{name}.{key}" if name else key) for key, inner in value.items())
    return {key: text for part in parts for key, text in part.items()}
