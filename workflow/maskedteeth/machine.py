"""What this computer is called, what runs on it, and how much memory a process has taken."""

import os
import platform
import resource
import shutil
import subprocess
from pathlib import Path

from maskedteeth.errors import say
from maskedteeth.settings.config import Compute


def processor() -> str:
    """Return the name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def has_card() -> bool:
    """Tell whether this machine has NVIDIA's driver, and so, most likely, a card."""
    return shutil.which("nvidia-smi") is not None


def list_cards() -> str:
    """Return what ``nvidia-smi -L`` lists: cards and their MIG slices; "" where it cannot."""
    try:
        command = ["nvidia-smi", "-L"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def why_no_card() -> str:
    """Return a sentence on why torch can use no card, and on the way out."""
    import torch

    version = f"torch {torch.__version__}"
    if not torch.backends.cuda.is_built():
        return f"{version} is a build for CPUs. Install a build for CUDA."
    try:
        torch.cuda.init()
    except RuntimeError as error:
        found = str(error).partition(". ")[0].strip(".\n")
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        if "too old" in found:
            return f"{found}. Update it, or install a build of torch for an older CUDA."
        if visible is not None:
            return f"{found}. CUDA_VISIBLE_DEVICES is {visible!r}; unset or correct it."
        return f"{found}. See what nvidia-smi says."
    cards = [
        f"{torch.cuda.get_device_name(n)} has compute capability {{}}.{{}}".format(
            *torch.cuda.get_device_capability(n)
        )
        for n in range(torch.cuda.device_count())
    ]
    return (
        f"{', '.join(cards)}, and {version} was built for {' '.join(torch.cuda.get_arch_list())}. "
        "Install a build for this GPU, as docs/troubleshooting.md shows."
    )


def check_card(compute: Compute) -> None:
    """Stage `card`: say, before anything trains, when this machine's card will not be used."""
    from maskedteeth.training.device import set_up

    if set_up(compute).device.type == "cpu":
        say(
            "On two CPU cores the paper's study takes about five weeks (docs/speed.md). If you "
            "want this, set compute.device to 'cpu': as many trainings then run at once as "
            "--cores allows."
        )


def peak_memory_mib() -> float:
    """Return the most memory that this process has had, in MiB.

    It is Linux's VmHWM, because the peak of getrusage begins with that of the process that started
    this one. Where there is no /proc it is that of getrusage.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:  # macOS, which counts in bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 2**10
