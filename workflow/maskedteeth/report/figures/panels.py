"""What the figures share: sheets as wide as the paper's text, grids of pictures, PNG and PDF.

Lengths are inches, measured from the top left corner, text sizes are points.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from maskedteeth.files import replacing

#: The paper's text width, and that of a figure with many columns.
WIDTH, WIDE = 5.5, 7.0
DPI = 300
SIZE, CAPTION_SIZE, NOTE_SIZE = 7.0, 8.0, 5.5
LINE = 1.25 / 72  # height of a line of text, in inches a point
GAP, GROUP_GAP, CAPTION_GAP = 0.03, 0.12, 0.08
LEGEND_ROW = 0.16
RIGHT = 0.22  # free to the right of a plot, for half of a number under its very end
#: Okabe and Ito's palette without its yellow, which is faint on white.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
MARK, MARGIN = "#E69F00", 0.02  # of boxes; a colour seen on black, white and grey alike

STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": SIZE,
    "text.parse_math": False,  # a dollar in a dataset's name is a dollar
    "pdf.fonttype": 42,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.2,
    "patch.linewidth": 0.8,
    "image.composite_image": False,  # a picture each, also in the PDF
}
CAPTION_FONT = ["STIXGeneral", "DejaVu Sans"]
#: What a PNG tells besides its pixels: its caption, and the row of pixels from which it is drawn.
DESCRIPTION, CAPTION_ROW = "Description", "Caption-Row"


@dataclass(frozen=True)
class Picture:
    """One panel of a grid.

    Attributes:
        pixels: uint8 (H, W), 0 is black.
        note: small print in the lower right corner.
        box: left, top, width, height in pixels of a region to outline.
    """

    pixels: np.ndarray
    note: str = ""
    box: tuple[int, int, int, int] | None = None


class Sheet:
    """A figure with its caption below, and room to draw above.

    Args:
        width: of the figure.
        height: of the room above the caption.
        caption: is wrapped to the width.
        margin: of white around all that.
        dpi: of the figure's pixels.

    Attributes:
        figure: matplotlib's.
        axes: cover the sheet, in inches from the top left corner of what the margin is around.
        caption: as given.
        room: height of what stands above the caption.
    """

    def __init__(
        self, width: float, height: float, caption: str, margin: float = 0.0, dpi: int = DPI
    ):
        lines = caption_lines(caption, width)
        top, line = height + CAPTION_GAP, CAPTION_SIZE * LINE
        self.width, self.height, self.margin = width, height + caption_height(lines), margin
        self.caption, self.room = caption, height
        size = (self.width + 2 * margin, self.height + 2 * margin)
        self.figure = Figure(size, dpi=dpi, facecolor="white")
        FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self._set_limits()
        self.axes.set_axis_off()
        for number, text in enumerate(lines):
            style = {"size": CAPTION_SIZE, "family": CAPTION_FONT, "va": "top"}
            self.axes.text(0, top + number * line, text, **style)

    def _set_limits(self) -> None:
        sides = (-self.margin, self.width + self.margin)
        self.axes.set(xlim=sides, ylim=(self.height + self.margin, -self.margin))

    def plot(self, left: float, top: float, width: float, height: float) -> Axes:
        """Return axes for a plot at a place of a sheet without a margin."""
        bottom = 1 - (top + height) / self.height
        place = (left / self.width, bottom, width / self.width, height / self.height)
        return self.figure.add_axes(place)

    def legend(self, handles: Sequence[Artist]) -> None:
        """Put a legend of two columns at the top; a row is :data:`LEGEND_ROW` high."""
        self.figure.legend(
            handles=handles,
            loc="upper center",
            bbox_to_anchor=(0.5, 1),
            ncols=2,
            frameon=False,
            fontsize=SIZE,
            borderaxespad=0,
            labelspacing=0.4,
        )

    def show(self, picture: "Picture", left: float, top: float, width: float) -> None:
        """Draw a picture with its box and its note."""
        height = width * picture.pixels.shape[0] / picture.pixels.shape[1]
        right, bottom = left + width, top + height
        place = (left, right, bottom, top)
        self.axes.imshow(picture.pixels, cmap="gray", vmin=0, vmax=255, aspect="auto", extent=place)
        self._set_limits()  # imshow narrows them
        if picture.box:
            scale = width / picture.pixels.shape[1]
            x, y, wide, high = (scale * value for value in picture.box)
            corner = (left + x - MARGIN, top + y - MARGIN)
            box = Rectangle(corner, wide + 2 * MARGIN, high + 2 * MARGIN, fill=False, ec=MARK)
            self.axes.add_patch(box)
        if picture.note:
            ground = {"facecolor": "black", "alpha": 0.6, "pad": 0.8, "linewidth": 0}
            style = {"size": NOTE_SIZE, "color": "white", "ha": "right", "va": "bottom"}
            self.axes.text(right - 0.02, bottom - 0.02, picture.note, bbox=ground, **style)


def lighten(axes: Axes, grid: Literal["x", "y"], spines: tuple[str, ...]) -> None:
    """Give a plot faint lines across one axis, behind what is drawn, and leave out ``spines``."""
    axes.grid(axis=grid, color="0.9", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[list(spines)].set_visible(False)


@contextmanager
def sheet(width: float, height: float, caption: str, png: Path, pdf: Path) -> Iterator[Sheet]:
    """Yield an empty :class:`Sheet`; write it to ``png`` and ``pdf`` when the block succeeds.

    Equal drawings give equal bytes: neither file holds a date. Both appear whole or not at all. The
    PNG holds its caption as text, too.
    """
    with matplotlib.rc_context(STYLE):
        page = Sheet(width, height, caption)
        yield page
        write_sheets([page], png, pdf)


def write_sheets(
    pages: Iterable[Sheet], png: Path, pdf: Path, pdf_dpi: float | None = None
) -> None:
    """Write sheets as the pages of ``pdf`` and the first one as ``png``, one at a time.

    Like :func:`sheet`, within whose style they are drawn where ``pages`` is a generator.

    Args:
        pages: at least one.
        png: file to write.
        pdf: file to write.
        pdf_dpi: pixels an inch of pictures in the PDF, where not the sheets' own.
    """
    # Drawn in memory: of a full disk, matplotlib reports an error in its own cleaning up.
    content, first = io.BytesIO(), None
    with matplotlib.rc_context(STYLE), PdfPages(content, metadata={"CreationDate": None}) as file:
        for page in pages:
            file.savefig(page.figure, dpi=pdf_dpi or page.figure.dpi)
            if first is None:
                first = _small(page.figure), (page.figure.dpi,) * 2, _said(page)
    with replacing(pdf) as temporary:
        temporary.write_bytes(content.getvalue())
    picture, dpi, said = first
    with replacing(png) as temporary:
        picture.save(temporary, dpi=dpi, pnginfo=said)


def _said(page: Sheet) -> PngInfo:
    """Return a sheet's caption, and the row from which on it stands, for the PNG."""
    said = PngInfo()
    said.add_itxt(DESCRIPTION, page.caption)
    row = round((page.margin + page.room + CAPTION_GAP / 2) * page.figure.dpi)
    said.add_text(CAPTION_ROW, str(row))
    return said


