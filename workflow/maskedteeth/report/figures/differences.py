"""Differences to ours with their intervals, all methods: a forest plot by training fraction."""

from itertools import cycle
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from maskedteeth.report.about import about
from maskedteeth.report.comparisons import ALPHA, compare, too_few
from maskedteeth.report.figures.dice_by_fraction import MARKERS
from maskedteeth.report.figures.panels import (
    COLOURS,
    LEGEND_ROW,
    RIGHT,
    WIDTH,
    draw_words,
    lighten,
    sheet,
)
from maskedteeth.report.figures.runs import percent
from maskedteeth.report.results import read_metrics
from maskedteeth.report.statistics import too_narrow
from maskedteeth.settings.jobs import ReportJob

#: Height of a method's line and of the space between fractions, in inches.
LINE, SPACE = 0.14, 0.12


def differences(
    settings: ReportJob,
    *,
    metrics: list[Path],
    png: Path,
    pdf: Path,
    runs: list[Path] = (),  # type: ignore[assignment]
) -> None:
    """Draw every method's difference to ours in Dice a radiograph.

    Args:
        settings: labels, which method is ours, resamples, dataset and protocol.
        metrics: ``metrics.csv`` of all runs.
        png: file to write.
        pdf: file to write.
        runs: ``run.json`` and ``evaluation.json`` of all these runs and their pretexts.
    """
    images = read_metrics(metrics, settings, ("tn",))
    table = compare(images, settings.ours, settings.bootstrap_resamples)
    table = table[table["difference"].notna()]
    if table.empty:
        words = "There is no other method that was tested on the same radiographs."
        draw_words(words, caption(settings, table, runs), png=png, pdf=pdf)
        return
    height = LINE * len(table) + SPACE * table["fraction"].nunique()
    legend = LEGEND_ROW * (-(-table["method"].nunique() // 2)) + 0.08
    with sheet(WIDTH, legend + height + 0.37, caption(settings, table, runs), png, pdf) as page:
        axes = page.plot(0.5, legend, WIDTH - 0.5 - RIGHT, height)
        handles = draw_forest(axes, settings.labels, table)
        page.legend(handles)


def draw_forest(axes: Axes, labels: dict[str, str], table: pd.DataFrame) -> list[Line2D]:
    """Draw a line a method and fraction: its difference to ours and the interval of that.

    Args:
        axes: to draw on, as high as the lines need.
        labels: all methods in order, with their names in print.
        table: method, fraction, difference with _low and _high, and p_holm, a row a comparison.

    Returns:
        Entries of the legend.
    """
    looks = dict(zip(labels, zip(cycle(COLOURS), cycle(MARKERS), strict=False), strict=False))
    shown = [method for method in labels if method in set(table["method"])]
    rows = table.set_index(["fraction", "method"])
    fractions, ticks, place = sorted(set(table["fraction"])), [], 0.0
    for fraction in fractions:
        top, place = place, place + SPACE / 2
        for method in (m for m in shown if (fraction, m) in rows.index):
            row, (colour, marker) = rows.loc[(fraction, method)], looks[method]
            y = place + LINE / 2
            bounds = (row["difference_low"], row["difference_high"])
            axes.plot(bounds, (y, y), color=colour, solid_capstyle="butt")
            face = colour if row["p_holm"] < ALPHA else "white"
            axes.plot(row["difference"], y, marker, color=colour, ms=4, mfc=face, mew=0.8)
            place += LINE
        place += SPACE / 2
        ticks.append((top + place) / 2)
        if fraction != fractions[-1]:
            axes.axhline(place, color="0.9", linewidth=0.5, zorder=0)
    axes.axvline(0, color="0.4", linewidth=0.8, zorder=0)
    axes.set_ylim(place, 0)
    axes.set_yticks(ticks, [percent(fraction) for fraction in fractions])
    axes.set_ylabel("Training fraction of the dataset")
    axes.set_xlabel("Difference in Dice to ours (left: worse than ours, right: better)")
    axes.tick_params(axis="y", length=0)
    lighten(axes, "x", ("top", "right", "left"))
    style = {"lw": 1.2, "ms": 4, "mfc": "white", "mew": 0.8}
    return [
        Line2D([], [], color=looks[m][0], marker=looks[m][1], label=labels[m], **style)
        for m in shown
    ]


def caption(settings: ReportJob, table: pd.DataFrame, runs: list[Path]) -> str:
    """Return the caption."""
    ours = settings.labels[settings.ours]
    sentences = [
        f"Differences to {ours}: mean over test radiographs of a method's Dice minus ours, each "
        "radiograph's averaged over seeds. Lines: 95% percentile bootstrap intervals over test "
        f"radiographs ({settings.bootstrap_resamples:,} resamples). Full markers: the trained "
        f"networks differ on such radiographs (p < {ALPHA:g}; Wilcoxon's signed-rank test, Holm's "
        "correction for all comparisons shown); open: not shown. Chance in training is neither in "
        "the lines nor in p.",
        "" if table.empty else too_narrow(int(table["radiographs"].min())),
        too_few(table),
        about(settings, runs),
    ]
    return " ".join(filter(None, sentences))
