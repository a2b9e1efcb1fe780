"""What finished runs left for the figures."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskedteeth.report.figures.panels import Picture, mask_picture
from maskedteeth.report.results import RUN, read_rows


@dataclass(frozen=True)
class Run:
    """A run's predictions on its test radiographs.

    Attributes:
        method: name in the settings.
        fraction: of the dataset that trained.
        seed: of the run.
        ids: test radiographs, N, in the order of the metrics.
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
        probability = self.probability[self.ids.index(radiograph)]
        return mask_picture(probability >= math.ceil(256 * threshold), note)


def read_runs(metrics: list[Path], predictions: list[Path]) -> list[Run]:
    """Read the runs of ``metrics.csv`` files, in the order in which they appear.

    Args:
        metrics: files of one run or several.
        predictions: ``predictions.npz`` of each file; row n belongs to row n of the metrics.
    """
    runs = []
    for file, pictures in zip(metrics, predictions, strict=True):
        rows, probability = read_rows(file), np.load(pictures)["probability"]
        for (method, fraction, seed), own in rows.groupby(RUN, sort=False):
            about = {"method": method, "fraction": float(fraction), "seed": int(seed)}
            dice = dict(zip(own["id"], own["dice"], strict=True))
            runs.append(
                Run(**about, ids=list(own["id"]), probability=probability[own.index], dice=dice)
            )
    return runs


def first_radiographs(ids: list[str]) -> str:
    """Say which radiographs a figure shows: nobody chose them."""
    if len(ids) == 1:
        return f"the first test radiograph ({ids[0]})"
    return f"the first {len(ids)} test radiographs ({', '.join(ids)})"