def draw_grid(
    rows: Sequence[Sequence[Picture | None]],
    titles: Sequence[str],
    caption: str,
    *,
    png: Path,
    pdf: Path,
    width: float = WIDTH,
    groups: int = 1,
) -> None:
    """Draw rows of pictures that nearly touch, with column titles above.

    Args:
        rows: pictures, all of one size; None leaves a place empty.
        titles: one a column.
        caption: goes below.
        png: file to write.
        pdf: file to write.
        width: of the figure, in inches.
        groups: columns stand in so many equal groups, with wider gaps between them.
    """
    columns = len(titles)
    wide_gaps = [number % (columns // groups) == 0 for number in range(columns)]
    gaps = [0.0] + [GROUP_GAP if wide else GAP for wide in wide_gaps[1:]]
    side = (width - sum(gaps)) / columns
    lefts = [number * side + sum(gaps[: number + 1]) for number in range(columns)]
    pixels = rows[0][0].pixels.shape
    step = side * pixels[0] / pixels[1] + GAP
    size = _fitting_size(titles, side)
    wrapped = [wrap(title, side, size, STYLE["font.family"]) for title in titles]
    top = max(map(len, wrapped)) * size * LINE + 0.04

    with sheet(width, top + len(rows) * step - GAP, caption, png, pdf) as page:
        for left, lines in zip(lefts, wrapped, strict=True):
            style = {"size": size, "ha": "center", "va": "bottom"}
            page.axes.text(left + side / 2, top - 0.03, "\n".join(lines), **style)
        for number, row in enumerate(rows):
            for left, picture in zip(lefts, row, strict=True):
                if picture is not None:
                    page.show(picture, left, top + number * step, side)


def draw_words(words: str, caption: str, *, png: Path, pdf: Path) -> None:
    """Say in a figure's place why there is nothing to draw."""
    with sheet(WIDTH, 0.8, caption, png, pdf) as page:
        lines = wrap(words, WIDTH - 0.6, SIZE, STYLE["font.family"])
        style = {"ha": "center", "va": "center", "style": "italic"}
        page.axes.text(WIDTH / 2, 0.4, "\n".join(lines), **style)


def mask_picture(mask: np.ndarray, note: str = "", box=None) -> Picture:
    """Return a mask, bool or 0/1 (H, W), as a picture: white teeth on black."""
    return Picture(np.where(mask, 255, 0).astype(np.uint8), note, box)


@lru_cache
def caption_lines(caption: str, width: float) -> list[str]:
    """Break a caption into the lines of a sheet."""
    # A little less than the width, because pixels round letters up.
    return wrap(caption, 0.99 * width, CAPTION_SIZE, CAPTION_FONT)


def caption_height(lines: list[str]) -> float:
    """Return what a caption of these lines takes of a sheet's height, in inches."""
    return CAPTION_GAP + len(lines) * CAPTION_SIZE * LINE + 0.03


def wrap(text: str, width: float, size: float, family: list[str]) -> list[str]:
    """Break ``text`` into lines of at most ``width`` inches, a longer word where it must be.

    A no-break space keeps its words together.
    """
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, size, family) <= width:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for character in word:
            if lines[-1] and text_width(lines[-1] + character, size, family) > width:
                lines.append("")
            lines[-1] += character
    return lines


def text_width(text: str, size: float, family: list[str]) -> float:
    """Return the width of a line of text in inches."""
    font = FontProperties(family=family, size=size)
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] / 72


def _fitting_size(titles: Sequence[str], width: float) -> float:
    """Return the text size at which the longest word of ``titles`` fits into ``width``."""
    words = [word for title in titles for word in title.split()]
    widest = max(text_width(word, SIZE, STYLE["font.family"]) for word in words)
    return min(SIZE, SIZE * 0.98 * width / widest)


def _small(figure: Figure) -> Image.Image:
    """Render with a byte a pixel: grey where all is grey, else 256 colours."""
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    grey = pixels[..., 0]
    if (grey == pixels[..., 1]).all() and (grey == pixels[..., 2]).all():
        return Image.fromarray(grey)
    return Image.fromarray(pixels).quantize(256, dither=Image.Dither.NONE)
