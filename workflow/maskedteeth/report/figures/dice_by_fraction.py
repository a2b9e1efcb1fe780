"""Dice against the training fraction, all methods: table 2 as a picture."""

from itertools import cycle
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from maskedteeth.report.about import about
from maskedteeth.report.figures.panels import COLOURS, LEGEND_ROW, RIGHT, WIDTH, lighten, sheet
from maskedteeth.report.figures.runs import percent
from maskedteeth.report.reading import read_values
from maskedteeth.report.results import mean_over_seeds, pooled_by_run, read_metrics
from maskedteeth.settings.jobs import ReportJob

MARKERS = "osD^vP"


def dice_by_fraction(
    settings: ReportJob,
    *,
    metrics: list[Path],
    published: Path,
    png: Path,
    pdf: Path,
    runs: list[Path] = (),  # type: ignore[assignment]
) -> None:
    """Draw Dice, pooled over the test set, against the training fraction.

    Args:
        settings: labels, dataset and protocol.
        metrics: ``metrics.csv`` of all runs.
        published: the paper's table 2 as CSV.
        png: file to write.
        pdf: file to write.
        runs: ``run.json`` and ``evaluation.json`` of all these runs and their pretexts.
    """
    pooled = pooled_by_run(read_metrics(metrics, settings))
    paper = read_values(published, ("model", "fraction"), ("dice",))
    legend = LEGEND_ROW * (-(-(len(settings.labels) + 1) // 2)) + 0.08
    with sheet(WIDTH, legend + 2.97, caption(settings, runs), png, pdf) as page:
        axes = page.plot(0.5, legend, WIDTH - 0.5 - RIGHT, 2.6)
        handles = draw_curves(axes, settings.labels, pooled, paper)
        page.legend(handles)


def draw_curves(
    axes: Axes, labels: dict[str, str], runs: pd.DataFrame, paper: pd.DataFrame
) -> list[Line2D]:
    """Draw a line a method through its means over seeds, its seeds, and the published values.

    Args:
        axes: to draw on.
        labels: methods in order, with their names in print and in the paper's table.
        runs: method, fraction, seed and dice, a row a run.
        paper: model, fraction and dice, a row a published value.

    Returns:
        Entries of the legend.
    """
    means, handles = mean_over_seeds(runs), []
    for (method, label), colour, marker in zip(
        labels.items(), cycle(COLOURS), cycle(MARKERS), strict=False
    ):
        mean = means[means["method"] == method].sort_values("fraction")
        seeds = runs[runs["method"] == method]
        known = paper[paper["model"] == label].sort_values("fraction")
        (line,) = axes.plot(
            mean["fraction"], mean["dice"], color=colour, marker=marker, ms=4, label=label
        )
        axes.plot(seeds["fraction"], seeds["dice"], marker, color=colour, ms=4, mfc="none", mew=0.6)
        axes.plot(known["fraction"], known["dice"], "--", color=colour, lw=0.8, alpha=0.8)
        handles.append(line)
    fractions = sorted({*runs["fraction"], *paper["fraction"]})
    axes.set_xticks(fractions, [percent(fraction) for fraction in fractions])
    axes.set_xlabel("Training fraction of the dataset")
    axes.set_ylabel("Dice, pooled over the test set")
    lighten(axes, "y", ("top", "right"))
    if set(labels.values()) & set(paper["model"]):
        handles.append(Line2D([], [], color="0.4", linestyle="--", lw=0.8, label="Published"))
    return handles


def caption(settings: ReportJob, runs: list[Path]) -> str:
    """Return the caption."""
    return (
        "Dice by training fraction: 2TP / (2TP + FP + FN) of the pixels of all test radiographs "
        "of a run together. Lines and full markers: mean over the seeds; open markers: single "
        "seeds; dashed: the paper's table 2, measured by its authors on the dataset of Humans in "
        f"the Loop. {about(settings, runs)}"
    )
