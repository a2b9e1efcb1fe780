"""What a job asks of a machine, told from what was measured (stage `measure`)."""

import json
import math
from pathlib import Path

#: Factors on what was measured. Memory of a process also holds pages of files that are read, and
#: gaps; torch takes a card's memory in blocks; a step is slower beside others.
MEMORY_MARGIN = 1.3
DEVICE_MARGIN = 1.125
TIME_MARGIN = 2.0
START_MINUTES = 10


def read(path: Path) -> dict:
    """Read ``needs/<name>.json``; Snakemake shows FileNotFoundError, left as it is, as <TBD>."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def mem_mb(needs: dict, attempt: int = 1) -> int:
    """Return the memory of a training in MB, for a first attempt or a later, larger one."""
    return math.ceil(needs["peak_memory_mib"] * 1.048576 * MEMORY_MARGIN) * attempt


def runtime(needs: dict, attempt: int = 1) -> int:
    """Return the minutes of a training, likewise."""
    seconds = needs["steps"] * needs["seconds_per_step"]
    return math.ceil(START_MINUTES + seconds / 60 * TIME_MARGIN) * attempt


def gpu_mem_mb(needs: dict, attempt: int = 1, of: str = "peak", factor: float = 1) -> int:
    """Return the MiB of a card's memory, likewise; 0 where no card was there to measure on.

    Never more than the card could give on which it was measured: a training that fills a card fits
    there, and gets it alone.

    Args:
        needs: as measured.
        attempt: from 1.
        of: "peak", of a training, or "evaluation".
        factor: on top of the margin.
    """
    measured = needs[f"{of}_device_memory_mib"]
    if measured is None:
        return 0
    wanted = math.ceil(measured * DEVICE_MARGIN * factor) * attempt
    room = needs["card_room_mib"]
    return wanted if room is None else min(wanted, room)
