"""How well every method finds and numbers teeth, in all and by groups; not in the paper."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from maskedteeth.data.teeth import GROUPS, group_of, in_print
from maskedteeth.metrics.numbering import LEAST_IOU
from maskedteeth.report.about import about, about_seeds, percent
from maskedteeth.report.chance import (
    bootstrap_weights,
    estimate,
    percentiles,
    too_narrow,
    training_chance,
)
from maskedteeth.report.results import RUN, mean_over_seeds, read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import deviating, interval, once
from maskedteeth.settings.sections import Presentation

#: Metric → name in print.
SHOWN = {"dice": "Dice", "jaccard": "Jaccard", "found": "Found", "right": "Rightly numbered"}


def numbering(report: Presentation, *, numbering: list[Path], runs: list[Path]) -> Table:
    """Make the table of numbered teeth, from the ``numbering.csv`` of evaluations.

    Returns:
        Columns model, fraction, teeth (all, a group, or the number of one), seeds, annotated (teeth
        on the test radiographs, seeds together), each metric of :func:`scored` as mean over teeth,
        then seeds, with its sample standard deviation over seeds as ``_sd`` and, of all teeth and
        of groups, its 95 % interval as ``_low`` and ``_high``; of all teeth what
        :func:`differences_to_ours` returns; and protocol.
    """
    rows = scored(read_rows(*numbering))
    numbers = rows["tooth"].map(lambda tooth: in_print(tooth, report.numbers))
    sets = ("all", rows["tooth"].map(group_of), numbers)
    teeth = pd.concat([rows.assign(teeth=which) for which in sets])
    keys = ["method", "fraction", "teeth"]
    by_run = teeth.groupby([*RUN, "teeth"], sort=False)[[*SHOWN]].mean().reset_index()
    annotated = teeth.groupby(keys, sort=False)["annotated"].sum().reset_index()
    ids = sorted(set(rows["id"]))
    weights = bootstrap_weights(len(ids), report.bootstrap_resamples)
    printed = teeth[teeth["teeth"].isin(["all", *GROUPS])].groupby(keys, sort=False)
    intervals = pd.DataFrame(
        dict(zip(keys, key, strict=True)) | _intervals(group, ids, weights)
        for key, group in printed
    )
    table = mean_over_seeds(by_run, tuple(SHOWN), keys).merge(annotated, on=keys)
    table = table.merge(intervals, "left", on=keys)
    differences = differences_to_ours(rows, report.ours, ids, weights).assign(teeth="all")
    table = table.merge(differences, "left", on=keys)
    table.insert(0, "model", table.pop("method").map(report.labels))
    table.insert(4, "annotated", table.pop("annotated"))

    whole = table[table["teeth"] == "all"]
    shown = table["fraction"] == report.figure_fraction
    groups = table[shown & table["teeth"].isin(GROUPS)]
    order = {name: place for place, name in enumerate([*report.labels.values(), *GROUPS])}
    groups = groups.sort_values(["model", "teeth"], key=lambda column: column.map(order))
    compared = whole[whole["dice_difference"].notna()]
    against_ours = Part(
        _text(compared, interval, "_difference", "+.3f", fraction="Train. data"),
        "All teeth, minus ours",
        f"Each cell: the model's mean minus that of {report.labels[report.ours]} at the same "
        "fraction; in brackets its 95 % interval, which includes chance in training (the "
        "differences between seeds). A pretext is trained once, so its chance is in no interval.",
    )
    return Table(
        title="Numbered teeth",
        frame=table.assign(protocol=report.protocol),
        parts=(
            Part(
                _text(whole, interval, fraction="Train. data", seeds="Seeds"),
                "All teeth",
                too_narrow(len(ids)),
            ),
            Part(
                _text(groups, deviating, teeth="Teeth", annotated="Annotated"),
                f"Groups of teeth, trained on {percent(report.figure_fraction)}",
            ),
            *([against_ours] if len(compared) else []),
        ),
        lead=about(report, runs),
        notes=(
            "*Dice*, *Jaccard*: computed for each tooth on one radiograph and averaged over the "
            "teeth of all test radiographs. A tooth that neither annotation nor prediction has "
            "does not count; one that only one of them has counts 0.",
            "A *region* is connected pixels of one predicted number. *Found*: share of the "
            "annotated teeth for which the region that covers most of the tooth has an IoU of at "
            f"least {LEAST_IOU:g} with it, whatever its number. *Rightly numbered*: share of the "
            "found teeth whose region has their number.",
            "Each cell: mean over seeds; in brackets its 95 % bootstrap interval "
            f"({report.bootstrap_resamples:,} draws of the test radiographs, each with all its "
            "seeds), or ± its standard deviation over seeds. The intervals do not show how results "
            "vary when the networks are trained again. *Annotated*: teeth, seeds together. The CSV "
            "file has both for all teeth and groups at every fraction, and means of each tooth. "
            f"{about_seeds(report, runs)}",
        ),
    )


def differences_to_ours(
    rows: pd.DataFrame, ours: str, ids: list[str], weights: np.ndarray
) -> pd.DataFrame:
    """Estimate differences to ours with intervals that include chance in training.

    As those of the claims (:class:`maskedteeth.report.evidence.Study`), of means over teeth.

    Args:
        rows: of :func:`scored`.
        ours: method that the others are compared with, at the same fraction.
        ids: the radiographs that are drawn.
        weights: as of :func:`resampled`.

    Returns:
        A row a method and fraction: method, fraction, and for each metric its ``_difference``, the
        method's mean minus that of ours, with the bounds of its 95 % interval as
        ``_difference_low`` and ``_difference_high``. No row where one of both was trained once, or
        ours not on this fraction.
    """
    draws = {
        key: {metric: trained_again(group, metric, ids, weights) for metric in SHOWN}
        for key, group in rows.groupby(["method", "fraction"], sort=False)
        if group["seed"].nunique() > 1
    }
    found = []
    for (method, fraction), of_method in draws.items():
        if method == ours or (ours, fraction) not in draws:
            continue
        row = {"method": method, "fraction": fraction}
        for metric, against in draws[ours, fraction].items():
            row |= estimate(f"{metric}_difference", of_method[metric] - against)
        found.append(row)
    names = (f"{metric}_difference{end}" for metric in SHOWN for end in ("", "_low", "_high"))
    return pd.DataFrame(found, columns=["method", "fraction", *names])


def scored(rows: pd.DataFrame) -> pd.DataFrame:
    """Score the teeth of ``numbering.csv``.

    Returns:
        The rows with annotated (bool), dice and jaccard; found, NaN where the tooth is not
        annotated; and right, 1 where a found tooth has its number, NaN where none is found.
    """
    both, total = rows["both"], rows["truth"] + rows["predicted"]
    annotated, found = rows["truth"] > 0, rows["found"].astype(float)
    return rows.assign(
        annotated=annotated,
        dice=2 * both / total,
        jaccard=both / (total - both),
        found=found.where(annotated),
        right=(rows["numbered_as"] == rows["tooth"]).astype(float).where(found > 0),
    )


def resampled(rows: pd.DataFrame, metric: str, ids: list[str], weights: np.ndarray) -> np.ndarray:
    """Average a metric over the teeth, then the seeds, of resampled radiographs.

    Args:
        rows: of one method and fraction, of :func:`scored`.
        metric: a column of them; NaN does not count.
        ids: the radiographs that are drawn.
        weights: (1 + resamples, ids), of :func:`maskedteeth.report.chance.bootstrap_weights`.

    Returns:
        float64 (1 + resamples,); NaN where no tooth counts.
    """
    grouped = rows.groupby(["seed", "id"])[metric]
    sums, counts = (
        part.unstack().reindex(columns=ids).fillna(0).to_numpy(float) @ weights.T
        for part in (grouped.sum(), grouped.count())
    )
    known = counts > 0
    with np.errstate(invalid="ignore"):
        return (sums / np.where(known, counts, 1)).sum(axis=0) / known.sum(axis=0)


def trained_again(
    rows: pd.DataFrame, metric: str, ids: list[str], weights: np.ndarray
) -> np.ndarray:
    """Return what :func:`resampled` does, with chance in training; of two seeds or more."""
    draws = resampled(rows, metric, ids, weights)
    by_seed = rows.groupby("seed")[metric].mean()
    draws[1:] += training_chance(by_seed.to_numpy(), len(draws) - 1, by_seed.index.tolist())
    return draws


def _intervals(rows: pd.DataFrame, ids: list[str], weights: np.ndarray) -> dict[str, float]:
    bounds = {}
    for metric in SHOWN:
        low_high = percentiles(resampled(rows, metric, ids, weights))
        bounds |= zip((f"{metric}_low", f"{metric}_high"), low_high, strict=True)
    return bounds


def _text(
    table: pd.DataFrame, cell: Callable, end: str = "", form: str = ".3f", **columns: str
) -> pd.DataFrame:
    """Print a line a row: the model, other columns by name and title, and the metrics.

    These are the columns that have the metrics' names with ``end`` behind.
    """
    text = {"Model": once(table["model"])}
    text |= {title: table[name].astype(str) for name, title in columns.items()}
    for metric, title in SHOWN.items():
        text[title] = [cell(row, metric + end, form) for _, row in table.iterrows()]
    return pd.DataFrame(text)
