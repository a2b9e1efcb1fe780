"""Figure 1: the architecture of Modified ResUNet, drawn from the network itself."""

import json
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch

from maskedteeth.report.figures.panels import WIDTH, Sheet, draw_words
from maskedteeth.settings.sections import Presentation

# Lengths are inches, from the top left corner.
BOX, TALL, STEP = 1.3, 0.36, 0.55  # width and height of a block, distance of levels
INDENT = 0.43  # of a level to the one above, at most
SMALL = 6.0
NAMES = {"modified_resunet": "Modified ResUNet"}
INPUTS = {"xray": "X-ray", "sobel": "Sobel"}
LAYER, ENCODER, DECODER, BOTTLENECK = "#EEEEEE", "#D6E6F2", "#D3EBE2", "#FBE3C0"
POOL, UP, SKIP = "#0072B2", "#009E73", "#777777"
ARROWS = {
    "2×2 max-pooling": POOL,
    "2×2 transposed convolution": UP,
    "skip connection (concatenated)": SKIP,
}
RESIDUAL = ("3×3 conv., w", "BN₁", "ReLU", "3×3 conv., w", "BN₂", "ReLU", "concatenate")


def figure1(report: Presentation, *, architecture: Path) -> Sheet:
    """Draw encoder, bottleneck, decoder, skip connections and the residual block.

    Args:
        report: dataset.
        architecture: ``architecture.json``: name, inputs, input, parameters and the blocks.
    """
    network = json.loads(architecture.read_text())
    caption = (
        f"Figure 1: Architecture of {NAMES.get(network['name'], network['name'])}, "
        f"{_short(network['parameters'])} parameters, for inputs of {_shape(network['input'])} "
        "(channels × height × width). Blocks show the shape that they return and their "
        "parameters, in the decoder with the transposed convolution's. Below: the residual block "
        "of width w, which concatenates what its first batch normalisation (BN₁) returns. "
        f"Dataset: {report.dataset}."
    )
    if network["name"] != "modified_resunet":
        words = f"No drawing: this figure knows modified_resunet, not {network['name']}."
        return draw_words(words, caption)
    levels = sum(block["name"].startswith("encoder.") for block in network["blocks"])
    bottom = (levels + 1) * STEP + TALL
    figure = Figure((WIDTH, bottom + 0.8))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(bottom + 0.8, -0.01))
    axes.set_axis_off()
    _draw_network(axes, network, levels)
    _draw_residual_block(axes, bottom + 0.2)
    handles = [Line2D([], [], color=ARROWS[name], lw=0.8, label=name) for name in ARROWS]
    axes.legend(handles=handles, loc="upper center", fontsize=SMALL, borderaxespad=0)
    return Sheet([figure], caption)


def _draw_network(axes: Axes, network: dict, levels: int) -> None:
    blocks = {block["name"]: block for block in network["blocks"]}
    middle, inner = WIDTH / 2, 0.8
    indent = min(INDENT, (middle - BOX / 2 - 0.02 - inner) / max(levels - 1, 1))
    offsets = [inner + indent * (levels - 1 - level) for level in range(levels)]
    out = offsets[0]
    inputs = " + ".join(INPUTS[name] for name in network["inputs"])
    _block(axes, middle - out, 0, LAYER, inputs, _shape(network["input"]))
    _block(axes, middle + out, 0, LAYER, "1×1 convolution, sigmoid", _detail(blocks["head"]))
    _arrow(axes, (middle - out, TALL), (middle - out, STEP), "black")
    _arrow(axes, (middle + out, STEP), (middle + out, TALL), "black")
    for level, offset in enumerate(offsets):
        top = (level + 1) * STEP
        encoder, decoder = blocks[f"encoder.{level}"], blocks[f"decoder.{levels - 1 - level}"]
        title = f"block {level + 1}"
        _block(axes, middle - offset, top, ENCODER, f"Encoder {title}", _detail(encoder))
        _block(axes, middle + offset, top, DECODER, f"Decoder {title}", _detail(decoder))
        side, centre = offset - BOX / 2, top + TALL / 2
        _arrow(axes, (middle - side, centre), (middle + side, centre), SKIP)
        # Between two levels arrows stand above what both blocks span.
        aside = (offset + [*offsets, 0][level + 1]) / 2
        _arrow(axes, (middle - aside, top + TALL), (middle - aside, top + STEP), POOL)
        _arrow(axes, (middle + aside, top + STEP), (middle + aside, top + TALL), UP)
    top = (levels + 1) * STEP
    _block(axes, middle, top, BOTTLENECK, "Bottleneck", _detail(blocks["bottleneck"]))


def _draw_residual_block(axes: Axes, top: float) -> None:
    height, gap = 0.24, 0.16
    y, centre = top + 0.28, top + 0.28 + height / 2
    widths = [0.12 + 0.043 * len(name) for name in RESIDUAL]
    lefts = np.cumsum([0, *(width + gap for width in widths)])
    lefts += (WIDTH - lefts[-1] + gap) / 2
    style = {"size": SMALL, "va": "center"}
    axes.text(WIDTH / 2, top, "Residual block", size=SMALL + 0.5, weight="bold", ha="center")
    for left, width, name in zip(lefts, widths, RESIDUAL, strict=False):
        _rounded(axes, left, y, width, height, LAYER)
        axes.text(left + width / 2, centre, name, ha="center", **style)
    for left in lefts:
        _arrow(axes, (left - gap, centre), (left, centre), "black")
    axes.text(lefts[0] - gap - 0.03, centre, "C×H×W", ha="right", **style)
    axes.text(lefts[-1] + 0.03, centre, "2w×H×W", ha="left", **style)
    # BN₁'s output leaves before the ReLU and joins at the end.
    leaves, joins, over = lefts[2] - gap * 0.7, lefts[-2] + widths[-1] / 2, y - 0.13
    axes.plot([leaves, leaves, joins], [centre, over, over], color=SKIP, lw=0.8)
    _arrow(axes, (joins, over), (joins, y), SKIP)


def _block(axes: Axes, centre: float, top: float, fill: str, title: str, detail: str) -> None:
    _rounded(axes, centre - BOX / 2, top, BOX, TALL, fill)
    style = {"size": SMALL, "ha": "center", "va": "center"}
    axes.text(centre, top + TALL * 0.3, title, weight="bold", **style)
    axes.text(centre, top + TALL * 0.72, detail, **style)


def _rounded(axes: Axes, left: float, top: float, width: float, height: float, fill: str) -> None:
    style = {"boxstyle": "round,pad=0,rounding_size=0.04", "fc": fill, "ec": "0.35", "lw": 0.5}
    axes.add_patch(FancyBboxPatch((left, top), width, height, **style))


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
