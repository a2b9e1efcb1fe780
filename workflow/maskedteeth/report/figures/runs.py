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
        """Return the generated mask of one radiograph: tooth from probability ``threshold`` on.

        The stored probabilities have 256 steps. A threshold between two of them counts as the
        higher one, so the drawn mask may lack a few pixels that the metrics, which are of the exact
        probabilities, count as tooth. At 0.5 the mask is exact.
        """
        probability = self.probability[self.ids.index(radiograph)]
        return mask_picture(probability >= math.ceil(256 * threshold), note)


def read_runs(metrics: list[Path], predictions: list[Path]) -> list[Run]:
    """Read the runs of ``metrics.csv`` files, in the order in which they appear.

    Row n of each file's ``predictions.npz`` belongs to its row n.
    """
    runs = []
    for file, pictures in zip(metrics, predictions, strict=True):
        rows, probability = read_rows(file), np.load(pictures)["probability"]
        for (method, fraction, seed), own in rows.groupby(RUN, sort=False):
            dice = dict(zip(own["id"], own["dice"], strict=True))
            about = method, float(fraction), int(seed)
            runs.append(Run(*about, list(dice), probability[own.index], dice))
    return runs
