"""Figure 4: sample output of the segmentation."""

from pathlib import Path

from maskedteeth.report.about import about
from maskedteeth.report.figures.panels import Picture, draw_grid, mask_picture
from maskedteeth.report.figures.runs import Run, first_radiographs, percent, read_run, rows_of
from maskedteeth.settings.jobs import ReportJob

TITLES = ("Dental X-ray", "Ground truth", "Generated mask")


def figure4(
    settings: ReportJob,
    *,
    images: Path,
    masks: Path,
    index: Path,
    metrics: Path,
    predictions: Path,
    png: Path,
    pdf: Path,
) -> None:
    """Draw X-ray, ground truth and generated mask with its Dice, a radiograph a row.

    Args:
        settings: labels, dataset, protocol and number of samples.
        images: ``images.npy``.
        masks: ``masks.npy``.
        index: ``index.csv``.
        metrics: ``metrics.csv`` of the run.
        predictions: ``predictions.npz`` of the run.
        png: file to write.
        pdf: file to write.
    """
    run = read_run(metrics, predictions, settings)
    ids = run.ids[: settings.samples]
    radiographs, truths = rows_of(run, images, index, ids), rows_of(run, masks, index, ids, 1)
    rows = [
        [
            Picture(radiograph),
            mask_picture(truth),
            run.segmentation(name, settings.threshold, f"Dice {run.dice[name]:.3f}"),
        ]
        for name, radiograph, truth in zip(ids, radiographs, truths, strict=True)
    ]
    draw_grid(rows, TITLES, caption(settings, run, ids), png=png, pdf=pdf)


def caption(settings: ReportJob, run: Run, ids: list[str]) -> str:
    """Return the caption for the radiographs ``ids`` of ``run``."""
    return (
        f"Figure 4: Sample output of the downstream task: {settings.labels[run.method]}, trained "
        f"on {percent(run.fraction)} of the samples in the dataset (seed {run.seed}), on "
        f"{first_radiographs(ids)}. {about(settings)}"
    )
