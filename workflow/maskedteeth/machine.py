"""What this computer is called, what runs on it, and how much memory a process has taken."""

import platform
import resource
import shutil
from pathlib import Path


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
