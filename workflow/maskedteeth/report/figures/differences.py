"""Differences to ours with their intervals, all methods: a forest plot by training fraction."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maskedteeth.report.about import about, percent
from maskedteeth.report.chance import too_narrow
from maskedteeth.report.figures.panels import WIDTH, Sheet, draw_words, lighten, looks
from maskedteeth.report.results import read_rows
from maskedteeth.report.tables.statistics import ALPHA, compare_with_ours, too_few
from maskedteeth.settings.sections import Presentation

#: Height of a method's line, in inches; between two fractions is as much space.
LINE = 0.14


def differences(report: Presentation, *, metrics: list[Path], runs: list[Path]) -> Sheet:
    """Draw every method's difference to ours in Dice a radiograph."""
    table = compare_with_ours(read_rows(*metrics), report.ours, report.bootstrap_resamples)
    compared, ours = table[table["difference"].notna()], report.labels[report.ours]
    sentences = [
        f"Differences to {ours}: a method's Dice minus that of {ours} on the same test radiograph, "
        "averaged over seeds, then over radiographs. Lines: 95% bootstrap intervals over test "
        f"radiographs (percentiles of {report.bootstrap_resamples:,} resamples). Full marker: the "
        f"trained networks differ on such radiographs (p < {ALPHA:g}, Wilcoxon's signed-rank test "
        "with Holm's correction for all comparisons shown); open marker: this cannot be said. "
        "The intervals and p do not show how results vary when the networks are trained again.",
        "" if compared.empty else too_narrow(int(compared["radiographs"].min())),
        too_few(compared),
        about(report, runs),
    ]
    caption = " ".join(filter(None, sentences))
    if compared.empty:
        return draw_words("No other method was tested on the same radiographs.", caption)
    lines = len(compared) + compared["fraction"].nunique()
    figure = Figure((WIDTH, 0.9 + LINE * lines), layout="constrained")
    _draw_forest(figure.subplots(), report.labels, compared)
    figure.legend(loc="outside upper center", ncols=2)
    return Sheet([figure], caption)


def _draw_forest(axes: Axes, labels: dict[str, str], table: pd.DataFrame) -> None:
    rows, ticks, place = table.set_index(["fraction", "method"]), {}, 0
    shown = {name: look for name, look in looks(labels).items() if name in set(table["method"])}
    for fraction in sorted(set(table["fraction"])):
        top = place
        for method, (colour, marker) in shown.items():
            if (fraction, method) not in rows.index:
                continue
            place += 1
            row = rows.loc[(fraction, method)]
            bounds = (row["difference_low"], row["difference_high"])
            axes.plot(bounds, (place, place), color=colour, solid_capstyle="butt")
            face = colour if row["p_holm"] < ALPHA else "white"
            axes.plot(row["difference"], place, marker, color=colour, mfc=face, mew=0.8)
        place += 1
        ticks[percent(fraction)] = (top + place) / 2
        axes.axhline(place, color="0.9", linewidth=0.5, zorder=0)
    for method, (colour, marker) in shown.items():
        style = {"color": colour, "marker": marker, "mfc": "white", "mew": 0.8}
        axes.plot([], [], label=labels[method], **style)
    axes.axvline(0, color="0.4", linewidth=0.8, zorder=0)
    axes.set_ylim(place, 0)
    axes.set_yticks(list(ticks.values()), list(ticks))
    axes.set_ylabel("Training fraction of the dataset")
    axes.set_xlabel("Difference in Dice to ours (left: worse than ours, right: better)")
    axes.tick_params(axis="y", length=0)
    lighten(axes, "x", "left")
