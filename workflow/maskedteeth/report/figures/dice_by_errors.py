"""Dice against errors in the training annotations, a line a method; not in the paper."""

from pathlib import Path

from matplotlib.figure import Figure

from maskedteeth.report.about import about, percent
from maskedteeth.report.figures.panels import WIDTH, Sheet, lighten, looks
from maskedteeth.report.tables.robustness import by_errors
from maskedteeth.settings.sections import CLEAN, Noise, Presentation

#: Between two methods, so that bars do not hide each other; 1 is between two errors.
APART = 0.04


def dice_by_errors(
    report: Presentation,
    noise: dict[str, Noise],
    *,
    metrics: list[Path],
    corrections: list[Path],
    runs: list[Path],
    numbering: list[Path] = (),  # type: ignore[assignment]
) -> Sheet:
    """Draw Dice on the test radiographs against the errors, a panel a training fraction.

    Where teeth are numbered it is the mean Dice of a tooth.
    """
    table = by_errors(noise, metrics, corrections, report.bootstrap_resamples, numbering)
    shown, words = ("tooth_dice", "Dice of a tooth") if numbering else ("dice", "Dice")
    errors = list(dict.fromkeys([CLEAN, *(entry.errors for entry in noise.values())]))
    table["place"] = table["errors"].map(errors.index)
    given = table.groupby("errors")["given"].mean()
    ticks = [CLEAN, *(f"{name}\n({given[name]:.2f})" for name in errors[1:])]
    caption = (
        f"Errors in annotations: {words} on the test radiographs, whose annotations stay "
        "unchanged, by the errors in the training annotations (in brackets: Dice of these with "
        "the right ones). Markers: means over the seeds; bars: ± their standard deviation. "
        f"{about(report, runs)}"
    )
    fractions = sorted(set(table["fraction"]))
    figure = Figure((WIDTH, 0.8 + 2.2 * len(fractions)), layout="constrained")
    panels = figure.subplots(len(fractions), sharex=True, sharey=True, squeeze=False).flat
    styles = looks(report.labels)
    for axes, fraction in zip(panels, fractions, strict=True):
        for method, rows in table[table["fraction"] == fraction].groupby("method", sort=False):
            rows, (colour, marker) = rows.sort_values("place"), styles[method]
            label = report.labels[method] if fraction == fractions[0] else None
            bars = rows[f"{shown}_sd"].fillna(0)
            # No line joins the markers: errors of different kinds have no order.
            style = {"color": colour, "marker": marker, "linestyle": "none"}
            style |= {"label": label, "capsize": 2}
            beside = APART * list(styles).index(method)
            axes.errorbar(rows["place"] + beside, rows[shown], bars, elinewidth=0.8, **style)
        axes.set_title(f"Trained on {percent(fraction)}")
        axes.set_ylabel(words if numbering else "Dice, pooled")
        lighten(axes, "y")
    axes.set_xticks(range(len(errors)), ticks)
    figure.supxlabel("Errors in the training annotations", size="medium")
    figure.legend(loc="outside upper center", ncols=2)
    return Sheet([figure], caption)
