"""Figure 4: sample output of the segmentation."""

from pathlib import Path

from maskedteeth.report.about import about, percent
from maskedteeth.report.figures.panels import Sheet, draw_grid
from maskedteeth.report.figures.runs import first_radiographs, read_runs, segmentation_rows
from maskedteeth.settings.sections import Presentation

TITLES = ("Dental X-ray", "Ground truth", "Generated mask")


def figure4(
    report: Presentation,
    *,
    images: Path,
    labels: Path,
    index: Path,
    metrics: list[Path],
    predictions: list[Path],
) -> Sheet:
    """Draw X-ray, ground truth and generated mask with its Dice, a radiograph a row, of one run."""
    (run,) = read_runs(metrics, predictions)
    ids = run.ids[: report.samples]
    caption = (
        f"Figure 4: Sample output of the downstream task: {report.labels[run.method]}, trained "
        f"on {percent(run.fraction)} of the samples in the dataset (seed {run.seed}), on "
        f"{first_radiographs(ids)}. Small print: Dice. {about(report)}"
    )
    rows = segmentation_rows(report, [run], ids, images, labels, index)
    return draw_grid(rows, TITLES, caption)
