"""How far a training has come, told from its log."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

#: Bytes of a log's end that are looked at: many hundreds of epochs.
TAIL = 1 << 16
#: A rate in print is off by this at the most, in radiographs a second.
OFF = 0.05
#: The rate from which that does not matter (1 %).
EXACT = 100 * OFF

_EPOCH = re.compile(
    r"^epoch (\d+)/(\d+)  step (\d+)  loss (\d+\.\d+)  (\d+\.\d+) images/s$", re.MULTILINE
)
_WENT_ON = re.compile(r"^Going on after step (\d+) of (\d+)\.$", re.MULTILINE)


@dataclass(frozen=True)
class Reached:
    """The end of an epoch.

    Attributes:
        epoch: from 1.
        epochs: of the whole training.
        step: optimiser steps taken, also in earlier starts.
        loss: mean over the epoch's steps.
        rate: radiographs a second, over all epochs so far.
    """

    epoch: int
    epochs: int
    step: int
    loss: float
    rate: float

    def seconds(self, batch_size: int, elapsed: float) -> float:
        """Return the seconds that the steps so far have taken.

        Args:
            batch_size: of the recipe.
            elapsed: about as long as that, by the clock. It decides what the rate leaves open: in
                print ``0.1`` is anything from 0.05 to 0.15.
        """
        images = self.step * batch_size
        if self.rate >= EXACT:
            return images / self.rate
        most = images / (self.rate - OFF) if self.rate > OFF else math.inf
        return min(max(elapsed, images / (self.rate + OFF)), most)


def reached(log: str) -> Reached | None:
    """Return the last epoch whose line is whole; None where there is none."""
    lines = _EPOCH.findall(log[: log.rfind("\n") + 1])
    if not lines:
        return None
    epoch, epochs, step, loss, rate = lines[-1]
    return Reached(int(epoch), int(epochs), int(step), float(loss), float(rate))


def went_on(log: str) -> float:
    """Return the share of the steps that an earlier start had done: 0 of a new training."""
    found = _WENT_ON.search(log)
    return int(found[1]) / max(int(found[2]), 1) if found else 0.0


def tail(log: Path) -> str:
    """Return the end of a log; nothing where it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL))
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
