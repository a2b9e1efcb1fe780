"""`run.json`: enough to defend a number a year later."""

import hashlib
import platform
import resource
import subprocess
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

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


def run_record(
    settings: BaseModel, code: str, index: Path, machine: "Machine", **measured: Any
) -> dict[str, Any]:
    """Describe how a result came about.

    Args:
        settings: all that the stage knew.
        code: fingerprint of the code that ran.
        index: ``index.csv``; its hash stands for the data, since it holds every file's.
        machine: device and precision that were used.
        measured: what the stage measured itself (seconds, images per second, …).

    Returns:
        JSON-able mapping; memory is in MiB, the device's as torch's allocator counts it.
    """
    import torch

    cuda = machine.device.type == "cuda"
    used = torch.cuda.max_memory_allocated(machine.device) / 2**20 if cuda else None
    return {
        "settings": settings.model_dump(mode="json"),
        "code": code,
        "git_commit": git_commit(),
        "data_sha256": hashlib.sha256(index.read_bytes()).hexdigest(),
        "packages": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "system": platform.platform(),
        "device": machine.name,
        "device_type": machine.device.type,
        "precision": str(machine.precision).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "peak_device_memory_mib": None if used is None else round(used, 1),
        **measured,
    }


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


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
