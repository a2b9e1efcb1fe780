"""Contact sheet: the dataset at a glance, with its annotations, copies and problems."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Outline

from maskedteeth.report.figures.panels import (
    COLOURS,
    LINE,
    MARK,
    NOTE_SIZE,
    SIZE,
    STYLE,
    Picture,
    Sheet,
    caption_height,
    caption_lines,
    text_width,
    wrap,
    write_sheets,
)
from maskedteeth.report.radiographs import (
    Copies,
    Radiograph,
    find_copies,
    read_pixels,
    read_problems,
    read_radiographs,
)
from maskedteeth.settings.jobs import ReportJob

#: A page: A4 across, and its margin.
PAGE, MARGIN = (11.69, 8.27), 0.4
#: Pixels an inch of the PNG, and of the pictures in the PDF, which has many.
DPI, PDF_DPI = 150, 110
WIDTH = PAGE[0] - 2 * MARGIN
#: Radiographs side by side, and the space between two.
COLUMNS, SPACE = 6, 0.1
#: Height of what stands below a radiograph, and of a line of it.
TEXT, TEXT_LINE = 0.22, NOTE_SIZE * LINE
#: Radiographs at most that are drawn, so that a large dataset takes no hours and no gigabytes.
MOST = 1000
#: Lines at most of a list on the last pages.
MOST_LINES = 200
#: Columns of text on the last pages, and the space between two.
TEXT_COLUMNS, TEXT_SPACE = 2, 0.4
APART = (
    "Where copies are not held together, one may train and the other test, unless the guard stops "
    "that; data.near_duplicates: group keeps them on one side of every split."
)

FONT = STYLE["font.family"]
TAG = {"size": NOTE_SIZE, "weight": "bold", "va": "top", "color": "white"}


def contact_sheet(
    settings: ReportJob,
    *,
    images: Path,
    masks: Path,
    index: Path,
    problems: Path,
    png: Path,
    pdf: Path,
) -> None:
    """Draw every radiograph small, with its annotation's outline, and list what is odd.

    Args:
        settings: the dataset's name.
        images: ``images.npy``.
        masks: ``masks.npy``.
        index: ``index.csv``.
        problems: ``problems.csv``.
        png: file to write: the first page.
        pdf: file to write: all pages, at most :data:`MOST` radiographs and lists after them.

    Raises:
        InputError: a file is missing or damaged, or they do not belong together.
    """
    radiographs, passed_over = read_radiographs(index), read_problems(problems)
    pixels, truths = read_pixels(images, masks, index, len(radiographs))
    copies = find_copies(radiographs, pixels)
    shown = spread(len(radiographs), MOST)
    about = caption(settings, radiographs, pixels.shape[1:], copies, len(passed_over), len(shown))
    lists = listing(radiographs, copies, passed_over)
    write_sheets(
        _pages(radiographs, pixels, truths, copies, shown, about, lists), png, pdf, PDF_DPI
    )


def spread(count: int, most: int) -> list[int]:
    """Return at most ``most`` of ``count`` places, evenly spread, the first and last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()


def caption(
    settings: ReportJob,
    radiographs: list[Radiograph],
    size: tuple[int, int],
    copies: list[Copies],
    passed_over: int,
    shown: int,
) -> str:
    """Return the caption of all pages: what there is, and what the marks mean."""
    shares = [r.tooth_fraction for r in radiographs if r.tooth_fraction is not None]
    alike = sum(len(group.members) for group in copies)
    words = [
        f"Contact sheet: all that was indexed. Dataset: {settings.dataset}. "
        f"Radiographs: {len(radiographs):,}; annotated: {len(shares):,}; copies of "
        f"others among them: {alike:,}; set aside or passed over: {passed_over:,}."
    ]
    if shares:
        low, middle, high = np.quantile(shares, (0, 0.5, 1))
        words += [f"Teeth: {low:.1%} to {high:.1%} of the pixels, median {middle:.1%}."]
    if shown < len(radiographs):
        words += [f"Drawn: {shown:,} of {len(radiographs):,}, evenly spread over the index."]
    words += [
        f"In the order of index.csv, as the networks see them: {size[1]} × {size[0]} pixels, "
        "whatever their own size (in grey) is. Orange: outline of the annotation. Copies of one "
        "radiograph have a frame of one colour and one letter."
    ]
    return " ".join(words)


