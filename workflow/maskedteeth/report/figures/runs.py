"""What finished runs and pretexts left for the figures."""

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskedteeth.errors import InputError
from maskedteeth.files import read_csv
from maskedteeth.report.figures.panels import Picture, mask_picture


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


def read_run(metrics: Path, predictions: Path) -> Run:
    """Read a run's ``metrics.csv`` and ``predictions.npz``.

    Raises:
        InputError: the two files are about different radiographs.
    """
    rows = read_csv(metrics, ("id", "method", "fraction", "seed", "dice"))
    content = read_npz(predictions, ("ids", "probability"))
    ids = content["ids"].tolist()
    if [row["id"] for row in rows] != ids:
        raise InputError(
            f"{metrics} and {predictions} list different radiographs; remove both, so that the "
            "run is evaluated again."
        )
    return Run(
        method=rows[0]["method"],
        fraction=float(rows[0]["fraction"]),
        seed=int(rows[0]["seed"]),
        ids=ids,
        probability=content["probability"],
        dice={row["id"]: float(row["dice"]) for row in rows},
    )


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
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read: {error}. Remove it and make it again.") from None
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
