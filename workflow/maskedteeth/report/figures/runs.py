"""What finished runs and pretexts left for the figures."""

import math
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskedteeth.data.arrays import read_rows
from maskedteeth.errors import InputError
from maskedteeth.report.figures.panels import Picture, mask_picture
from maskedteeth.report.reading import MEND
from maskedteeth.report.results import read_run_metrics
from maskedteeth.settings.jobs import ReportJob

#: What NumPy and zipfile raise for files that are damaged or of another kind.
BROKEN = (OSError, ValueError, EOFError, AttributeError, TypeError, SyntaxError, KeyError)
BROKEN += (RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error, struct.error)


@dataclass(frozen=True)
class Run:
    """A run's predictions on its test radiographs.

    Attributes:
        method: name in the settings.
        fraction: of the dataset that trained.
        seed: of the run.
        ids: test radiographs, N, in the split's order.
        probability: of tooth, uint8 (N, H, W); k stands for [k/256, (k+1)/256).
        dice: each radiograph's own.
    """

    method: str
    fraction: float
    seed: int
    ids: list[str]
    probability: np.ndarray
    dice: dict[str, float]

    def segmentation(self, radiograph: str, threshold: float, note: str = "") -> Picture:
        """Return the generated mask of one radiograph: tooth from probability ``threshold`` on."""
        return mask_picture(
            self.probability[self.ids.index(radiograph)] >= math.ceil(256 * threshold), note
        )


def read_run(metrics: Path, predictions: Path, settings: ReportJob) -> Run:
    """Read a run's ``metrics.csv`` and ``predictions.npz``.

    Args:
        metrics: the one.
        predictions: the other.
        settings: labels of the methods.

    Raises:
        InputError: a file is damaged or not of one run of this study's, or the two are about
            different radiographs.
    """
    rows = read_run_metrics(metrics, ("dice",), settings)
    ids, content = read_pictures(predictions, ("probability",))
    if rows["id"].tolist() != ids:
        raise InputError(
            f"{metrics} and {predictions} list different radiographs; remove both, so that the "
            "run is evaluated again."
        )
    first = rows.iloc[0]
    return Run(
        method=first["method"],
        fraction=float(first["fraction"]),
        seed=int(first["seed"]),
        ids=ids,
        probability=content["probability"],
        dice=dict(zip(ids, rows["dice"].tolist(), strict=True)),
    )


def rows_of(run: Run, array: Path, index: Path, ids: list[str], most: int = 255) -> np.ndarray:
    """Return the radiographs or masks ``ids`` of a run, uint8 (len(ids), H, W).

    Args:
        run: that predicted them.
        array: ``images.npy`` or ``masks.npy``.
        index: ``index.csv``.
        ids: radiographs, in the order wanted.
        most: greatest value of a pixel; 1 of masks.

    Raises:
        InputError: a file is damaged, or run and array do not belong together.
    """
    rows = read_rows(array, index, ids)
    if rows.shape[1:] != run.probability.shape[1:]:
        stored, predicted = (
            " x ".join(map(str, stack.shape[1:])) for stack in (rows, run.probability)
        )
        raise InputError(
            f"{array} holds pictures of {stored} pixels, but {run.method} predicted {predicted}; "
            "they belong to different datasets. Remove the run's metrics.csv and predictions.npz, "
            "so that it is evaluated again."
        )
    if rows.size and rows.max() > most:
        raise InputError(
            f"{array} has a pixel of {rows.max()} where at most {most} was expected. {MEND}"
        )
    return rows


def read_pictures(
    file: Path, names: tuple[str, ...], epochs: bool = False
) -> tuple[list[str], dict[str, np.ndarray]]:
    """Read pictures of the same radiographs.

    Args:
        file: NPZ: ids (N,), and others.
        names: of the arrays wanted, uint8 (N, H, W) each.
        epochs: whether ``epochs`` (E,) and a ``generated`` of (E, N, H, W) are wanted too.

    Returns:
        The ids, at least one, and the arrays by name.

    Raises:
        InputError: the file is damaged, lacks an array, or has one of another type or shape.
    """
    several = ("epochs", "generated") if epochs else ()
    content = read_npz(file, ("ids", *names, *several))
    ids, shape = content["ids"], content[names[0]].shape
    forms = {"ids": ("U", (shape[:1] or (0,)))} | {name: ("u1", shape) for name in names}
    if epochs:
        count = content["epochs"].shape[:1]
        forms |= {"epochs": ("i", count), "generated": ("u1", (*count, *shape))}
    for name, (kind, expected) in forms.items():
        array = content[name]
        if array.dtype != kind if kind == "u1" else array.dtype.kind != kind:
            found = f"values of type {array.dtype}"
        elif array.shape != expected or 0 in array.shape or len(shape) != 3:
            found = f"shape {array.shape}"
        else:
            continue
        raise InputError(
            f"{file} has {found} under {name!r}, which does not fit the pictures of "
            f"{len(ids) if ids.ndim else 0} radiographs that were expected. {MEND}"
        )
    return ids.tolist(), content


def read_npz(path: Path, names: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """Read all arrays of an NPZ file.

    Args:
        path: the file.
        names: of arrays that it must hold.

    Raises:
        InputError: the file is missing or broken, or lacks an array.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = dict(content)
    except BROKEN as error:
        words = str(error).rstrip(".") or type(error).__name__
        raise InputError(f"{path} cannot be read: {words}. Remove it and make it again.") from None
    lacking = [name for name in names if name not in arrays]
    if lacking:
        raise InputError(
            f"{path} has no array {lacking[0]!r}; {', '.join(names)} are expected. Remove it and "
            "make it again."
        )
    return arrays


def percent(fraction: float) -> str:
    """Print a training fraction as captions do: 0.2 is 20%."""
    return f"{100 * fraction:g}%"


def first_radiographs(ids: list[str]) -> str:
    """Say which radiographs a figure shows: nobody chose them."""
    if len(ids) == 1:
        return f"the first test radiograph ({ids[0]})"
    return f"the first {len(ids)} test radiographs ({', '.join(ids)})"
