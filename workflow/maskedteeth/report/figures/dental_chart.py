"""Dental chart: both arches, each tooth coloured by its Dice."""

from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from maskedteeth.data.teeth import TEETH, group_of, in_print
from maskedteeth.report.about import about, percent
from maskedteeth.report.figures.panels import NOTE_SIZE, WIDTH, Sheet
from maskedteeth.report.results import read_rows
from maskedteeth.report.tables.numbering import scored
from maskedteeth.settings.sections import Presentation

#: Half the width of an arch, and its depth.
ARCH = (1.0, 1.15)
#: Half the sides of a tooth, along the arch and across it, by its group.
SIZES = {
    "incisors": (0.085, 0.08),
    "canines": (0.09, 0.095),
    "premolars": (0.09, 0.11),
    "molars": (0.115, 0.13),
    "wisdom teeth": (0.105, 0.125),
}
COLOURS = colormaps["viridis"]


def dental_chart(report: Presentation, *, numbering: list[Path], runs: list[Path]) -> Sheet:
    """Draw the mean Dice of every tooth, of ``report.ours`` at the figures' fraction."""
    rows = scored(read_rows(*numbering))
    rows = rows[(rows["method"] == report.ours) & (rows["fraction"] == report.figure_fraction)]
    dice = rows.groupby("tooth")["dice"].mean()
    figure = Figure((WIDTH, 4.6), layout="constrained")
    axes = figure.subplots()
    for tooth, (x, y, angle) in zip(TEETH, _places(), strict=True):
        value = dice.get(tooth)
        colour = "0.9" if value is None else COLOURS(value)
        width, height = 2 * np.array(SIZES[group_of(tooth)])
        axes.add_patch(Ellipse((x, y), width, height, angle=angle, fc=colour, ec="0.3", lw=0.6))
        dark = value is not None and value < 0.5
        style = {"ha": "center", "color": "white" if dark else "black"}
        axes.text(x, y, in_print(tooth, report.numbers), va="bottom", weight="bold", **style)
        word = "–" if value is None else f"{value:.2f}"
        axes.text(x, y - 0.01, word, va="top", size=NOTE_SIZE, **style)
    for x, side in ((-0.3, "patient's\nright"), (0.3, "patient's\nleft")):
        axes.text(x, 0, side, ha="center", va="center", color="0.4")
    axes.set(xlim=(-1.2, 1.2), ylim=(-1.5, 1.5), aspect="equal")
    axes.set_axis_off()
    figure.colorbar(ScalarMappable(cmap=COLOURS), ax=axes, label="Dice", shrink=0.5)
    caption = (
        f"Dental chart: mean Dice of each tooth over the test radiographs that have it in "
        f"annotation or prediction, {report.labels[report.ours]}, trained on "
        f"{percent(report.figure_fraction)} of the samples, all seeds together. A tooth that only "
        f"one of the two has counts 0; grey: in neither. {about(report, runs)}"
    )
    return Sheet([figure], caption)


def _places() -> list[tuple[float, float, float]]:
    """Return x, y and the turn in degrees of all teeth, along the two arches."""
    turn = np.pi * (1 - (np.arange(16) + 0.5) / 16)
    x, y = ARCH[0] * np.cos(turn), ARCH[1] * np.sin(turn)
    angle = np.degrees(np.arctan2(y / ARCH[1] ** 2, x / ARCH[0] ** 2)) - 90
    upper = list(zip(x, y + 0.2, angle, strict=True))
    return upper + [(x, -y, -angle) for x, y, angle in upper[::-1]]
