"""Annotation errors: how well the ranking of figures 5 and 9 finds those of a phantom."""

from pathlib import Path

import pandas as pd

from maskedteeth.data.arrays import open_array
from maskedteeth.errors import InputError
from maskedteeth.report.about import about, stamped
from maskedteeth.report.annotation_errors import (
    OVERLAP,
    measure,
    of_radiographs,
    of_regions,
    read_errors,
)
from maskedteeth.report.candidates import best_of_each, rank_regions
from maskedteeth.report.figures.runs import percent, read_run, rows_of
from maskedteeth.report.reading import MEND
from maskedteeth.report.tables.layout import number, write_table
from maskedteeth.settings.jobs import ReportJob

COLUMNS = ("k", "hits", "precision", "precision_random", "recall", "recall_random", "p")

#: Errors below which nothing can be concluded.
FEW = 10


def annotation_errors(
    settings: ReportJob,
    *,
    raw: Path,
    masks: Path,
    index: Path,
    metrics: list[Path],
    predictions: list[Path],
    csv: Path,
    md: Path,
    tex: Path,
    runs: list[Path] = (),  # type: ignore[assignment]
) -> None:
    """Write precision and recall at k of the ranking, of radiographs and of regions.

    Args:
        settings: labels, dataset, protocol.
        raw: folder of the phantom.
        masks: ``masks.npy``.
        index: ``index.csv``.
        metrics: ``metrics.csv`` of the runs of figures 5 and 9, all seeds.
        predictions: their ``predictions.npz``, likewise.
        csv: file to write: seed, unit (radiographs or regions), items, items_with_error, errors,
            and the columns of :func:`maskedteeth.report.annotation_errors.measure`.
        md: file to write: means over seeds.
        tex: file to write, likewise.
        runs: ``run.json`` of these runs and their pretexts.
    """
    errors = read_errors(raw, index, *open_array(masks).shape[1:])
    parts, tested = [], {}
    for files in zip(metrics, predictions, strict=True):
        run = read_run(*files, settings)
        truth = rows_of(run, masks, index, run.ids, 1)
        regions = rank_regions(run.ids, run.probability, truth)
        if run.seed in tested:
            raise InputError(f"{files[0]} is of seed {run.seed}, as another one is. {MEND}")
        tested[run.seed] = sum(len(errors[name]) for name in run.ids)
        for unit, ranking in (
            ("radiographs", of_radiographs(best_of_each(regions), run.ids, errors)),
            ("regions", of_regions(regions, run.ids, errors)),
        ):
            part = measure(ranking).reindex(columns=COLUMNS)
            counts = (run.seed, unit, len(ranking.items), ranking.hits, ranking.errors)
            names = ("seed", "unit", "items", "items_with_error", "errors")
            for place, (name, value) in enumerate(zip(names, counts, strict=True)):
                part.insert(place, name, value)
            parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    everywhere = [len(boxes) for boxes in errors.values()]
    lead = (
        f"{_errors(tested, len(run.ids))}; the dataset has {sum(everywhere)} on "
        f"{len(everywhere)} radiographs. Ranked by the predictions of {settings.labels[run.method]}"
        f", trained on {percent(run.fraction)} of the samples in the dataset."
    )
    title = "Annotation errors found by confident disagreement (figures 5 and 9)"
    foot = f"{lead} {notes(table)} {about(settings, runs)}"
    write_table(stamped(table, settings), printed(table), title, foot, csv, md, tex)


def printed(table: pd.DataFrame) -> pd.DataFrame:
    """Average over seeds, at depths that all of them reach, and print."""
    seeds = table["seed"].nunique()
    groups = table.groupby(["unit", "k"])
    common = groups.mean(numeric_only=True)[groups.size() == seeds].reset_index()
    worst = groups["p"].max()
    rows = [
        {
            "Ranked": row["unit"],
            "k": str(row["k"]),
            "Precision": f"{row['precision']:.2f}",
            "Precision at random": f"{row['precision_random']:.2f}",
            "Recall": number(row["recall"], ".2f"),
            "Recall at random": number(row["recall_random"], ".2f"),
            "p": f"{worst[row['unit'], row['k']]:.3f}",
        }
        for _, row in common.iterrows()
    ]
    columns = (
        *("Ranked", "k", "Precision", "Precision at random"),
        *("Recall", "Recall at random", "p"),
    )
    return pd.DataFrame(rows, columns=columns)


def notes(table: pd.DataFrame) -> str:
    """Say what the numbers are and what they cannot show."""
    seeds = max(table["seed"].nunique(), 1)
    sentences = [
        f"Each row: the first k of the ranking, mean over {seeds} "
        f"{'seed' if seeds == 1 else 'seeds'}. Precision: share of the first k that show an "
        "injected error. Recall: share of the test radiographs' errors that the first k show. A "
        "region shows an error when at least "
        f"{OVERLAP:.0%} of its bounding box lies in the error's. Radiographs without a candidate "
        "are not ranked. At random: expected of a random ranking of all test radiographs, or of "
        "the same regions; p: its exact probability of as many hits or more"
        f"{', the largest of the seeds' if seeds > 1 else ''}.",
    ]
    if table.empty:
        sentences.append("There is no candidate on any test radiograph.")
    elif table["errors"].max() < FEW:
        sentences.append(f"With fewer than {FEW} errors to find nothing can be concluded.")
    return " ".join(sentences)


def _errors(tested: dict[int, int], radiographs: int) -> str:
    """Say how many errors there are to find: on one test set, or on each seed's own."""
    counts = sorted(set(tested.values()))
    count = " to ".join(map(str, counts[:: max(len(counts) - 1, 1)]))
    plural = "" if counts == [1] else "s"
    return f"{count} injected annotation error{plural} on {radiographs} test radiographs"
