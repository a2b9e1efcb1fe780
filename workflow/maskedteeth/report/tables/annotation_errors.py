"""Annotation errors: how well the ranking of figures 5 and 9 finds those of a phantom.

Only a phantom knows its errors. Two rankings are measured, one of radiographs by their best region
and one of all regions (:mod:`maskedteeth.report.candidates`). A radiograph shows the errors in its
annotation, a region those that hold at least half of its bounding box. An item that shows an error
is a hit. A random order of the same items gives the expected values and, by the hypergeometric
distribution of hits, the exact p-value of at least as many hits.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from maskedteeth.report.about import about, percent
from maskedteeth.report.candidates import Candidate, best_of_each, rank_regions
from maskedteeth.report.figures.runs import read_runs
from maskedteeth.report.results import read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import number
from maskedteeth.settings.sections import Presentation

COLUMNS = ["seed", "unit", "items", "items_with_error", "errors"]
COLUMNS += ["k", "hits", "precision", "precision_random", "recall", "recall_random", "p"]
#: Depths of the rankings, as far as they reach; the last row of each is its whole length.
DEPTHS = (1, 2, 3, 5, 10, 20, 50)
#: Least share of a region's bounding box that lies in an error's for a hit.
OVERLAP = 0.5
#: Errors below which nothing can be concluded.
FEW = 10
PRINTED = {
    "Precision": ("precision", ".2f"),
    "Precision at random": ("precision_random", ".2f"),
    "Recall": ("recall", ".2f"),
    "Recall at random": ("recall_random", ".2f"),
    "p": ("p", ".3f"),
}
NOTES = (
    "Each row: the first k of a ranking, mean over the seeds. Radiographs are ranked by their best "
    "region; those without one are not ranked.",
    "*Precision*: share of the first k that show an error. *Recall*: share of the test "
    "radiographs' errors that the first k show. A region shows an error when at least "
    f"{OVERLAP:.0%} of its bounding box lies in the error's.",
    "*At random*: what a random order of all test radiographs, or of the same regions, would reach "
    "on average. *p*: the exact probability that such an order has as many hits or more, for the "
    "seed where it is largest.",
)


def annotation_errors(
    report: Presentation,
    *,
    raw: Path,
    labels: Path,
    index: Path,
    metrics: list[Path],
    predictions: list[Path],
    runs: list[Path],
) -> Table:
    """Make the table of precision and recall at k of the ranking, of radiographs and of regions.

    ``raw`` is the phantom's folder; metrics and predictions are of the runs of figures 5 and 9, all
    seeds.

    Returns:
        Columns seed, unit (radiographs or regions), those of :func:`measure`, and protocol. Printed
        are means over seeds.
    """
    truth, place = np.load(labels, mmap_mode="r"), read_rows(index)["id"].tolist().index
    errors = read_errors(raw, index, *truth.shape[1:])
    frames, tested = [], []
    for run in read_runs(metrics, predictions):
        if f"{run.fraction:g}" != f"{report.figure_fraction:g}":  # as metrics.csv has it
            continue
        shown, ids = run, run.ids
        regions = rank_regions(ids, run.probability, truth[[place(name) for name in ids]])
        best = [region.id for region in best_of_each(regions)]
        order = [*best, *(name for name in ids if name not in best)]
        known = errors[errors["id"].isin(ids)]
        tested.append(len(known))
        for unit, shows, ranked in (
            ("radiographs", shown_by_radiographs(order, known), len(best)),
            ("regions", shown_by_regions(regions, known), len(regions)),
        ):
            measured = measure(shows, ranked).assign(seed=run.seed, unit=unit)
            frames.append(measured.reindex(columns=COLUMNS))
    table = pd.concat(frames, ignore_index=True)
    found = " to ".join(map(str, sorted({min(tested), max(tested)})))
    said = [
        f"Known annotation errors, put into the phantom on purpose: {len(errors)} on all "
        f"{len(truth)} radiographs, {found} on the {len(ids)} test radiographs. They are looked "
        f"for where the annotation and the prediction of {report.labels[shown.method]}, trained on "
        f"{percent(shown.fraction)} of the samples, disagree most confidently."
    ]
    if table.empty:
        said += ["There is no candidate on any test radiograph."]
    elif table["errors"].max() < FEW:
        said += [f"With fewer than {FEW} errors to find nothing can be concluded."]
    return Table(
        title="Annotation errors found by confident disagreement (figures 5 and 9)",
        frame=table.assign(protocol=report.protocol),
        parts=(Part(_printed(table)),),
        lead=" ".join([*said, about(report, runs)]),
        notes=NOTES,
    )


def read_errors(raw: Path, index: Path, height: int, width: int) -> pd.DataFrame:
    """Read the injected errors of a phantom, a row an error: id, left, top, right, bottom.

    The boxes of ``injected_errors.json``, in pixels of the files, are scaled to arrays of so many
    pixels.
    """
    known = json.loads((raw / "injected_errors.json").read_text(encoding="utf-8"))
    rows = []
    for row in read_rows(index).itertuples():
        across, down = width / row.width, height / row.height
        for x0, y0, x1, y1 in (entry["bbox"] for entry in known[row.id]):
            rows.append((row.id, x0 * across, y0 * down, (x1 + 1) * across, (y1 + 1) * down))
    return pd.DataFrame(rows, columns=["id", "left", "top", "right", "bottom"])


def shown_by_radiographs(ids: list[str], errors: pd.DataFrame) -> np.ndarray:
    """Tell which radiograph shows which error, bool (radiographs, errors)."""
    return np.array(ids, dtype=object)[:, None] == errors["id"].to_numpy(object)


def shown_by_regions(regions: list[Candidate], errors: pd.DataFrame) -> np.ndarray:
    """Tell which region shows which error, bool (regions, errors)."""
    boxes = np.array([region.box for region in regions], float).reshape(-1, 4)
    x, y, width, height = (side[:, None] for side in boxes.T)
    left, top, right, bottom = errors.drop(columns="id").to_numpy(float).T
    across = np.minimum(x + width, right) - np.maximum(x, left)
    down = np.minimum(y + height, bottom) - np.maximum(y, top)
    inside = across.clip(min=0) * down.clip(min=0) >= OVERLAP * width * height
    return inside & shown_by_radiographs([region.id for region in regions], errors)


def measure(shows: np.ndarray, ranked: int) -> pd.DataFrame:
    """Measure a ranking at several depths.

    Args:
        shows: which item shows which error, bool (items, errors), the best first.
        ranked: how many items are ranked; the others come after them in no order.

    Returns:
        A row a depth k: items, items_with_error, errors (how many there are), k, hits; precision
        (share of hits among the first k) and recall (share of the errors that these show), both
        also as a random order would have them on average; p. Empty when nothing is ranked. Recall
        is NaN without errors.
    """
    count, errors = shows.shape
    wrong = int(shows.any(1).sum())
    rows = []
    for k in sorted({depth for depth in (*DEPTHS, ranked) if 0 < depth <= ranked}):
        hits = int(shows[:k].any(1).sum())
        at_random = 1 - stats.hypergeom.pmf(0, count, shows.sum(0), k)
        rows.append(
            {
                **{"items": count, "items_with_error": wrong, "errors": errors},
                **{"k": k, "hits": hits, "precision": hits / k, "precision_random": wrong / count},
                "recall": shows[:k].any(0).mean() if errors else np.nan,
                "recall_random": at_random.mean() if errors else np.nan,
                "p": float(stats.hypergeom.sf(hits - 1, count, wrong, k)),
            }
        )
    return pd.DataFrame(rows)


def _printed(table: pd.DataFrame) -> pd.DataFrame:
    """Average over seeds, at depths that all of them reach, and print."""
    groups = table.groupby(["unit", "k"])
    means = groups.mean(numeric_only=True).assign(p=groups["p"].max())
    means = means[groups.size() == table["seed"].nunique()].reset_index()
    text = pd.DataFrame({"Ranked": means["unit"], "k": means["k"].astype(str)})
    for title, (name, form) in PRINTED.items():
        text[title] = [number(value, form) for value in means[name]]
    return text
