"""What figures 5 and 9 share: rows of candidates for annotation errors, and their explanation."""

from dataclasses import replace
from pathlib import Path

from maskedteeth.report.about import about
from maskedteeth.report.candidates import CONFIDENCE, Candidate, disk_size, rank_candidates
from maskedteeth.report.figures.panels import Picture, mask_picture
from maskedteeth.report.figures.runs import Run, percent, rows_of
from maskedteeth.settings.jobs import ReportJob

NO_BREAK = "\N{NO-BREAK SPACE}"
NOTHING = (
    "No candidate to show: there is no (further) region in which prediction and annotation "
    "disagree confidently."
)


def find_candidates(run: Run, masks: Path, index: Path) -> list[Candidate]:
    """Return the candidates among the test radiographs of ``run``, the highest score first."""
    return rank_candidates(run.ids, run.probability, rows_of(run, masks, index, run.ids, 1))


def candidate_row(
    run: Run, candidate: Candidate, threshold: float, *, images: Path, masks: Path, index: Path
) -> list[Picture]:
    """Return X-ray, annotation and generated mask with the region outlined in each."""
    radiograph = rows_of(run, images, index, [candidate.id])[0]
    truth = rows_of(run, masks, index, [candidate.id], 1)[0]
    note = f"score {candidate.score:.2f}%"
    generated = run.segmentation(candidate.id, threshold, note)
    row = [Picture(radiograph), mask_picture(truth), generated]
    return [replace(picture, box=candidate.box) for picture in row]


def explanation(settings: ReportJob, run: Run, shown: list[Candidate]) -> str:
    """Say what candidates are, how they were ranked and which are ``shown``, for a caption."""
    names = "; ".join(f"{c.id} ({c.kind})" for c in shown) or "none"
    disagreement = f"|p − g| ≥ {CONFIDENCE:g}".replace(" ", NO_BREAK)
    return (
        f"Candidates for annotation errors, not verified ones: {names}. Prediction: "
        f"{settings.labels[run.method]}, trained on {percent(run.fraction)} of the samples in the "
        f"dataset (seed {run.seed}). Score: sum of |p{NO_BREAK}−{NO_BREAK}g| over the outlined "
        "region in % of the radiograph's pixels (p: probability of tooth, g: annotation); a "
        f"region is connected, has {disagreement} throughout and survives an opening with a disk "
        f"of {disk_size(run.probability.shape[1])} pixels. {about(settings)}"
    )
