"""What the figures share: their style, grids of pictures, and how a figure is written."""

import io
import textwrap
from collections.abc import Iterable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Literal, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox
from PIL import Image

from maskedteeth.files import replacing, write_text

#: The paper's text width, and that of a figure with many columns, in inches.
WIDTH, WIDE = 5.5, 7.0
#: Sizes of text, in points.
SIZE, NOTE_SIZE, WORD_SIZE = 7.0, 5.5, 3.8
#: White between two pictures, in inches.
GAP = 0.03
#: Okabe and Ito's palette without its yellow, which is faint on white.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
MARKERS = "osD^vP"
#: Of boxes and outlines: seen on black, white and grey alike.
MARK = "#E69F00"
CAPTION = {"size": 8.0, "family": ["STIXGeneral", "DejaVu Sans"], "va": "top", "linespacing": 1.1}
#: Letters of a caption on an inch.
LETTERS = 20.8

# A process that draws figures does nothing else, so the style is that of the whole process.
matplotlib.rcParams.update(
    {
        "figure.dpi": 300,
        "font.family": ["DejaVu Sans"],
        "font.size": SIZE,
        "text.parse_math": False,  # a dollar in a dataset's name is a dollar
        "pdf.fonttype": 42,
        "image.cmap": "gray",
        "image.composite_image": False,  # a picture each, also in the PDF
        "axes.linewidth": 0.6,
        "axes.titlesize": SIZE,
        "axes.titlepad": 3,
        "axes.axisbelow": True,
        "grid.color": "0.9",
        "grid.linewidth": 0.5,
        "legend.frameon": False,
        "lines.linewidth": 1.2,
        "lines.markersize": 4,
        "patch.linewidth": 0.8,
    }
)


class Sheet(NamedTuple):
    """A drawing and what it shows.

    Attributes:
        pages: matplotlib's figures, at least one; they may be drawn one after the other.
        caption: a few sentences in plain text.
        margin: white around a page, in inches.
        many_colours: whether 256 are too few for the PNG.
    """

    pages: Iterable[Figure]
    caption: str
    margin: float = 0.01
    many_colours: bool = False


class Picture(NamedTuple):
    """One panel of a grid.

    Attributes:
        pixels: uint8 (H, W), 0 is black, or RGB (H, W, 3).
        note: small print in the lower right corner.
        box: left, top, width, height in pixels of a region to outline.
        words: x and y in pixels, and what is written there.
    """

    pixels: np.ndarray
    note: str = ""
    box: tuple[int, int, int, int] | None = None
    words: tuple[tuple[float, float, str], ...] = ()

    def show(self, axes: Axes) -> None:
        """Draw it into axes of its own."""
        axes.imshow(self.pixels, vmin=0, vmax=255)
        if self.box:
            left, top, width, height = self.box
            corner = (left - 1.5, top - 1.5)  # a pixel's middle has whole numbers
            axes.add_patch(Rectangle(corner, width + 2, height + 2, fill=False, ec=MARK))
        for x, y, word in self.words:
            edge = [withStroke(linewidth=0.8, foreground="black")]
            style = {"size": WORD_SIZE, "color": "white", "ha": "center", "va": "center"}
            axes.text(x, y, word, path_effects=edge, **style)
        if self.note:
            ground = {"facecolor": "black", "alpha": 0.6, "pad": 0.8, "linewidth": 0}
            style = {"size": NOTE_SIZE, "color": "white", "ha": "right", "va": "bottom"}
            axes.text(0.99, 0.02, self.note, transform=axes.transAxes, bbox=ground, **style)


def mask_picture(mask: np.ndarray, note: str = "") -> Picture:
    """Return a mask, bool or 0/1 (H, W), as a picture: white teeth on black."""
    return Picture(np.where(mask, 255, 0).astype(np.uint8), note)


def draw_grid(
    rows: Sequence[Sequence[Picture]], titles: Sequence[str], caption: str, width: float = WIDTH
) -> Sheet:
    """Draw rows of pictures, all of one size, that nearly touch, with column titles above."""
    side = width / len(titles)
    height, wide = rows[0][0].pixels.shape
    figure = Figure((width, 1 + len(rows) * side * height / wide), layout="compressed")
    figure.get_layout_engine().set(w_pad=GAP / 2, h_pad=GAP / 2, wspace=0, hspace=0)
    grid = figure.subplots(len(rows), len(titles), squeeze=False)
    for line, row in zip(grid, rows, strict=True):
        for axes, picture in zip(line, row, strict=True):
            axes.set_axis_off()
            picture.show(axes)
    letters = int(side * 72 / (0.6 * SIZE))  # that a column has room for
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(textwrap.fill(title, letters, break_long_words=False))
    return Sheet([figure], caption)


def draw_words(words: str, caption: str) -> Sheet:
    """Say in a figure's place why there is nothing to draw."""
    figure = Figure((WIDTH, 0.8))
    style = {"ha": "center", "va": "center", "style": "italic"}
    figure.text(0.5, 0.5, textwrap.fill(words, 90), **style)
    fill_page(figure)
    return Sheet([figure], caption)


def fill_page(figure: Figure) -> None:
    """Keep the page as large as it is, where it would be cut to what is drawn."""
    figure.add_artist(Rectangle((0, 0), 1, 1, fill=False, linewidth=0))


def looks(labels: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return colour and marker of each method, in plots."""
    return dict(zip(labels, zip(cycle(COLOURS), cycle(MARKERS), strict=False), strict=False))


def lighten(axes: Axes, grid: Literal["x", "y"], *spines: str) -> None:
    """Give a plot faint lines across one axis, behind what is drawn, and leave out ``spines``."""
    axes.grid(axis=grid)
    axes.spines[["top", "right", *spines]].set_visible(False)


def write_figure(sheet: Sheet, png: Path, pdf: Path, txt: Path) -> None:
    """Write a drawing with its caption; equal drawings give equal bytes, for no file has a date.

    The PNG is the first page without the caption, the PDF all pages with the caption under each,
    and the TXT the caption.
    """
    # In memory: of a full disk, matplotlib reports an error in its own cleaning up.
    first, pages = io.BytesIO(), io.BytesIO()
    with PdfPages(pages, metadata={"CreationDate": None}) as file:
        for page in sheet.pages:
            page.draw_without_rendering()
            drawn = page.get_tightbbox()
            if not first.getvalue():
                dpi, crop = page.dpi, drawn.padded(sheet.margin)
                page.savefig(first, format="png", bbox_inches=crop)
            width, height = page.get_size_inches()
            lines = textwrap.fill(sheet.caption, int(LETTERS * width))
            text = page.text(0, (drawn.y0 - 0.08) / height, lines, **CAPTION)
            below = text.get_window_extent().transformed(page.dpi_scale_trans.inverted())
            file.savefig(page, bbox_inches=Bbox.union([drawn, below]).padded(sheet.margin))
    with replacing(png) as temporary:
        picture = Image.open(first).convert("RGB")
        picture = picture if sheet.many_colours else _small(picture)
        picture.save(temporary, dpi=(dpi, dpi))
    with replacing(pdf) as temporary:
        temporary.write_bytes(pages.getvalue())
    write_text(txt, sheet.caption + "\n")


def _small(colours: Image.Image) -> Image.Image:
    """Return a picture with a byte a pixel: grey where all is grey, else 256 colours."""
    grey = colours.convert("L")
    if np.array_equal(colours, grey.convert("RGB")):
        return grey
    return colours.quantize(dither=Image.Dither.NONE)
