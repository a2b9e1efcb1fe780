"""Figure 9: further candidates for annotation errors."""

from pathlib import Path

from maskedteeth.report.candidates import Candidate
from maskedteeth.report.figures import figure5
from maskedteeth.report.figures.candidate_panels import (
    NOTHING,
    candidate_row,
    explanation,
    find_candidates,
)
from maskedteeth.report.figures.panels import draw_grid, draw_words
from maskedteeth.report.figures.runs import Run, read_run
from maskedteeth.settings.jobs import ReportJob

TITLES = ("Input radiograph", "Ground truth", "Generated mask")


def figure9(
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
    """Draw input, ground truth and generated mask of the candidates that follow figure 5's.

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
    shown = find_candidates(run, masks, index)[figure5.SHOWN :][: settings.samples]
    text = caption(settings, run, shown)
    if not shown:
        draw_words(NOTHING, text, png=png, pdf=pdf)
        return
    files = {"images": images, "masks": masks, "index": index}
    rows = [candidate_row(run, candidate, settings.threshold, **files) for candidate in shown]
    draw_grid(rows, TITLES, text, png=png, pdf=pdf)


def caption(settings: ReportJob, run: Run, shown: list[Candidate]) -> str:
    """Return the caption for the candidates ``shown``, which may be none."""
    return (
        "Figure 9: Further test radiographs, after figure 5's, on which the generated mask and "
        f"the ground truth disagree confidently. {explanation(settings, run, shown)}"
    )
