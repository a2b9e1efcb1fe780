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
from maskedteeth.report.tables.layout import deviating, interval, once
from maskedteeth.settings.sections import Presentation


def elsewhere(
    report: Presentation,
    datasets: dict[str, str],
    *,
    metrics: list[Path],
    elsewhere: list[Path],
    runs: list[Path],
) -> Table:
    """Make the table of further datasets.

    Args:
        report: what tables say.
        datasets: name → name in print.
        metrics: ``metrics.csv`` of the study's own dataset.
        elsewhere: those of the further ones.
        runs: records of all trainings and evaluations.

    Returns:
        A row a dataset, method and fraction: dataset, model, fraction, seeds, radiographs, dice
        with dice_sd, dice_at_home, drop (Dice at home minus Dice there) with drop_low and
        drop_high, and protocol.
    """
    home, rows = read_rows(*metrics), []
    at_home = {key: group for key, group in home.groupby(["method", "fraction"], sort=False)}
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
    parts = []
    for dataset, part in text.groupby(table["dataset"], sort=False):
        count = table.loc[part.index[0], "radiographs"]
        words = f"{count} radiographs: {datasets[dataset]}. {too_narrow(count)}"
        part = part.reset_index(drop=True)
        parts.append(Part(part.assign(Model=once(part["Model"])), dataset, words.strip()))
    return Table(
        title="All models on other datasets",
        frame=table.assign(protocol=report.protocol),
        parts=tuple(parts),
        lead=about(report, runs),
        notes=(
            "*Dice*: the pixels of all labelled radiographs of the other dataset counted together, "
            "averaged over seeds ± their standard deviation. *At home*: the same on the study's "
            "own test radiographs. Nothing was trained on annotations of the other datasets.",
            "*Drop*: Dice at home minus Dice on the other dataset; above zero the model is worse "
            f"there. In brackets: 95 % bootstrap intervals ({report.bootstrap_resamples:,} draws "
            "of the radiographs of both). They do not show how results vary when the networks are "
            "trained again. Datasets are annotated by other people and other rules, so a drop is "
            "not the network's alone.",
            "Near copies of a radiograph that any network or pretext may have trained on are left "
            "out.",
        ),
    )


def _draws(group: pd.DataFrame, resamples: int, seed: int) -> np.ndarray:
    """Return the mean Dice of a method at a fraction, and of it resampled, (1 + resamples,)."""
    counts = counts_by_seed(group)
    weights = bootstrap_weights(counts["tp"].shape[1], resamples, seed)
    return pooled_scores(counts, weights)["dice"]
