"""Figure 1: the architecture of Modified ResUNet, drawn from the network itself."""

import json
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from maskedteeth.report.figures.panels import WIDTH, Sheet, draw_words
from maskedteeth.settings.sections import Presentation

# Lengths are inches, from the top left corner.
BOX, TALL, STEP = 1.3, 0.36, 0.55  # width and height of a block, distance of levels
INDENT = 0.43  # of a level to the one above, at most
INNER = 0.8  # from the middle to the deepest level's blocks
SMALL = 6.0
INPUTS = {"xray": "X-ray", "sobel": "Sobel"}
LAYER, ENCODER, DECODER, BOTTLENECK = "#EEEEEE", "#D6E6F2", "#D3EBE2", "#FBE3C0"
POOL, UP, SKIP = "#0072B2", "#009E73", "#777777"
RESIDUAL = "C×H×W → 3×3 conv., w → BN₁ → ReLU → 3×3 conv., w → BN₂ → ReLU → BN₁ appended → 2w×H×W"


def figure1(report: Presentation, *, architecture: Path) -> Sheet:
    """Draw encoder, bottleneck, decoder, skip connections and the residual block.

    ``architecture.json`` has the network's name, inputs, input, parameters and blocks.
    """
    network = json.loads(architecture.read_text())
    known = network["name"] == "modified_resunet"
    caption = (
        f"Figure 1: Architecture of {'Modified ResUNet' if known else network['name']}, "
        f"{_short(network['parameters'])} parameters, for inputs of {_shape(network['input'])} "
        "(channels × height × width). Blocks show their output shape and their number of "
        "parameters, in the decoder including the transposed convolution. Arrows: 2×2 max-pooling "
        "(blue), 2×2 transposed convolution (green), skip connection, which is concatenated "
        "(grey). Below: the residual block of width w, which concatenates the output of its first "
        f"batch normalisation (BN₁). Dataset: {report.dataset}."
    )
    if not known:
        words = f"No drawing: this figure can show modified_resunet, but not {network['name']}."
        return draw_words(words, caption)
    levels = sum(block["name"].startswith("encoder.") for block in network["blocks"])
    height = (levels + 2) * STEP + 0.3
    figure = Figure((WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-WIDTH / 2, WIDTH / 2), ylim=(height, -0.01))
    axes.set_axis_off()
    _draw_network(axes, network, levels)
    axes.text(0, height - 0.1, f"Residual block: {RESIDUAL}", size=SMALL, ha="center")
    return Sheet([figure], caption)


def _draw_network(axes: Axes, network: dict, levels: int) -> None:
    blocks = {block["name"]: block for block in network["blocks"]}
    detail = {n: f"{_shape(b['output'])} | {_short(b['parameters'])}" for n, b in blocks.items()}
    shift = min(INDENT, ((WIDTH - BOX) / 2 - 0.02 - INNER) / max(levels - 1, 1))
    asides = [INNER + shift * (levels - 1 - level) for level in range(levels)]
    out, inputs = asides[0], " + ".join(INPUTS[name] for name in network["inputs"])
    _block(axes, -out, 0, LAYER, inputs, _shape(network["input"]))
    _block(axes, out, 0, LAYER, "1×1 convolution, sigmoid", detail["head"])
    _arrow(axes, (-out, TALL), (-out, STEP), "black")
    _arrow(axes, (out, STEP), (out, TALL), "black")
    for level, (aside, below) in enumerate(zip(asides, [*asides[1:], 0], strict=True), start=1):
        encoder, decoder = detail[f"encoder.{level - 1}"], detail[f"decoder.{levels - level}"]
        _block(axes, -aside, level, ENCODER, f"Encoder block {level}", encoder)
        _block(axes, aside, level, DECODER, f"Decoder block {level}", decoder)
        side, centre = aside - BOX / 2, level * STEP + TALL / 2
        _arrow(axes, (-side, centre), (side, centre), SKIP)
        # Between two levels arrows stand above what both blocks span.
        x, top, bottom = (aside + below) / 2, level * STEP + TALL, (level + 1) * STEP
        _arrow(axes, (-x, top), (-x, bottom), POOL)
        _arrow(axes, (x, bottom), (x, top), UP)
    _block(axes, 0, levels + 1, BOTTLENECK, "Bottleneck", detail["bottleneck"])


def _block(axes: Axes, x: float, level: int, fill: str, title: str, detail: str) -> None:
    box = {"boxstyle": "round,pad=0,rounding_size=0.04", "fc": fill, "ec": "0.35", "lw": 0.5}
    axes.add_patch(FancyBboxPatch((x - BOX / 2, level * STEP), BOX, TALL, **box))
    style = {"size": SMALL, "ha": "center", "va": "center"}
    axes.text(x, level * STEP + TALL * 0.3, title, weight="bold", **style)
    axes.text(x, level * STEP + TALL * 0.72, detail, **style)


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
