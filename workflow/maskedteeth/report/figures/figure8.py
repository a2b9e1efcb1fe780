"""Figure 8: every method on the same radiographs, trained on the same fraction."""

from pathlib import Path

from maskedteeth.errors import InputError
from maskedteeth.report.about import about
from maskedteeth.report.figures.panels import WIDE, Picture, draw_grid, mask_picture
from maskedteeth.report.figures.runs import Run, first_radiographs, percent, read_run, rows_of
from maskedteeth.settings.jobs import ReportJob


def figure8(
    settings: ReportJob,
    *,
    images: Path,
    masks: Path,
    index: Path,
    metrics: list[Path],
    predictions: list[Path],
    png: Path,
    pdf: Path,
    runs: list[Path] = (),  # type: ignore[assignment]
) -> None:
    """Draw input, ground truth and each method's mask with its Dice, a radiograph a row.

    Args:
        settings: labels, dataset, protocol and number of samples.
        images: ``images.npy``.
        masks: ``masks.npy``.
        index: ``index.csv``.
        metrics: ``metrics.csv`` of one run a method, in the order of the columns.
        predictions: their ``predictions.npz``, likewise.
        png: file to write.
        pdf: file to write.
        runs: ``run.json`` and ``evaluation.json`` of these runs.

    Raises:
        InputError: no radiograph was tested by all methods.
    """
    shown = [read_run(*files, settings) for files in zip(metrics, predictions, strict=True)]
    ids = _common(shown)[: settings.samples]
    for run in shown:  # all predict pictures of the arrays' size
        radiographs = rows_of(run, images, index, ids)
        truths = rows_of(run, masks, index, ids, 1)
    rows = [
        [
            Picture(radiograph),
            mask_picture(truth),
            *(run.segmentation(name, settings.threshold, f"{run.dice[name]:.3f}") for run in shown),
        ]
        for name, radiograph, truth in zip(ids, radiographs, truths, strict=True)
    ]
    titles = ["Input", "Ground truth", *(settings.short_labels[run.method] for run in shown)]
    foot = caption(shown, ids, about(settings, runs))
    draw_grid(rows, titles, foot, png=png, pdf=pdf, width=WIDE)


def caption(runs: list[Run], ids: list[str], foot: str) -> str:
    """Return the caption for the radiographs ``ids`` of ``runs``; ``foot`` ends it."""
    seeds = {run.seed for run in runs}
    seed = f"seed {runs[0].seed}" if len(seeds) == 1 else "the first seed of each"
    return (
        "Figure 8: Qualitative comparison with SOTA models, all trained on "
        f"{percent(runs[0].fraction)} of the samples in the dataset ({seed}), on "
        f"{first_radiographs(ids)}. Small print: Dice. {foot}"
    )


def _common(runs: list[Run]) -> list[str]:
    """Return the radiographs that every run was tested on, in the order of the first."""
    ids = [name for name in runs[0].ids if all(name in run.dice for run in runs)]
    if not ids:
        raise InputError(
            "The methods of figure 8 were tested on different radiographs. Give them a common "
            "first seed, or set split.protocol to fixed-test."
        )
    return ids
