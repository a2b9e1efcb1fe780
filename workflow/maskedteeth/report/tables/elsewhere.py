"""Every network on other datasets, and what it loses there; not in the paper."""

from pathlib import Path

import numpy as np
import pandas as pd

from maskedteeth.report.about import about
from maskedteeth.report.chance import (
    SEED,
    bootstrap_weights,
    counts_by_seed,
    estimate,
    pooled_scores,
    too_narrow,
)
from maskedteeth.report.results import mean_over_seeds, pooled_by_run, read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import deviating, interval, number, once
from maskedteeth.report.tables.numbering import resampled, scored
from maskedteeth.settings.sections import Presentation

#: Metric of numbered teeth → its column, and its name in print.
NUMBERS = {"dice": ("tooth_dice", "Dice of a tooth")}
NUMBERS |= {"found": ("found", "Found"), "right": ("right", "Rightly numbered")}


def elsewhere(
    report: Presentation,
    datasets: dict[str, str],
    *,
    metrics: list[Path],
    elsewhere: list[Path],
    runs: list[Path],
    numbering: list[Path] = (),  # type: ignore[assignment]
    numbering_elsewhere: list[Path] = (),  # type: ignore[assignment]
) -> Table:
    """Make the table of further datasets.

    Args:
        report: what tables say.
        datasets: name → name in print.
        metrics: ``metrics.csv`` of the study's own dataset.
        elsewhere: those of the further ones.
        runs: records of all trainings and evaluations.
        numbering: where teeth are numbered, ``numbering.csv`` of the study's own dataset.
        numbering_elsewhere: those of the further ones.

    Returns:
        A row a dataset, method and fraction: dataset, model, fraction, seeds, radiographs, dice
        with dice_sd, dice_at_home, drop (Dice at home minus Dice there) with drop_low and
        drop_high, and protocol; where teeth are numbered also tooth_dice, found and right, each
        with its ``_drop``, likewise.
    """
    home, rows = read_rows(*metrics), []
    at_home = {key: group for key, group in home.groupby(["method", "fraction"], sort=False)}
    teeth_at_home, teeth_there = _teeth(numbering, []), _teeth(numbering_elsewhere, ["dataset"])
    for dataset, there in read_rows(*elsewhere).groupby("dataset", sort=False):
        means = mean_over_seeds(pooled_by_run(there), ("dice",)).set_index(["method", "fraction"])
        for (method, fraction), group in there.groupby(["method", "fraction"], sort=False):
            draws = _draws(at_home[method, fraction], report.bootstrap_resamples, SEED)
            mean = means.loc[(method, fraction)]
            rows.append(
                {
                    "dataset": dataset,
                    "model": report.labels[method],
                    "fraction": fraction,
                    "seeds": int(mean["seeds"]),
                    "radiographs": group["id"].nunique(),
                    "dice": mean["dice"],
                    "dice_sd": mean["dice_sd"],
                    "dice_at_home": draws[0],
                    # Of other radiographs, so of draws of their own.
                    **estimate("drop", draws - _draws(group, len(draws) - 1, SEED + 1)),
                }
            )
            if (dataset, method, fraction) in teeth_there:
                teeth = teeth_at_home[method, fraction], teeth_there[dataset, method, fraction]
                rows[-1] |= _numbers(*teeth, report.bootstrap_resamples)
    table = pd.DataFrame(rows)
    lines = [row for _, row in table.iterrows()]
    text = pd.DataFrame(
        {
            "Model": table["model"],
            "Train. data": table["fraction"].astype(str),
            "Dice": [deviating(line, "dice", ".3f") for line in lines],
            "At home": table["dice_at_home"].map("{:.3f}".format),
            "Drop": [interval(line, "drop", "+.3f") for line in lines],
        }
    )
    of_teeth = text[["Model", "Train. data"]].copy()
    for column, title in NUMBERS.values():
        if column in table:
            of_teeth[title] = table[column].map(lambda value: number(value, ".3f"))
            drops = [interval(line, f"{column}_drop", "+.3f") for line in lines]
            of_teeth[f"{title}: drop"] = drops
    parts = []
    for dataset, part in text.groupby(table["dataset"], sort=False):
        count = table.loc[part.index[0], "radiographs"]
        words = f"{count} radiographs: {datasets[dataset]}. {too_narrow(count)}"
        parts.append(Part(_tidy(part), dataset, words.strip()))
        if dataset in {name for name, *_ in teeth_there}:
            parts.append(Part(_tidy(of_teeth.loc[part.index]), f"{dataset}: numbered teeth"))
    return Table(
        title="All models on other datasets",
        frame=table.assign(protocol=report.protocol),
        parts=tuple(parts),
        lead=about(report, runs),
        notes=(
            "*Dice*: computed from the pixels of all labelled radiographs of the other dataset "
            "together, averaged over seeds ± their standard deviation. *At home*: the same on the "
            "study's own test radiographs. Nothing was trained on annotations of the other "
            "datasets.",
            "*Drop*: Dice at home minus Dice on the other dataset; above zero the model is worse "
            f"there. In brackets: 95 % bootstrap intervals ({report.bootstrap_resamples:,} draws "
            "of the radiographs of both). They do not show how results vary when the networks are "
            "trained again. Each dataset is annotated by other people and rules, so a drop is not "
            "due to the network alone.",
            "Near copies of a radiograph that any network or pretext may have trained on are left "
            "out.",
            *(["For the metrics of numbered teeth, see their table."] if numbering else []),
        ),
    )


def _tidy(part: pd.DataFrame) -> pd.DataFrame:
    part = part.reset_index(drop=True)
    return part.assign(Model=once(part["Model"]))


def _teeth(files: list[Path], keys: list[str]) -> dict[tuple, pd.DataFrame]:
    """Return the scored teeth of each method and fraction, and of what else ``keys`` name."""
    if not files:
        return {}
    return dict(list(scored(read_rows(*files)).groupby([*keys, "method", "fraction"], sort=False)))


def _numbers(home: pd.DataFrame, there: pd.DataFrame, resamples: int) -> dict[str, float]:
    """Return each of :data:`NUMBERS` on the other dataset, and its drop."""
    weighed = []
    for rows, seed in ((home, SEED), (there, SEED + 1)):
        ids = sorted(set(rows["id"]))
        weighed.append((rows, ids, bootstrap_weights(len(ids), resamples, seed)))
    row = {}
    for metric, (column, _) in NUMBERS.items():
        at_home, away = (resampled(r, metric, ids, weights) for r, ids, weights in weighed)
        row |= {column: away[0], **estimate(f"{column}_drop", at_home - away)}
    return row


def _draws(group: pd.DataFrame, resamples: int, seed: int) -> np.ndarray:
    """Return the mean Dice of a method at a fraction, and of it resampled, (1 + resamples,)."""
    counts = counts_by_seed(group)
    weights = bootstrap_weights(counts["tp"].shape[1], resamples, seed)
    return pooled_scores(counts, weights)["dice"]
