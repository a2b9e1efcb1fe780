"""Figure 8: every method on the same radiographs, trained on the same fraction."""

from pathlib import Path

from maskedteeth.errors import InputError
from maskedteeth.report.about import about, percent
from maskedteeth.report.figures.panels import WIDE, Sheet, draw_grid
from maskedteeth.report.figures.runs import first_radiographs, read_runs, segmentation_rows
from maskedteeth.settings.sections import Presentation


def figure8(
    report: Presentation,
    *,
    images: Path,
    labels: Path,
    index: Path,
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
    rows = segmentation_rows(report, shown, ids, images, labels, index)
    return draw_grid(rows, titles, caption, width=WIDE)
