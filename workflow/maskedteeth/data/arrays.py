"""What the stages of the data leave to all that follow: the index, splits and pixels."""

from pathlib import Path

import numpy as np

from maskedteeth.errors import InputError
from maskedteeth.files import read_csv, read_json


def read_index(index: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Read ``index.csv``.

    Args:
        index: the file.
        columns: what is needed of it.

    Raises:
        InputError: it is missing or damaged, lacks a column, or a number in it is none.
    """
    rows = read_csv(index, columns)
    numbers = [name for name in ("height", "width", "tooth_fraction") if name in columns]
    for number, row in enumerate(rows, start=1):
        try:
            for name in numbers:
                float(row[name] or 0) if name == "tooth_fraction" else int(row[name])
        except ValueError as error:
            raise InputError(
                f"{index} holds something else than a number in row {number}: {error}. Remove it, "
                "so that it is made again."
            ) from None
    return rows


def read_split(split: Path, *keys: str) -> dict:
    """Read a split file.

    Args:
        split: of a training or of the pretext.
        keys: what it must have besides the ids that ``train`` and ``test``.

    Raises:
        InputError: it is missing or damaged, or these are no lists of ids.
    """
    content = read_json(split, ("train", "test", *keys))
    for part in ("train", "test"):
        ids = content[part]
        if not (isinstance(ids, list) and all(isinstance(i, str) for i in ids)):
            raise InputError(
                f"{split} has no list of radiographs under {part!r}. Remove it, so that it is "
                "drawn again."
            )
    for key in keys:
        if not isinstance(content[key], int | float):
            raise InputError(
                f"{split} has {content[key]!r} under {key!r} where a number was expected. Remove "
                "it, so that it is drawn again."
            )
    return content


def open_array(array: Path) -> np.ndarray:
    """Map ``images.npy`` or ``masks.npy`` into memory: uint8 (N, H, W), read only.

    Raises:
        InputError: it is missing, damaged or something else. Nothing in it is ever executed:
            arrays of Python objects are refused.
    """
    try:
        stored = np.load(array, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{array} does not exist.") from None
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise InputError(
            f"{array} cannot be read as an array: {error}. Remove it, so that it is made again."
        ) from None
    if not isinstance(stored, np.ndarray) or stored.dtype != np.uint8 or stored.ndim != 3:
        found = f"{stored.dtype} {stored.shape}" if isinstance(stored, np.ndarray) else "an archive"
        raise InputError(
            f"{array} holds {found} where uint8 (radiographs, height, width) was expected. Remove "
            "it, so that it is made again."
        )
    return stored


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
    position = {row["id"]: number for number, row in enumerate(read_index(index, ("id",)))}
    stored = open_array(array)
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
    content, name = read_split(split, "fraction"), f"{fraction:g}"
    drawn = f"{content['fraction']:g}"
    if drawn != name:
        raise InputError(f"{split} has no fraction {name}, only {drawn}; run split again.")
    return content[part]
