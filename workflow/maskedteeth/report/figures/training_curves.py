"""The loss of every training by its steps; not in the paper."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.typing import ColorType

from maskedteeth.report.about import about, percent
from maskedteeth.report.figures.panels import SIZE, WIDTH, Sheet, lighten
from maskedteeth.report.records import read
from maskedteeth.settings.sections import Presentation

COLUMNS = 3
#: The column of histories that methods with an adversary have besides.
DISCRIMINATOR = "discriminator_loss"
MASK_RCNN = "maskedteeth.models.mask_rcnn"
#: Where viridis begins, from few radiographs to many: its yellow is faint on white.
LIGHTEST = 0.82


def training_curves(report: Presentation, *, history: list[Path], runs: list[Path]) -> Sheet:
    """Draw the loss of every pretraining and training, a panel a pretext and a method.

    ``history`` are their ``history.csv``, ``runs`` their ``run.json``, in the same order.
    """
    caption = (
        "Training curves: loss on the training radiographs, averaged over each epoch; one line per "
        "training, one colour per training fraction. A pretext minimises the mean absolute error "
        "(L1), a method a weighted sum of Dice loss and cross-entropy. "
    )
    trained, pretexts, adversarial, detecting = [], {}, set(), set()
    for run, file in zip(map(read, runs), history, strict=True):
        losses = pd.read_csv(file)
        if "pretext" in run:
            pretexts[run["pretext"]] = losses
        else:
            trained.append((run["method"], run["fraction"], losses))
            if DISCRIMINATOR in losses:
                adversarial.add(run["method"])
            if MASK_RCNN in run["modules"]:
                detecting.add(run["method"])
    if adversarial:
        caption += "Dashed: the cross-entropy of a discriminator, whose verdict is in the loss. "
    if detecting:
        caption += "Mask R-CNN minimises the sum of its five losses. "
    caption += about(report, runs, tested=False)
    fractions = sorted({fraction for _, fraction, _ in trained})
    shades = colormaps["viridis"](np.linspace(LIGHTEST, 0, len(fractions)))
    colours = dict(zip(fractions, shades, strict=True))
    apart = adversarial | detecting
    heights = [
        (method, losses.filter(like="loss").to_numpy().max()) for method, _, losses in trained
    ]
    highest = max((height for method, height in heights if method not in apart), default=0)
    lines = -(-(len(pretexts) + len(report.short_labels)) // COLUMNS)
    figure = Figure((WIDTH, 0.6 + 1.4 * lines), layout="constrained")
    panels = iter(figure.subplots(lines, COLUMNS, squeeze=False).flat)
    for name, losses in pretexts.items():
        axes = next(panels)
        axes.set_title(f"Pretext: {name}")
        draw_loss(axes, losses, "0.2")
    for method, label in report.short_labels.items():
        axes = next(panels)
        axes.set_title(label)
        for _, fraction, losses in (run for run in trained if run[0] == method):
            draw_loss(axes, losses, colours[fraction])
        # The other methods' losses are one and the same.
        top = max(height for m, height in heights if m == method) if method in apart else highest
        axes.set_ylim(0, 1.05 * top)
    for axes in panels:
        axes.remove()
    figure.supxlabel("Step", size=SIZE)
    figure.supylabel("Loss", size=SIZE)
    handles = [
        Line2D([], [], color=colour, label=f"{percent(fraction)} of the dataset")
        for fraction, colour in colours.items()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return Sheet([figure], caption)


def draw_loss(axes: Axes, losses: pd.DataFrame, colour: ColorType) -> None:
    """Draw a training's mean losses of each epoch over the epoch's last step."""
    marker = "o" if len(losses) == 1 else None
    for column, style in (("loss", "-"), (DISCRIMINATOR, "--")):
        if column in losses:
            axes.plot("step", column, style, data=losses, color=colour, lw=0.8, marker=marker, ms=2)
    axes.set_ylim(bottom=0)
    lighten(axes, "y")
