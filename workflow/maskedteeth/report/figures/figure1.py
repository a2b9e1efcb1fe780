"""Figure 1: the architecture of Modified ResUNet, drawn from the network itself."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from pydantic import BaseModel

from maskedteeth.errors import InputError
from maskedteeth.report.figures.panels import WIDTH, draw_words, sheet
from maskedteeth.report.reading import MEND, read_content
from maskedteeth.settings.jobs import ReportJob

BOX, TALL, STEP = 1.3, 0.36, 0.55  # width and height of a block, distance of levels
TOP, ROOM = 0.01, 0.8  # above, and for the residual block
SMALL = 6.0
NAMES = {"modified_resunet": "Modified ResUNet"}
INPUTS = {"xray": "X-ray", "sobel": "Sobel"}
FILLS = {
    "encoder": "#D6E6F2",
    "bottleneck": "#FBE3C0",
    "decoder": "#D3EBE2",
    "layer": "#EEEEEE",
}
#: What an arrow stands for, and its colour.
ARROWS = {
    "2×2 max-pooling": "#0072B2",
    "2×2 transposed convolution": "#009E73",
    "skip connection (concatenated)": "#777777",
}
POOL, UP, SKIP = ARROWS.values()


class Block(BaseModel):
    """Of ``architecture.json``: a block, its parameters and the shape that it returns."""

    name: str
    output: list[int]
    parameters: int


class Architecture(BaseModel):
    """Of ``architecture.json``: what is drawn of it."""

    name: str
    inputs: list[str]
    input: list[int]
    parameters: int
    blocks: list[Block]


def figure1(settings: ReportJob, *, architecture: Path, png: Path, pdf: Path) -> None:
    """Draw encoder, bottleneck, decoder, skip connections and the residual block.

    Args:
        settings: dataset.
        architecture: ``architecture.json`` of the stage `describe`.
        png: file to write.
        pdf: file to write.

    Raises:
        InputError: ``architecture.json`` is damaged, or lacks a block.
    """
    content = read_content(architecture, Architecture).model_dump()
    text = caption(settings, content)
    levels = sum(block["name"].startswith("encoder.") for block in content["blocks"])
    if content["name"] != "modified_resunet":
        words = f"No drawing: this figure knows modified_resunet, not {content['name']}."
        draw_words(words, text, png=png, pdf=pdf)
        return
    height = (levels + 1) * STEP + TALL
    wanted = [f"{part}.{level}" for level in range(levels) for part in ("encoder", "decoder")]
    for name in (*wanted, "bottleneck", "head"):
        if name not in [block["name"] for block in content["blocks"]]:
            raise InputError(f"{architecture} has no block {name!r}, which is drawn. {MEND}")
    with sheet(WIDTH, TOP + height + ROOM, text, png, pdf) as page:
        _draw_network(page.axes, content, levels)
        _draw_residual_block(page.axes, TOP + height + 0.2)


def caption(settings: ReportJob, content: dict) -> str:
    """Return the caption for ``content`` of ``architecture.json``."""
    name = NAMES.get(content["name"], content["name"])
    return (
        f"Figure 1: Architecture of {name}, {_short(content['parameters'])} parameters, for inputs "
        f"of {_shape(content['input'])} (channels × height × width). Blocks show the shape that "
        "they return and their parameters, in the decoder with the transposed convolution's. "
        "Below: the residual block of width w, which concatenates what its first batch "
        f"normalisation (BN₁) returns. Dataset: {settings.dataset}."
    )


def _draw_network(axes: Axes, content: dict, levels: int) -> None:
    blocks = {block["name"]: block for block in content["blocks"]}
    middle, inner = WIDTH / 2, 0.8
    indent = min(0.43, (middle - BOX / 2 - 0.02 - inner) / max(levels - 1, 1))
    offsets = [inner + indent * (levels - 1 - level) for level in range(levels)]
    # Where the arrows between two levels stand: above what both blocks span.
    between = [(a + b) / 2 for a, b in zip(offsets, offsets[1:] + [0], strict=True)]

    inputs = " + ".join(INPUTS[name] for name in content["inputs"])
    _block(axes, middle - offsets[0], TOP, "layer", inputs, _shape(content["input"]))
    head = blocks["head"]
    _block(axes, middle + offsets[0], TOP, "layer", "1×1 convolution, sigmoid", _detail(head))
    low, high = TOP + STEP, TOP + TALL
    _arrow(axes, (middle - offsets[0], high), (middle - offsets[0], low), "black")
    _arrow(axes, (middle + offsets[0], low), (middle + offsets[0], high), "black")
    for level, offset in enumerate(offsets):
        top = TOP + (level + 1) * STEP
        below = top + STEP
        encoder, decoder = blocks[f"encoder.{level}"], blocks[f"decoder.{levels - 1 - level}"]
        title = f"block {level + 1}"
        _block(axes, middle - offset, top, "encoder", f"Encoder {title}", _detail(encoder))
        _block(axes, middle + offset, top, "decoder", f"Decoder {title}", _detail(decoder))
        side, centre = offset - BOX / 2, top + TALL / 2
        _arrow(axes, (middle - side, centre), (middle + side, centre), SKIP)
        left, right = middle - between[level], middle + between[level]
        _arrow(axes, (left, top + TALL), (left, below), POOL)
        _arrow(axes, (right, below), (right, top + TALL), UP)
    bottom = TOP + (levels + 1) * STEP
    _block(axes, middle, bottom, "bottleneck", "Bottleneck", _detail(blocks["bottleneck"]))
    for line, (meaning, colour) in enumerate(ARROWS.items()):
        y = 0.06 + 0.13 * line
        _arrow(axes, (middle - 0.9, y), (middle - 0.65, y), colour)
        axes.text(middle - 0.58, y, meaning, size=SMALL, va="center")


def _draw_residual_block(axes: Axes, top: float) -> None:
    names = ("3×3 conv., w", "BN₁", "ReLU", "3×3 conv., w", "BN₂", "ReLU", "concatenate")
    widths = (0.64, 0.3, 0.34, 0.64, 0.3, 0.34, 0.64)
    gap, height, y = 0.16, 0.24, top + 0.28
    x, edges = (WIDTH - sum(widths) - gap * (len(names) - 1)) / 2, []
    axes.text(WIDTH / 2, top, "Residual block", size=SMALL + 0.5, weight="bold", ha="center")
    for name, width in zip(names, widths, strict=True):
        _rounded(axes, x, y, width, height, FILLS["layer"])
        axes.text(x + width / 2, y + height / 2, name, size=SMALL, ha="center", va="center")
        edges.append((x, x + width))
        x += width + gap
    centre = y + height / 2
    ends = [edges[0][0] - 0.2, *(right for _, right in edges)]
    starts = [*(left for left, _ in edges), edges[-1][1] + 0.2]
    for end, start in zip(ends, starts, strict=True):
        _arrow(axes, (end, centre), (start, centre), "black")
    axes.text(ends[0] - 0.03, centre, "C×H×W", size=SMALL, ha="right", va="center")
    axes.text(starts[-1] + 0.03, centre, "2w×H×W", size=SMALL, ha="left", va="center")
    # BN₁'s output leaves before the ReLU and joins at the end.
    leaves, joins, over = edges[1][1] + gap / 4, sum(edges[-1]) / 2, y - 0.13
    axes.plot([leaves, leaves, joins], [centre, over, over], color=SKIP, lw=0.8)
    _arrow(axes, (joins, over), (joins, y), SKIP)


def _block(axes: Axes, centre: float, top: float, kind: str, title: str, detail: str) -> None:
    _rounded(axes, centre - BOX / 2, top, BOX, TALL, FILLS[kind])
    axes.text(centre, top + TALL * 0.3, title, size=SMALL, weight="bold", ha="center", va="center")
    axes.text(centre, top + TALL * 0.72, detail, size=SMALL, ha="center", va="center")


def _rounded(axes: Axes, left: float, top: float, width: float, height: float, fill: str) -> None:
    style = "round,pad=0,rounding_size=0.04"
    axes.add_patch(
        FancyBboxPatch((left, top), width, height, boxstyle=style, fc=fill, ec="0.35", lw=0.5)
    )


def _arrow(axes: Axes, start: tuple, end: tuple, colour: str) -> None:
    line = {"arrowstyle": "-|>", "color": colour, "lw": 0.8, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops={**line, "mutation_scale": 6})


def _detail(block: dict) -> str:
    return f"{_shape(block['output'])} | {_short(block['parameters'])}"


def _shape(shape: list[int]) -> str:
    return "×".join(map(str, shape))


def _short(number: int) -> str:
    """Print a number of parameters: 65, 9.9 k, 31.0 M."""
    for limit, unit in ((1e6, " M"), (1e3, " k")):
        if number >= limit:
            return f"{number / limit:.1f}{unit}"
    return str(number)
