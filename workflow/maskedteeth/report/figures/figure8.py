"""Figure 8: every method on the same radiographs, trained on the same fraction."""

from pathlib import Path

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.errors import InputError
from maskedteeth.report.about import about, percent
from maskedteeth.report.figures.panels import WIDE, Picture, Sheet, draw_grid, mask_picture
from maskedteeth.report.figures.runs import Run, first_radiographs, read_runs
from maskedteeth.settings.sections import Presentation


def figure8(
    report: Presentation,
    *,
    images: Path,
    masks: Path,
    index: Path,
    metrics: list[Path],
    predictions: list[Path],
    runs: list[Path],
) -> Sheet:
    """Draw input, ground truth and each method's mask with its Dice, a radiograph a row.

    Args:
        report: labels, dataset, protocol and number of samples.
        images: ``images.npy``.
        masks: ``masks.npy``.
        index: ``index.csv``.
        metrics: ``metrics.csv`` of one run a method.
        predictions: their ``predictions.npz``, likewise.
        runs: ``run.json`` and ``evaluation.json`` of these runs.

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
    rows = segmentation_rows(report, shown, ids, "", images=images, masks=masks, index=index)
    return draw_grid(rows, titles, caption, width=WIDE)


def segmentation_rows(
    report: Presentation,
    runs: list[Run],
    ids: list[str],
    before: str,
    *,
    images: Path,
    masks: Path,
    index: Path,
) -> list[list[Picture]]:
    """Return X-ray, ground truth and each run's mask, with ``before`` and its Dice, a row an id."""
    radiographs = read_index(index)
    arrays = (pixels_of(array, radiographs, ids) for array in (images, masks))
    return [
        [
            Picture(radiograph),
            mask_picture(truth),
            *(
                run.segmentation(name, report.threshold, f"{before}{run.dice[name]:.3f}")
                for run in runs
            ),
        ]
        for name, radiograph, truth in zip(ids, *arrays, strict=True)
    ]
