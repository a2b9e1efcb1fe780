"""Numbered teeth: radiographs, their annotation and what one network makes of them."""

import colorsys
from pathlib import Path

import numpy as np

from maskedteeth.data.arrays import Arrays
from maskedteeth.data.teeth import TEETH, UNNUMBERED, in_print
from maskedteeth.report.about import about, first_radiographs, percent
from maskedteeth.report.figures.panels import WIDE, Picture, Sheet, draw_grid
from maskedteeth.report.figures.runs import read_runs
from maskedteeth.settings.sections import Presentation

#: A colour a tooth, whose neighbours' are far from it on the wheel; grey for an unknown number.
COLOURS = np.full((UNNUMBERED + 1, 3), 160, np.uint8)
for tooth in TEETH:
    COLOURS[tooth] = np.multiply(colorsys.hsv_to_rgb(tooth * 7 % 32 / 32, 0.75, 1), 255)
#: Share of the colour in what is drawn over the radiograph.
TINT = 0.55


def numbered_teeth(
    report: Presentation, *, dataset: Arrays, metrics: list[Path], predictions: list[Path]
) -> Sheet:
    """Draw radiograph, annotation and prediction with a colour and a number a tooth, a row each."""
    (run,) = read_runs(metrics, predictions)
    ids, rows = run.ids[: report.samples], []
    found = np.load(predictions[0])["labels"][: len(ids)]
    for xray, truth, prediction in zip(*dataset.of(ids), found, strict=True):
        numbered = (_picture(xray, teeth, report) for teeth in (truth, prediction))
        rows.append([Picture(xray), *numbered])
    names = {"universal": "Universal", "fdi": "FDI"}
    caption = (
        f"Numbered teeth: {report.labels[run.method]}, trained on {percent(run.fraction)} of the "
        f"samples in the dataset (seed {run.seed}), on {first_radiographs(ids)}. One colour per "
        f"tooth, {names[report.numbers]} numbers; grey: tooth of unknown number. {about(report)}"
    )
    sheet = draw_grid(rows, ("Dental X-ray", "Annotation", "Prediction"), caption, width=WIDE)
    return sheet._replace(many_colours=True)


def _picture(xray: np.ndarray, teeth: np.ndarray, report: Presentation) -> Picture:
    """Return labels, uint8 (H, W), over their radiograph, with a number on each tooth."""
    grey = np.repeat(xray[..., None], 3, axis=2)
    tinted = np.rint(grey * (1 - TINT) + COLOURS[teeth] * TINT).astype(np.uint8)
    words = []
    for tooth in np.unique(teeth[(teeth > 0) & (teeth < UNNUMBERED)]):
        y, x = (np.median(places) for places in np.nonzero(teeth == tooth))
        words.append((x, y, in_print(tooth, report.numbers)))
    return Picture(np.where(teeth[..., None] > 0, tinted, grey), words=tuple(words))
