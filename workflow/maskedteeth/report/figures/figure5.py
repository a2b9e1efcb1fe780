"""Figure 5: the two foremost candidates for annotation errors."""

from pathlib import Path

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.report.about import about, percent
from maskedteeth.report.candidates import CONFIDENCE, best_of_each, disk_size, rank_regions
from maskedteeth.report.figures.panels import Picture, Sheet, draw_grid, draw_words, mask_picture
from maskedteeth.report.figures.runs import read_runs
from maskedteeth.settings.sections import Presentation

TITLES = ("Dental X-ray", "Annotation", "Generated mask")
#: Candidates of this figure; the next ones are figure 9's.
SHOWN = 2


def figure5(
    report: Presentation,
    *,
    images: Path,
    labels: Path,
    index: Path,
    metrics: list[Path],
    predictions: list[Path],
) -> Sheet:
    """Draw X-ray, annotation and generated mask of two candidates of one run."""
    words = "Figure 5: Test radiographs on which generated mask and annotation disagree most"
    files = (images, labels, index, metrics, predictions)
    return draw_candidates(report, words, TITLES, slice(SHOWN), *files)


def draw_candidates(
    report: Presentation,
    words: str,
    titles: tuple[str, ...],
    ranks: slice,
    images: Path,
    labels: Path,
    index: Path,
    metrics: list[Path],
    predictions: list[Path],
) -> Sheet:
    """Draw X-ray, annotation and generated mask of candidates, with the region outlined in each.

    The caption begins with ``words``; ``titles`` are of the three columns; of ``ranks``, 0 is the
    foremost candidate.
    """
    (run,) = read_runs(metrics, predictions)
    radiographs = read_index(index)
    truths = pixels_of(labels, radiographs, run.ids) > 0
    shown = best_of_each(rank_regions(run.ids, run.probability, truths))[ranks]
    names = "; ".join(f"{c.id} ({c.kind})" for c in shown) or "none"
    caption = (
        f"{words} confidently. They are candidates for annotation errors, and nobody has verified "
        f"them: {names}. Prediction: {report.labels[run.method]}, trained on "
        f"{percent(run.fraction)} of the samples in the dataset (seed {run.seed}). Score: sum of "
        "|p − g| over the outlined region in % of the radiograph's pixels (p: probability of "
        f"tooth, g: annotation). A region is connected, has |p − g| ≥ {CONFIDENCE:g} everywhere "
        f"and survives an opening with a disk of {disk_size(truths.shape[1])} pixels. "
        f"{about(report)}"
    )
    if not shown:
        nothing = "No (further) region in which prediction and annotation disagree confidently."
        return draw_words(nothing, caption)
    rows, xrays = [], pixels_of(images, radiographs, [candidate.id for candidate in shown])
    for candidate, xray in zip(shown, xrays, strict=True):
        truth = truths[run.ids.index(candidate.id)]
        note = f"score {candidate.score:.2f}%"
        generated = run.segmentation(candidate.id, report.threshold, note)
        row = (Picture(xray), mask_picture(truth), generated)
        rows.append([picture._replace(box=candidate.box) for picture in row])
    return draw_grid(rows, titles, caption)
