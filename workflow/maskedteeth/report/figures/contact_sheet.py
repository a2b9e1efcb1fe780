"""Contact sheet: the dataset at a glance, with its annotations, copies and problems."""

import textwrap
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maskedteeth.report.figures.panels import (
    COLOURS,
    MARK,
    NOTE_SIZE,
    SIZE,
    Picture,
    Sheet,
    fill_page,
)
from maskedteeth.settings.sections import Presentation

#: A page in inches, which with its margin and its caption is A4 across.
PAGE, MARGIN = (10.9, 6.9), 0.4
#: Pixels an inch.
DPI = 150
#: Radiographs side by side, and the height of the two lines of text at each, in inches.
COLUMNS, TEXT = 6, 0.28
#: Radiographs at most that are drawn, so that a large dataset takes no hours and no gigabytes.
MOST = 1000
#: Lines of a page of text, letters of a line, and entries of a list at most.
LINES, LETTERS, MOST_ENTRIES = 55, 160, 200


def contact_sheet(
    report: Presentation, *, images: Path, masks: Path, index: Path, problems: Path
) -> Sheet:
    """Draw every radiograph small, with its annotation's outline, and list what is odd.

    Args:
        report: the dataset's name.
        images: ``images.npy``.
        masks: ``masks.npy``.
        index: ``index.csv``.
        problems: ``problems.csv``.

    Returns:
        Pages of at most :data:`MOST` radiographs, and lists after them.
    """
    text = {"dtype": {"id": str, "duplicate_group": str}, "keep_default_na": False}
    rows = pd.read_csv(index, **text, na_values=[""])
    passed_over = pd.read_csv(problems, dtype=str, keep_default_na=False)
    pixels, truths = np.load(images, mmap_mode="r"), np.load(masks, mmap_mode="r")
    copies = rows[rows.duplicated("duplicate_group", keep=False)]
    number_of = {group: n for n, group in enumerate(copies["duplicate_group"].unique(), start=1)}
    rows["copies"] = rows["duplicate_group"].map(number_of)
    shown = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST)).round().astype(int))
    pages = _pages(rows, pixels, truths, shown, _lists(rows, passed_over))
    return Sheet(pages, caption(report, rows, pixels.shape, len(passed_over), len(shown)), MARGIN)


def caption(
    report: Presentation, rows: pd.DataFrame, shape: tuple[int, ...], passed_over: int, shown: int
) -> str:
    """Return the caption of all pages: what there is, and what the marks mean."""
    shares = rows["tooth_fraction"].dropna()
    words = [
        f"Contact sheet: all that was indexed. Dataset: {report.dataset}. "
        f"Radiographs: {len(rows):,}; annotated: {len(shares):,}; copies of others among them: "
        f"{rows['copies'].count():,}; set aside or passed over: {passed_over:,}."
    ]
    if len(shares):
        low, middle, high = shares.quantile([0, 0.5, 1])
        words += [f"Teeth: {low:.1%} to {high:.1%} of the pixels, median {middle:.1%}."]
    if shown < len(rows):
        words += [f"Drawn: {shown:,} of {len(rows):,}, evenly spread over the index."]
    words += [
        f"In the order of index.csv, as the networks see them: {shape[2]} × {shape[1]} pixels, "
        "whatever their own size (printed under each) is. Orange: outline of the annotation. "
        "Copies of one radiograph have a frame of one colour and one number."
    ]
    return " ".join(words)


def _lists(rows: pd.DataFrame, passed_over: pd.DataFrame) -> list[str]:
    """Return the lines of the last pages: titles and what is listed under each."""
    bare = rows["id"][rows["tooth_fraction"] == 0]
    lists = {
        "Copies of one radiograph, on one side of every split": [
            f"{number:g}: {', '.join(names)}" for number, names in rows.groupby("copies")["id"]
        ],
        "Not annotated": list(rows["id"][rows["tooth_fraction"].isna()]),
        "Annotated as without teeth": list(bare),
        "Set aside or passed over (problems.csv)": [
            f"{row.id}: {row.reason}" for row in passed_over.itertuples()
        ],
    }
    lines = []
    for title, entries in lists.items():
        for entry in [title, *entries[:MOST_ENTRIES]] if entries else []:
            before = "" if entry is title else "    "
            lines += textwrap.wrap(entry, LETTERS, initial_indent=before, subsequent_indent=before)
        if len(entries) > MOST_ENTRIES:
            lines += [f"    … and {len(entries) - MOST_ENTRIES:,} more"]
    return lines


def _pages(
    rows: pd.DataFrame, pixels: np.ndarray, truths: np.ndarray, shown: np.ndarray, lists: list[str]
) -> Iterator[Figure]:
    """Draw the pages one after the other: pictures, then lists."""
    tall = PAGE[0] / COLUMNS * pixels.shape[1] / pixels.shape[2]
    lines = max(1, int(PAGE[1] / (tall + TEXT)))
    pictures = [shown[n : n + lines * COLUMNS] for n in range(0, len(shown), lines * COLUMNS)]
    texts = [lists[n : n + LINES] for n in range(0, len(lists), LINES)]
    for number, content in enumerate([*pictures, *texts], start=1):
        figure = Figure(PAGE, dpi=DPI, layout="constrained")
        fill_page(figure)
        where = f"page {number} of {len(pictures) + len(texts)}"
        figure.text(1, 0, where, size=SIZE, color="0.45", ha="right")
        if number > len(pictures):
            figure.text(0, 1, "\n".join(content), size=SIZE, va="top")
            yield figure
            continue
        grid = figure.subplots(lines, COLUMNS, squeeze=False).flat
        for axes in grid:
            axes.set_axis_off()
        for axes, place in zip(grid, content, strict=False):
            _draw(axes, rows.iloc[place], pixels[place], truths[place])
        yield figure


def _draw(axes: Axes, row: pd.Series, pixels: np.ndarray, truth: np.ndarray) -> None:
    """Draw a radiograph with the outline of its annotation and say what it is."""
    Picture(pixels).show(axes)
