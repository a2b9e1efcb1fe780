"""What figures 5 and 9 share: candidates for annotation errors, and what they are."""

from dataclasses import replace
from pathlib import Path

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.report.about import about, percent
from maskedteeth.report.candidates import CONFIDENCE, best_of_each, disk_size, rank_regions
from maskedteeth.report.figures.panels import Picture, Sheet, draw_grid, draw_words, mask_picture
from maskedteeth.report.figures.runs import read_runs
from maskedteeth.settings.sections import Presentation

NOTHING = (
    "No candidate to show: there is no (further) region in which prediction and annotation "
    "disagree confidently."
)


def draw_candidates(
    report: Presentation,
    words: str,
    titles: tuple[str, ...],
    ranks: slice,
    *,
    images: Path,
    masks: Path,
    index: Path,
    metrics: list[Path],
    predictions: list[Path],
    side_by_side: bool = False,
) -> Sheet:
    """Draw X-ray, annotation and generated mask of candidates, with the region outlined in each.

    Args:
        report: labels, dataset and protocol.
        words: begin the caption.
        titles: of the three columns.
        ranks: of the candidates to show, 0 is the foremost.
        images: ``images.npy``.
        masks: ``masks.npy``.
        index: ``index.csv``.
        metrics: ``metrics.csv`` of one run.
        predictions: its ``predictions.npz``.
        side_by_side: all in one row.
    """
    (run,) = read_runs(metrics, predictions)
    truths = pixels_of(masks, read_index(index), run.ids)
    shown = best_of_each(rank_regions(run.ids, run.probability, truths))[ranks]
    names = "; ".join(f"{c.id} ({c.kind})" for c in shown) or "none"
    caption = (
        f"{words} Candidates for annotation errors, not verified ones: {names}. Prediction: "
        f"{report.labels[run.method]}, trained on {percent(run.fraction)} of the samples in the "
        f"dataset (seed {run.seed}). Score: sum of |p − g| over the outlined region in % of the "
        "radiograph's pixels (p: probability of tooth, g: annotation); a region is connected, has "
        f"|p − g| ≥ {CONFIDENCE:g} throughout and survives an opening with a disk of "
        f"{disk_size(truths.shape[1])} pixels. {about(report)}"
    )
    if not shown:
        return draw_words(NOTHING, caption)
    rows = []
    for candidate, xray in zip(
        shown, pixels_of(images, read_index(index), [c.id for c in shown]), strict=True
    ):
        truth = truths[run.ids.index(candidate.id)]
        note = f"score {candidate.score:.2f}%"
        generated = run.segmentation(candidate.id, report.threshold, note)
        row = (Picture(xray), mask_picture(truth), generated)
        rows.append([replace(picture, box=candidate.box) for picture in row])
    if side_by_side:
        row = [picture for row in rows for picture in row]
        return draw_grid([row], titles * len(shown), caption, groups=len(shown))
    return draw_grid(rows, titles, caption)
