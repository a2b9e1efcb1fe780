"""`run.json`: enough to defend a number a year later."""

import hashlib
import os
import platform
import re
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from maskedteeth.errors import InputError
from maskedteeth.files import read_json, write_json
from maskedteeth.fingerprint import fingerprint
from maskedteeth.study.processes import peak_memory_mib

if TYPE_CHECKING:
    from maskedteeth.training.device import Machine

PACKAGES = (
    "torch",
    "torchvision",
    "numpy",
    "opencv-python",
    "segmentation-models-pytorch",
    "piq",
    "lpips",
    "safetensors",
    "snakemake",
)


#: Packages that define networks.
NETWORKS = ("segmentation-models-pytorch", "timm", "torchvision")


class RunRecord:
    """How a result comes about, written down while it does.

    Code and inputs are identified when the record is opened: what is edited or replaced while a
    long training runs is not what ran.

    Args:
        settings: all that the stage knows: sections by name.
        modules: the stage's module and those of the networks that it builds.
        machine: device and precision in use.
        inputs: files that the result depends on, by name; None for one that is not used.
    """

    def __init__(
        self,
        settings: Any,
        modules: tuple[str, ...],
        machine: "Machine",
        **inputs: Path | None,
    ):
        self.begin = time.perf_counter()
        self.machine = machine
        self.content = {
            "settings": to_jsonable_python(settings),
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

        device = self.machine.device
        cuda = device.type == "cuda"
        used = torch.cuda.max_memory_allocated(device) / 2**20 if cuda else None
        content = {
            **self.content,
            "packages": {name: _version(name) for name in PACKAGES},
            "python": platform.python_version(),
            "system": platform.platform(),
            **self._where(),
            "peak_memory_mib": round(peak_memory_mib(), 1),
            "peak_device_memory_mib": None if used is None else round(used, 1),
            "seconds": round(time.perf_counter() - self.begin, 2),
            **measured,
        }
        write_json(path, content)


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

    ``name`` and ``digest`` are those of ``MASKEDTEETH_IMAGE`` (NAME@sha256:...), which whoever
    starts the container sets: nothing inside it can know its digest. ``content`` and ``commit``
    were written when this project's image was built: a digest of all code and packages in it, and
    the commit of its code. What is not known is None; a file that Apptainer runs is named by its
    path.

    Raises:
        InputError: ``MASKEDTEETH_IMAGE`` holds something else after its @.
    """
    built = Path(sys.prefix) / "image.json"  # beside the Python that runs, whose ever the code is
    file = os.environ.get("APPTAINER_CONTAINER") or os.environ.get("SINGULARITY_CONTAINER")
    if not (built.is_file() or file):
        return None
    record = {"name": file, "digest": None, "content": None, "commit": None}
    if built.is_file():
        record |= {key: value or None for key, value in read_json(built).items()}
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
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
