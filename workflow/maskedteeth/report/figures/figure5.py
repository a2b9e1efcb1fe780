"""Figure 5: the two foremost candidates for annotation errors."""

from pathlib import Path

from maskedteeth.report.figures.candidate_panels import draw_candidates
from maskedteeth.report.figures.panels import Sheet
from maskedteeth.settings.sections import Presentation

TITLES = ("Dental X-ray", "Annotation", "Generated mask")

#: Candidates of this figure; the next ones are figure 9's.
SHOWN = 2


def figure5(
    report: Presentation,
    *,
    images: Path,
    masks: Path,
    index: Path,
    metrics: list[Path],
    predictions: list[Path],
) -> Sheet:
    """Draw X-ray, annotation and generated mask of two candidates, side by side.

    Args:
        report: labels, dataset and protocol.
        images: ``images.npy``.
        masks: ``masks.npy``.
        index: ``index.csv``.
        metrics: ``metrics.csv`` of one run.
        predictions: its ``predictions.npz``.
    """
    words = (
        "Figure 5: Test radiographs on which the generated mask and the annotation disagree most "
        "confidently."
    )
    files = {"images": images, "masks": masks, "index": index}
    files |= {"metrics": metrics, "predictions": predictions}
    return draw_candidates(report, words, TITLES, slice(SHOWN), side_by_side=True, **files)
