"""Figures 4 and 8: masks beside the ground truth, of one network and of all methods."""

from pathlib import Path

from maskedteeth.data.arrays import Arrays
from maskedteeth.errors import InputError
from maskedteeth.report.about import about, first_radiographs, percent
from maskedteeth.report.figures.panels import WIDE, Picture, Sheet, draw_grid, mask_picture
from maskedteeth.report.figures.runs import Run, read_runs
from maskedteeth.settings.sections import Presentation


def figure4(
    report: Presentation, *, dataset: Arrays, metrics: list[Path], predictions: list[Path]
) -> Sheet:
    """Draw X-ray, ground truth and generated mask with its Dice, a radiograph a row, of one run."""
    (run,) = read_runs(metrics, predictions)
    ids = run.ids[: report.samples]
    caption = (
        f"Figure 4: Sample output of the downstream task: {report.labels[run.method]}, trained "
        f"on {percent(run.fraction)} of the samples in the dataset (seed {run.seed}), on "
        f"{first_radiographs(ids)}. Small print: Dice. {about(report)}"
    )
    titles = ("Dental X-ray", "Ground truth", "Generated mask")
    return draw_grid(_rows(report, [run], ids, dataset), titles, caption)


def figure8(
    report: Presentation,
    *,
    dataset: Arrays,
    metrics: list[Path],
    predictions: list[Path],
    runs: list[Path],
) -> Sheet:
    """Draw input, ground truth and each method's mask with its Dice, a radiograph a row.

    Metrics and predictions are of one run a method.

    Raises:
        InputError: no radiograph was tested by all methods.
    """
    order = list(report.labels)
    shown = sorted(read_runs(metrics, predictions), key=lambda run: order.index(run.method))
    ids = [name for name in shown[0].ids if all(name in run.ids for run in shown)]
    ids = ids[: report.samples]
    if not ids:
        raise InputError(
            "The methods of figure 8 were tested on different radiographs. Give them a common "
            "first seed, or set split.protocol to fixed-test."
        )
    first, seeds = shown[0], {run.seed for run in shown}
    seed = f"seed {first.seed}" if len(seeds) == 1 else "the first seed of each"
    caption = (
        "Figure 8: Qualitative comparison with SOTA models, all trained on "
        f"{percent(first.fraction)} of the samples in the dataset ({seed}), on "
        f"{first_radiographs(ids)}. Small print: Dice. {about(report, runs)}"
    )
    titles = ["Input", "Ground truth", *(report.short_labels[run.method] for run in shown)]
    return draw_grid(_rows(report, shown, ids, dataset), titles, caption, width=WIDE)


def _rows(
    report: Presentation, runs: list[Run], ids: list[str], dataset: Arrays
) -> list[list[Picture]]:
    """Return X-ray, ground truth and each run's mask with its Dice, a row an id."""
    rows = []
    for name, xray, truth in zip(ids, *dataset.of(ids), strict=True):
        masked = (run.segmentation(name, report.threshold, f"{run.dice[name]:.3f}") for run in runs)
        rows.append([Picture(xray), mask_picture(truth), *masked])
    return rows
