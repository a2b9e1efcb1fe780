"""`run.json` and `evaluation.json`: how a number came about, enough to defend it a year later.

Every training leaves a ``run.json``, every evaluation an ``evaluation.json``;
:mod:`maskedteeth.report.records` reads them.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskedteeth.errors import InputError
from maskedteeth.files import write_json
from maskedteeth.fingerprint import fingerprint
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

    ``name`` is what whoever starts the container says in ``MASKEDTEETH_IMAGE`` (NAME@sha256:...),
    for nothing inside it can know its digest; or the file that Apptainer runs. ``content`` (a
    digest of all code and packages in it) and ``commit`` were written when this project's image
    was built. What is not known is None.
    """
    built = Path(sys.prefix) / "image.json"  # beside the Python that runs, whose ever the code is
    file = os.environ.get("APPTAINER_CONTAINER") or os.environ.get("SINGULARITY_CONTAINER")
    if not (built.is_file() or file):
        return None
    known = json.loads(built.read_text()) if built.is_file() else {}
    name = os.environ.get("MASKEDTEETH_IMAGE") or file or known["name"]
    return {"name": name, **{key: known.get(key) or None for key in ("content", "commit")}}


def _version(package: str) -> str | None:
    # OpenCV may be here as its build without windows (Makefile).
    for name in (package, f"{package}-headless"):
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return None