def listing(
    radiographs: list[Radiograph], copies: list[Copies], problems: list[dict[str, str]]
) -> dict[str, list[str]]:
    """Return what the last pages list: a title and its lines, for what there is."""
    unlabelled = [r.id for r in radiographs if r.tooth_fraction is None]
    bare = [r.id for r in radiographs if r.tooth_fraction == 0]
    alike = [_about(group, radiographs) for group in copies]
    if any(not group.together for group in copies):
        alike += [APART]
    lists = {
        "Copies, by their pixels or perceptual hashes": alike,
        "Not annotated": [", ".join(unlabelled)] if unlabelled else [],
        "Annotated as without teeth": [", ".join(bare)] if bare else [],
        "Set aside or passed over (problems.csv)": [
            f"{row['id']}: {row['reason']}" for row in problems
        ],
    }
    return {title: lines for title, lines in lists.items() if lines}


def _about(group: Copies, radiographs: list[Radiograph]) -> str:
    names = ", ".join(radiographs[place].id for place in group.members)
    if group.equal:
        kind = "equal pixels"
    elif group.distance is None:
        kind = "alike at full size"
    else:
        kind = f"alike, up to {group.distance:.3f} apart"
    return f"{group.letter}: {names} ({kind}{'' if group.together else '; not held together'})"


