"""Figure 9: further candidates for annotation errors."""

from pathlib import Path

from maskedteeth.report.figures.figure5 import SHOWN, draw_candidates
from maskedteeth.report.figures.panels import Sheet
from maskedteeth.settings.sections import Presentation

TITLES = ("Input radiograph", "Ground truth", "Generated mask")


def figure9(
    report: Presentation,
    *,
    images: Path,
    labels: Path,
    index: Path,
    metrics: list[Path],
    predictions: list[Path],
) -> Sheet:
    """Draw input, ground truth and generated mask of the candidates that follow figure 5's."""
    words = (
        "Figure 9: Further test radiographs, after figure 5's, on which the generated mask and the "
        "ground truth disagree"
    )
    files = (images, labels, index, metrics, predictions)
    return draw_candidates(report, words, TITLES, slice(SHOWN, SHOWN + report.samples), *files)
