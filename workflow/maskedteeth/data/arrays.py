"""Radiographs and masks as trainings want them: the rows they need, in memory."""

from pathlib import Path

import numpy as np

from maskedteeth.data.index import read_index
from maskedteeth.errors import InputError


def read_rows(array: Path, index: Path, ids: list[str]) -> np.ndarray:
    """Return the rows of a prepared array that belong to ``ids``.

    Args:
        array: ``images.npy`` or ``masks.npy``.
        index: ``index.csv``, in whose order the array stands.
        ids: radiographs, in the order wanted.

    Returns:
        uint8 (len(ids), H, W).

    Raises:
        InputError: array and index do not belong together, or an id is unknown.
    """
    position = {row["id"]: number for number, row in enumerate(read_index(index))}
    stored = np.load(array, mmap_mode="r")
    if len(stored) != len(position):
        raise InputError(
            f"{array} has {len(stored)} radiographs and {index} {len(position)}; they belong to "
            "different datasets. Run prepare again."
        )
    unknown = [i for i in ids if i not in position]
    if unknown:
        raise InputError(f"{index} has no radiograph {unknown[0]!r}; run split again.")
    return stored[[position[i] for i in ids]]
