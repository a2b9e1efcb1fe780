"""Dice against the training fraction, all methods: table 2 as a picture."""

from pathlib import Path

from matplotlib.figure import Figure

from maskedteeth.report.about import about, percent
from maskedteeth.report.figures.panels import WIDTH, Sheet, lighten, looks
from maskedteeth.report.results import mean_over_seeds, pooled_by_run, read_rows
from maskedteeth.settings.sections import Presentation


def dice_by_fraction(
    report: Presentation, *, metrics: list[Path], published: Path, runs: list[Path]
) -> Sheet:
    """Draw Dice, pooled over the test set, against the training fraction, beside the paper's."""
    caption = (
        "Dice by training fraction: 2TP / (2TP + FP + FN), over the pixels of all test radiographs "
        "of a run together. Lines and full markers: means over the seeds; open markers: single "
        "seeds; dashed lines: the paper's table 2, which its authors measured on the dataset of "
        f"Humans in the Loop. {about(report, runs)}"
    )
    runs_by_seed, paper = pooled_by_run(read_rows(*metrics)), read_rows(published)
    means = mean_over_seeds(runs_by_seed)
    figure = Figure((WIDTH, 3.5), layout="constrained")
    axes = figure.subplots()
    for method, (colour, marker) in looks(report.labels).items():
        mean = means[means["method"] == method].sort_values("fraction")
        seeds = runs_by_seed[runs_by_seed["method"] == method]
        known = paper[paper["method"] == method].sort_values("fraction")
        style = {"color": colour, "marker": marker, "label": report.labels[method]}
        axes.plot(mean["fraction"], mean["dice"], **style)
        axes.plot(seeds["fraction"], seeds["dice"], marker, color=colour, mfc="none", mew=0.6)
        axes.plot(known["fraction"], known["dice"], "--", color=colour, lw=0.8, alpha=0.8)
    if set(report.labels) & set(paper["method"]):
        axes.plot([], [], "--", color="0.4", lw=0.8, label="Published")
    fractions = sorted({*runs_by_seed["fraction"], *paper["fraction"]})
    axes.set_xticks(fractions, [percent(fraction) for fraction in fractions])
    axes.set_xlabel("Training fraction of the dataset")
    axes.set_ylabel("Dice, pooled over the test set")
    lighten(axes, "y")
    figure.legend(loc="outside upper center", ncols=2)
    return Sheet([figure], caption)
