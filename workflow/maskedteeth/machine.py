"""What this computer is called, and how much of its memory a process has taken."""

import platform
import resource
from pathlib import Path


def processor() -> str:
    """Return the name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


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
