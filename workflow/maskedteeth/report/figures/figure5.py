"""Figure 5: the two foremost candidates for annotation errors."""

from pathlib import Path

from maskedteeth.report.candidates import Candidate
from maskedteeth.report.figures.candidate_panels import (
    NOTHING,
    candidate_row,
    explanation,
    find_candidates,
)
from maskedteeth.report.figures.panels import draw_grid, draw_words
from maskedteeth.report.figures.runs import Run, read_run
from maskedteeth.settings.jobs import ReportJob

TITLES = ("Dental X-ray", "Annotation", "Generated mask")

#: Candidates of this figure; the next ones are figure 9's.
SHOWN = 2


def figure5(
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
    """Draw X-ray, annotation and generated mask of two candidates, side by side.

    Args:
        settings: labels, dataset and protocol.
        images: ``images.npy``.
        masks: ``masks.npy``.
        index: ``index.csv``.
        metrics: ``metrics.csv`` of the run.
        predictions: ``predictions.npz`` of the run.
        png: file to write.
        pdf: file to write.
    """
    run = read_run(metrics, predictions, settings)
    shown = find_candidates(run, masks, index)[:SHOWN]
    text = caption(settings, run, shown)
    if not shown:
        draw_words(NOTHING, text, png=png, pdf=pdf)
        return
    files = {"images": images, "masks": masks, "index": index}
    row = [
        p for candidate in shown for p in candidate_row(run, candidate, settings.threshold, **files)
    ]
    draw_grid([row], TITLES * len(shown), text, png=png, pdf=pdf, groups=len(shown))


def caption(settings: ReportJob, run: Run, shown: list[Candidate]) -> str:
    """Return the caption for the candidates ``shown``, which may be none."""
    return (
        "Figure 5: Test radiographs on which the generated mask and the annotation disagree most "
        f"confidently. {explanation(settings, run, shown)}"
    )