def _pages(
    radiographs: list[Radiograph],
    pixels: np.ndarray,
    truths: np.ndarray,
    copies: list[Copies],
    shown: list[int],
    about: str,
    lists: dict[str, list[str]],
) -> Iterator[Sheet]:
    """Draw the pages one after the other: pictures, then lists."""
    room = PAGE[1] - 2 * MARGIN - caption_height(caption_lines(about, WIDTH))
    side = (WIDTH - SPACE * (COLUMNS - 1)) / COLUMNS
    tall = pixels.shape[1] / pixels.shape[2]
    side = min(side, (room - TEXT) / tall)  # one row at least
    height = side * tall
    rows = max(1, int(room / (height + TEXT)))
    pictures = [shown[n : n + rows * COLUMNS] for n in range(0, len(shown), rows * COLUMNS)]
    texts = _pages_of_text(lists, room)
    group_of = {place: group for group in copies for place in group.members}
    colours = dict(zip([group.letter for group in copies], cycle(COLOURS), strict=False))
    count = len(pictures) + len(texts)
    for number, content in enumerate([*pictures, *texts], start=1):
        page = Sheet(WIDTH, room, about, MARGIN, DPI)
        where = {"size": SIZE, "ha": "right", "color": "0.45"}
        page.axes.text(WIDTH, page.height + MARGIN / 2, f"page {number} of {count}", **where)
        if number > len(pictures):
            _write(page, content, room)
            yield page
            continue
        for cell, place in enumerate(content):
            corner = (cell % COLUMNS * (side + SPACE), cell // COLUMNS * room / rows)
            _draw(page, radiographs[place], pixels[place], truths[place], corner, side)
            if group := group_of.get(place):
                _frame(page, group.letter, colours[group.letter], corner, side, height)
        yield page


def _draw(
    page: Sheet,
    radiograph: Radiograph,
    pixels: np.ndarray,
    truth: np.ndarray,
    corner: tuple[float, float],
    side: float,
) -> None:
    """Draw a radiograph with the outline of its annotation, and write under it what it is."""
    left, top = corner
    page.show(Picture(np.asarray(pixels)), left, top, side)
    scale = side / pixels.shape[1]
    if outline := outlines(np.asarray(truth)):
        outline = Outline(outline.vertices * scale + corner, outline.codes)
        page.axes.add_artist(PathPatch(outline, fill=False, ec=MARK, lw=0.5))
    if not radiograph.tooth_fraction:
        words = "not annotated" if radiograph.tooth_fraction is None else "no teeth"
        ground = {"facecolor": "black", "pad": 1.2, "linewidth": 0.5, "edgecolor": "white"}
        page.axes.text(left + side - 0.05, top + 0.05, words, ha="right", bbox=ground, **TAG)
    below, style = top + scale * pixels.shape[0] + 0.025, {"size": NOTE_SIZE, "va": "top"}
    page.axes.text(left, below, shortened(radiograph.id, side), weight="bold", **style)
    page.axes.text(left, below + TEXT_LINE, teeth(radiograph), **style)
    size = f"{radiograph.width} × {radiograph.height}"
    style |= {"ha": "right", "color": "0.45"}
    page.axes.text(left + side, below + TEXT_LINE, size, **style)


def _frame(
    page: Sheet, letter: str, colour: str, corner: tuple[float, float], side: float, height: float
) -> None:
    """Frame one of a group of copies, and name the group on it."""
    page.axes.add_artist(Rectangle(corner, side, height, fill=False, ec=colour, lw=1.8))
    ground = {"facecolor": colour, "pad": 1.2, "linewidth": 0}
    page.axes.text(corner[0] + 0.04, corner[1] + 0.04, f"copy {letter}", bbox=ground, **TAG)


def outlines(mask: np.ndarray) -> Outline | None:
    """Return the outlines of a mask, uint8 (H, W), 1 = tooth, in pixels from its top left corner.

    They run through the middle of the outermost tooth pixels; None where there is no tooth.
    """
    rings, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if not rings:
        return None
    paths = []
    for ring in rings:
        corners = ring[:, 0].astype(float) + 0.5
        codes = [Outline.MOVETO, *[Outline.LINETO] * (len(corners) - 1), Outline.CLOSEPOLY]
        paths.append(Outline(np.concatenate([corners, corners[:1]]), codes))
    return Outline.make_compound_path(*paths)


def teeth(radiograph: Radiograph) -> str:
    """Say what is annotated: 28 teeth, 17.1 %."""
    if radiograph.tooth_fraction is None:
        return "not annotated"
    number = "" if radiograph.teeth is None else f"{radiograph.teeth} teeth, "
    return f"{number}{radiograph.tooth_fraction:.1%}"


def shortened(name: str, width: float) -> str:
    """Return a name with its middle left out, where it is wider than ``width`` inches."""
    fitting, widest = name, 1.2 * NOTE_SIZE / 72  # of a letter, and bold ones are wider
    while len(fitting) * widest > width < 1.2 * text_width(fitting, NOTE_SIZE, FONT):
        kept = (len(fitting) - 2) // 2
        fitting = f"{name[:kept]}…{name[-kept:]}"
    return fitting


def _pages_of_text(lists: dict[str, list[str]], room: float) -> list[list[tuple[str, str]]]:
    """Break the lists into pages of (text, weight), a line of a column each."""
    width = (WIDTH + TEXT_SPACE) / TEXT_COLUMNS - TEXT_SPACE
    lines: list[tuple[str, str]] = []
    for title, entries in lists.items():
        wrapped = [line for entry in entries for line in wrap(entry, width, SIZE, FONT)]
        left_out = len(wrapped) - MOST_LINES
        lines += [("", "normal")] * bool(lines) + [(title, "bold")]
        lines += [(line, "normal") for line in wrapped[:MOST_LINES]]
        if left_out > 0:
            lines += [(f"… and {left_out:,} further lines", "normal")]
    each = TEXT_COLUMNS * _lines_of(room)
    return [lines[start : start + each] for start in range(0, len(lines), each)]


def _write(page: Sheet, lines: list[tuple[str, str]], room: float) -> None:
    for number, (text, weight) in enumerate(lines):
        column, line = divmod(number, _lines_of(room))
        left = column * (WIDTH + TEXT_SPACE) / TEXT_COLUMNS
        page.axes.text(left, line * SIZE * LINE, text, size=SIZE, weight=weight, va="top")


def _lines_of(room: float) -> int:
    """Return how many lines a column has."""
    return int(room / (SIZE * LINE))
