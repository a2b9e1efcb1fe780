"""Contact sheet: the dataset at a glance, with its annotations and copies."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from maskedteeth.data.arrays import Arrays
from maskedteeth.report.figures.panels import (
    COLOURS,
    MARK,
    NOTE_SIZE,
    SIZE,
    Picture,
    Sheet,
    fill_page,
)
from maskedteeth.report.results import read_rows
from maskedteeth.settings.sections import Presentation

#: A page in inches, which with its margin and its caption is A4 across.
PAGE, MARGIN = (10.9, 6.9), 0.4
#: Pixels an inch.
DPI = 130
#: Radiographs side by side, and the height of the lines above and below each, in inches.
COLUMNS, TEXT = 6, 0.24
#: Radiographs at most that are drawn, so that a large dataset takes no hours and no gigabytes.
MOST = 1000


def contact_sheet(report: Presentation, *, dataset: Arrays, problems: Path) -> Sheet:
    """Draw radiographs small, with the outlines of their annotations, and frame copies.

    Returns:
        Pages of at most :data:`MOST` radiographs, evenly spread over the index.
    """
    rows, left_out = read_rows(dataset.index), len(read_rows(problems))
    pixels, truths = (np.load(file, mmap_mode="r") for file in (dataset.images, dataset.labels))
    groups = rows["duplicate_group"][rows.duplicated("duplicate_group", keep=False)]
    number_of = {group: number for number, group in enumerate(groups.unique(), start=1)}
    rows["copies"] = rows["duplicate_group"].map(number_of)
    shown = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST)).round().astype(int))
    shares, (_, height, width) = rows["tooth_fraction"].dropna(), pixels.shape
    words = [
        f"Contact sheet: the radiographs as the networks see them ({width} × {height} pixels), "
        "with the size of the file below each; orange: outline of the annotation. Copies of one "
        "radiograph have frames of the same colour and number; no split separates them. Dataset: "
        f"{report.dataset}. Radiographs: {len(rows):,}; annotated: {len(shares):,}; copies of "
        f"others among them: {rows['copies'].count():,}; lines in problems.csv, on what was left "
        f"out: {left_out:,}."
    ]
    if len(shares):
        low, middle, high = shares.quantile([0, 0.5, 1])
        words += [f"Teeth: {low:.1%} to {high:.1%} of the pixels, median {middle:.1%}."]
    if len(shown) < len(rows):
        words += [f"Drawn: {len(shown):,} of {len(rows):,}, evenly spread over the index."]
    return Sheet(_pages(rows, pixels, truths, shown), " ".join(words), MARGIN)


def _pages(
    rows: pd.DataFrame, pixels: np.ndarray, truths: np.ndarray, shown: np.ndarray
) -> Iterator[Figure]:
    tall = PAGE[0] / COLUMNS * pixels.shape[1] / pixels.shape[2]
    lines = max(1, int(PAGE[1] / (tall + TEXT)))
    edge = TEXT / 2 / PAGE[1]
    spaces = {"left": 0, "right": 1, "bottom": edge, "top": 1 - edge}
    spaces |= {"wspace": 0.05, "hspace": TEXT / tall}
    pages = [shown[n : n + lines * COLUMNS] for n in range(0, len(shown), lines * COLUMNS)]
    for number, places in enumerate(pages, start=1):
        figure = Figure(PAGE, dpi=DPI)
        fill_page(figure)
        where = f"page {number} of {len(pages)}"
        figure.text(1, 0, where, size=SIZE, color="0.45", ha="right", va="top")
        grid = figure.subplots(lines, COLUMNS, squeeze=False, gridspec_kw=spaces).ravel()
        for axes in grid:
            axes.set_axis_off()
        for axes, place in zip(grid, places, strict=False):
            _draw(axes, rows.iloc[place], pixels[place], truths[place])
        yield figure


def _draw(axes: Axes, row: pd.Series, pixels: np.ndarray, truth: np.ndarray) -> None:
    Picture(pixels).show(axes)
    if truth.any():
        axes.contour(truth > 0, levels=[0.5], colors=MARK, linewidths=0.5)
    place = {"transform": axes.transAxes, "size": NOTE_SIZE, "va": "top"}
    number = "" if pd.isna(row["teeth"]) else f"{row['teeth']:g} teeth, "
    teeth = f"{number}{row['tooth_fraction']:.1%}" if row["tooth_fraction"] > 0 else "no teeth"
    teeth = "not annotated" if pd.isna(row["tooth_fraction"]) else teeth
    name = row["id"] if len(row["id"]) <= 32 else f"…{row['id'][-31:]}"
    axes.text(0, 1.02, name, **place | {"weight": "bold", "va": "bottom"})
    axes.text(0, -0.03, teeth, weight="normal" if row["tooth_fraction"] > 0 else "bold", **place)
    axes.text(1, -0.03, f"{row['width']} × {row['height']}", ha="right", color="0.45", **place)
    if row["copies"] > 0:
        colour = COLOURS[(int(row["copies"]) - 1) % len(COLOURS)]
        frame = {"transform": axes.transAxes, "fill": False, "clip_on": False}
        axes.add_patch(Rectangle((0, 0), 1, 1, edgecolor=colour, linewidth=1.8, **frame))
        ground = {"facecolor": colour, "pad": 1.2, "linewidth": 0}
        tag = place | {"weight": "bold", "color": "white", "bbox": ground}
        axes.text(0.03, 0.95, f"copies {row['copies']:g}", **tag)
