"""Figure 1: the architecture of Modified ResUNet, drawn from the network itself."""

import json
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from maskedteeth.report.figures.panels import WIDTH, Sheet, draw_words
from maskedteeth.settings.sections import Presentation

# Lengths are inches, from the top left corner.
BOX, TALL, STEP = 1.3, 0.36, 0.55  # width and height of a block, distance of levels
INDENT = 0.43  # of a level to the one above, at most
SMALL = 6.0
INPUTS = {"xray": "X-ray", "sobel": "Sobel"}
LAYER, ENCODER, DECODER, BOTTLENECK = "#EEEEEE", "#D6E6F2", "#D3EBE2", "#FBE3C0"
POOL, UP, SKIP = "#0072B2", "#009E73", "#777777"
RESIDUAL = ("3×3 conv., w", "BN₁", "ReLU", "3×3 conv., w", "BN₂", "ReLU", "concatenate")


def figure1(report: Presentation, *, architecture: Path) -> Sheet:
    """Draw encoder, bottleneck, decoder, skip connections and the residual block.

    Args:
        report: dataset.
        architecture: ``architecture.json``: name, inputs, input, parameters and the blocks.
    """
    network = json.loads(architecture.read_text())
    known = network["name"] == "modified_resunet"
    caption = (
        f"Figure 1: Architecture of {'Modified ResUNet' if known else network['name']}, "
        f"{_short(network['parameters'])} parameters, for inputs of {_shape(network['input'])} "
        "(channels × height × width). Blocks show the shape that they return and their "
        "parameters, in the decoder with the transposed convolution's. Arrows: 2×2 max-pooling "
        "(blue), 2×2 transposed convolution (green), skip connection, which is concatenated "
        "(grey). Below: the residual block of width w, which concatenates what its first batch "
        f"normalisation (BN₁) returns. Dataset: {report.dataset}."
    )
    if not known:
        words = f"No drawing: this figure knows modified_resunet, not {network['name']}."
        return draw_words(words, caption)
    levels = sum(block["name"].startswith("encoder.") for block in network["blocks"])
    bottom = (levels + 1) * STEP + TALL
    figure = Figure((WIDTH, bottom + 0.8))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(bottom + 0.8, -0.01))
    axes.set_axis_off()
    _draw_network(axes, network, levels)
    _draw_residual_block(axes, bottom + 0.2)
    return Sheet([figure], caption)


def _draw_network(axes: Axes, network: dict, levels: int) -> None:
    blocks = {block["name"]: block for block in network["blocks"]}
    detail = {n: f"{_shape(b['output'])} | {_short(b['parameters'])}" for n, b in blocks.items()}
    middle, inner = WIDTH / 2, 0.8
    indent = min(INDENT, (middle - BOX / 2 - 0.02 - inner) / max(levels - 1, 1))
    offsets = [inner + indent * (levels - 1 - level) for level in range(levels)]
    out, inputs = offsets[0], " + ".join(INPUTS[name] for name in network["inputs"])
    _block(axes, middle - out, 0, LAYER, inputs, _shape(network["input"]))
    _block(axes, middle + out, 0, LAYER, "1×1 convolution, sigmoid", detail["head"])
    _arrow(axes, (middle - out, TALL), (middle - out, STEP), "black")
    _arrow(axes, (middle + out, STEP), (middle + out, TALL), "black")
    for level, offset in enumerate(offsets):
        top, title = (level + 1) * STEP, f"block {level + 1}"
        decoder = detail[f"decoder.{levels - 1 - level}"]
        _block(axes, middle - offset, top, ENCODER, f"Encoder {title}", detail[f"encoder.{level}"])
        _block(axes, middle + offset, top, DECODER, f"Decoder {title}", decoder)
        side, centre = offset - BOX / 2, top + TALL / 2
        _arrow(axes, (middle - side, centre), (middle + side, centre), SKIP)
        # Between two levels arrows stand above what both blocks span.
        aside = (offset + [*offsets, 0][level + 1]) / 2
        _arrow(axes, (middle - aside, top + TALL), (middle - aside, top + STEP), POOL)
        _arrow(axes, (middle + aside, top + STEP), (middle + aside, top + TALL), UP)
    _block(axes, middle, (levels + 1) * STEP, BOTTLENECK, "Bottleneck", detail["bottleneck"])


def _draw_residual_block(axes: Axes, top: float) -> None:
    height, gap = 0.24, 0.16
    y, centre = top + 0.28, top + 0.28 + height / 2
    widths = [0.12 + 0.043 * len(name) for name in RESIDUAL]
    lefts = np.cumsum([0, *(width + gap for width in widths)])
    lefts += (WIDTH - lefts[-1] + gap) / 2
    _text(axes, WIDTH / 2, top, "Residual block", weight="bold")
    for left, width, name in zip(lefts, widths, RESIDUAL, strict=False):
        _rounded(axes, left, y, width, height, LAYER)
        _text(axes, left + width / 2, centre, name)
    for left in lefts:
        _arrow(axes, (left - gap, centre), (left, centre), "black")
    _text(axes, lefts[0] - gap - 0.03, centre, "C×H×W", ha="right")
    _text(axes, lefts[-1] + 0.03, centre, "2w×H×W", ha="left")
    # BN₁'s output leaves before the ReLU and joins at the end.
    leaves, joins, over = lefts[2] - gap * 0.7, lefts[-2] + widths[-1] / 2, y - 0.13
    axes.plot([leaves, leaves, joins], [centre, over, over], color=SKIP, lw=0.8)
    _arrow(axes, (joins, over), (joins, y), SKIP)


def _block(axes: Axes, centre: float, top: float, fill: str, title: str, detail: str) -> None:
    _rounded(axes, centre - BOX / 2, top, BOX, TALL, fill)
    _text(axes, centre, top + TALL * 0.3, title, weight="bold")
    _text(axes, centre, top + TALL * 0.72, detail)


def _text(axes: Axes, x: float, y: float, words: str, **style: str) -> None:
    axes.text(x, y, words, **{"size": SMALL, "ha": "center", "va": "center"} | style)


def _rounded(axes: Axes, left: float, top: float, width: float, height: float, fill: str) -> None:
    style = {"boxstyle": "round,pad=0,rounding_size=0.04", "fc": fill, "ec": "0.35", "lw": 0.5}
    axes.add_patch(FancyBboxPatch((left, top), width, height, **style))


def _arrow(axes: Axes, start: tuple, end: tuple, colour: str) -> None:
    line = {"arrowstyle": "-|>", "color": colour, "lw": 0.8, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops={**line, "mutation_scale": 6})


def _shape(shape: list[int]) -> str:
    return "×".join(map(str, shape))


def _short(number: int) -> str:
    """Print a number of parameters: 65, 9.9 k, 31.0 M."""
    for limit, unit in ((1e6, " M"), (1e3, " k")):
        if number >= limit:
            return f"{number / limit:.1f}{unit}"
    return str(number)
