"""Annotation errors: how well the ranking of figures 5 and 9 finds those of a phantom."""

from pathlib import Path

import numpy as np
import pandas as pd

from maskedteeth.report.about import about, percent
from maskedteeth.report.annotation_errors import (
    OVERLAP,
    measure,
    read_errors,
    shown_by_radiographs,
    shown_by_regions,
)
from maskedteeth.report.candidates import best_of_each, rank_regions
from maskedteeth.report.figures.runs import read_runs
from maskedteeth.report.results import read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import number
from maskedteeth.settings.sections import Presentation

COLUMNS = ["seed", "unit", "items", "items_with_error", "errors"]
COLUMNS += ["k", "hits", "precision", "precision_random", "recall", "recall_random", "p"]
#: Errors below which nothing can be concluded.
FEW = 10


def annotation_errors(
    report: Presentation,
    *,
    raw: Path,
    masks: Path,
    index: Path,
    metrics: list[Path],
    predictions: list[Path],
    runs: list[Path],
) -> Table:
    """Make the table of precision and recall at k of the ranking, of radiographs and of regions.

    Args:
        report: labels, dataset, protocol.
        raw: folder of the phantom.
        masks: ``masks.npy``.
        index: ``index.csv``.
        metrics: ``metrics.csv`` of the runs of figures 5 and 9, all seeds.
        predictions: their ``predictions.npz``, likewise.
        runs: records of these runs and their pretexts.

    Returns:
        Columns seed, unit (radiographs or regions), items, items_with_error, errors, those of
        :func:`maskedteeth.report.annotation_errors.measure`, and protocol. Printed are means over
        seeds.
    """
    truth, place = np.load(masks, mmap_mode="r"), read_rows(index)["id"].tolist().index
    errors = read_errors(raw, index, *truth.shape[1:])
    frames, tested = [], []
    for run in read_runs(metrics, predictions):
        if run.fraction != report.figure_fraction:
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
    lead = (
        f"{_errors(tested, len(ids))} The whole dataset has {len(errors)} on {len(truth)} "
        "radiographs. They are looked for where the annotation and the "
        f"prediction of {report.labels[shown.method]}, trained on "
        f"{percent(shown.fraction)} of the samples, disagree most confidently."
        f"{_limits(table)} {about(report, runs)}"
    )
    return Table(
        title="Annotation errors found by confident disagreement (figures 5 and 9)",
        frame=table.assign(protocol=report.protocol),
        parts=(Part(printed(table)),),
        lead=lead,
        notes=notes(table),
    )


def printed(table: pd.DataFrame) -> pd.DataFrame:
    """Average over seeds, at depths that all of them reach, and print."""
    groups = table.groupby(["unit", "k"])
    common = groups.mean(numeric_only=True)[groups.size() == table["seed"].nunique()]
    return pd.DataFrame(
        {
            "Ranked": common.index.get_level_values("unit"),
            "k": common.index.get_level_values("k").astype(str),
            "Precision": [f"{value:.2f}" for value in common["precision"]],
            "Precision at random": [f"{value:.2f}" for value in common["precision_random"]],
            "Recall": [number(value, ".2f") for value in common["recall"]],
            "Recall at random": [number(value, ".2f") for value in common["recall_random"]],
            "p": [f"{value:.3f}" for value in groups["p"].max()[common.index]],
        }
    )


def notes(table: pd.DataFrame) -> tuple[str, ...]:
    """Say what the numbers are."""
    seeds = max(table["seed"].nunique(), 1)
    several = seeds > 1
    return (
        f"Each row: the first k of the ranking{f', mean over {seeds} seeds' if several else ''}. "
        "Radiographs are ranked by their best region; those without one are not ranked.",
        "*Precision*: share of the first k that show an error. *Recall*: share of the test "
        "radiographs' errors that the first k show. A region shows an error when at least "
        f"{OVERLAP:.0%} of its bounding box lies in the error's.",
        "*At random*: what a random order of all test radiographs, or of the same regions, would "
        "reach on average. *p*: the exact probability that such an order has as many hits or more"
        f"{', for the seed where it is largest' if several else ''}.",
    )


def _errors(tested: list[int], radiographs: int) -> str:
    """Say how many errors there are to find: on one test set, or on each seed's own."""
    counts = sorted({min(tested), max(tested)})
    plural = "" if counts == [1] else "s"
    return (
        f"{' to '.join(map(str, counts))} annotation error{plural} put into the phantom on purpose "
        f"on {radiographs} test radiographs."
    )


def _limits(table: pd.DataFrame) -> str:
    if table.empty:
        return " There is no candidate on any test radiograph."
    if table["errors"].max() < FEW:
        return f" With fewer than {FEW} errors to find nothing can be concluded."
    return ""
