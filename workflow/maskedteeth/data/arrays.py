"""What the stages of the data leave to all that follow: the index and the pixels."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from maskedteeth.files import read_csv

#: A line of ``index.csv``: what :mod:`maskedteeth.data.prepare` says of a radiograph, as text.
Row = dict[str, str]


def read_index(index: Path) -> list[Row]:
    """Read ``index.csv``."""
    return read_csv(index)


def pixels_of(array: Path, index: list[Row], ids: list[str]) -> np.ndarray:
    """Return the rows of a prepared array that belong to ``ids``.

    Args:
        array: ``images.npy`` or ``labels.npy``.
        index: all radiographs, in whose order the array stands.
        ids: radiographs, in the order wanted.

    Returns:
        uint8 (len(ids), H, W).
    """
    position = {row["id"]: number for number, row in enumerate(index)}
    return np.load(array, mmap_mode="r")[[position[name] for name in ids]]


class Arrays(NamedTuple):
    """The files of a prepared dataset: ``images.npy``, ``labels.npy`` and ``index.csv``."""

    images: Path
    labels: Path
    index: Path

    def of(self, ids: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return radiographs and their labels, uint8 (len(ids), H, W) each, in the order given."""
        rows = read_index(self.index)
        return pixels_of(self.images, rows, ids), pixels_of(self.labels, rows, ids)
