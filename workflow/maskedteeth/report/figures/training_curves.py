"""The loss of every training by its steps; not in the paper."""

from pathlib import Path

import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from maskedteeth.report.about import about_training
from maskedteeth.report.figures.panels import LEGEND_ROW, SIZE, WIDTH, lighten, sheet
from maskedteeth.report.figures.runs import percent
from maskedteeth.report.mixtures import Training
from maskedteeth.report.reading import read_table
from maskedteeth.settings.jobs import ReportJob

COLUMNS = 3
PLOT_HEIGHT, LEFT, RIGHT, BELOW, ABOVE = 1.15, 0.48, 0.13, 0.4, 0.22
#: From few radiographs to many; without viridis' yellow, which is faint on white.
FRACTION_COLOURS = colormaps["viridis"].resampled(256)
LIGHTEST = 0.82


def training_curves(
    settings: ReportJob,
    *,
    history: list[Path],
    png: Path,
    pdf: Path,
    pretexts: list[Path] = (),  # type: ignore[assignment]
    runs: list[Path] = (),  # type: ignore[assignment]
) -> None:
    """Draw the loss of every pretraining and training, a panel a pretext and a method.

    Args:
        settings: labels and dataset.
        history: ``history.csv`` of all runs.
        png: file to write.
        pdf: file to write.
        pretexts: ``history.csv`` of all pretexts.
        runs: ``run.json`` of all these runs and pretexts.
    """
    trained = pd.concat([_history(file) for file in history], ignore_index=True)
    panels = [(f"Pretext: {Training.of(file).name}", _history(file)) for file in pretexts]
    panels += [
        (label, trained[trained["name"] == name]) for name, label in settings.short_labels.items()
    ]
    fractions = sorted(trained["fraction"].unique())
    top = LEGEND_ROW * (-(-len(fractions) // 2)) + 0.06
    step = ABOVE + PLOT_HEIGHT + BELOW
    height = top + step * -(-len(panels) // COLUMNS)
    wide = WIDTH / COLUMNS
    with sheet(WIDTH, height, caption(settings, runs), png, pdf) as page:
        for number, (title, rows) in enumerate(panels):
            row, column = divmod(number, COLUMNS)
            place = (column * wide + LEFT, top + row * step + ABOVE, wide - LEFT - RIGHT)
            axes = page.plot(*place, PLOT_HEIGHT)
            draw_losses(axes, rows, fractions)
            if number >= len(pretexts):  # the methods' losses are one and the same
                axes.set_ylim(top=1.05 * trained["loss"].max())
            axes.set_title(title, fontsize=SIZE, pad=3)
            axes.set_xlabel("Step")
            if column == 0:
                axes.set_ylabel("Loss")
        page.legend(
            [
                Line2D([], [], color=colour_of(f, fractions), label=f"{percent(f)} of the dataset")
                for f in fractions
            ]
        )


def draw_losses(axes: Axes, rows: pd.DataFrame, fractions: list[float]) -> None:
    """Draw a line a training: its mean loss of each epoch over the epoch's last step.

    Args:
        axes: to draw on.
        rows: file, step and loss, and fraction (None for a pretext), a row an epoch.
        fractions: all that there are, in order.
    """
    for _, training in rows.groupby("file", sort=False):
        fraction = training["fraction"].iloc[0]
        colour = "0.2" if pd.isna(fraction) else colour_of(fraction, fractions)
        marker = "o" if len(training) == 1 else None
        axes.plot(training["step"], training["loss"], color=colour, lw=0.8, marker=marker, ms=2)
    axes.set_ylim(bottom=0)
    lighten(axes, "y", ("top", "right"))


def colour_of(fraction: float, fractions: list[float]) -> tuple[float, ...]:
    """Return the colour of a training fraction."""
    place = fractions.index(fraction) / max(1, len(fractions) - 1)
    return FRACTION_COLOURS(LIGHTEST * (1 - place))


def caption(settings: ReportJob, runs: list[Path]) -> str:
    """Return the caption."""
    return (
        "Training curves: the loss that each training minimised, on the radiographs that it was "
        "trained on, averaged over each epoch; a line a training, a colour a training fraction. "
        "Pretexts minimise L1 (equation 1), methods the weighted sum of Dice loss and binary "
        f"cross-entropy (equation 5). {about_training(settings, runs)}"
    )


def _history(file: Path) -> pd.DataFrame:
    """Return a training's history, with what tells it from the others."""
    frame = read_table(file, ("epoch", "step", "loss"), whole=("epoch", "step"))
    return frame.assign(file=str(file), **Training.of(file)._asdict())
