"""Radiographs and masks as trainings want them: the rows they need, in memory."""

from pathlib import Path

import numpy as np

from maskedteeth.errors import InputError
from maskedteeth.files import read_csv, read_json


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
    position = {row["id"]: number for number, row in enumerate(read_csv(index))}
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


def read_subset(split: Path, fraction: float, part: str) -> list[str]:
    """Return the ids that ``train`` or ``test`` at a fraction.

    Args:
        split: ``splits/fraction-<f>/seed-<s>.json``.
        fraction: the one that was drawn.
        part: "train" or "test".

    Raises:
        InputError: another fraction was drawn.
    """
    content, name = read_json(split), f"{fraction:g}"
    drawn = f"{content['fraction']:g}"
    if drawn != name:
        raise InputError(f"{split} has no fraction {name}, only {drawn}; run split again.")
    return content[part]
