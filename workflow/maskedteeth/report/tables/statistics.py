"""Uncertainty of table 2, and every method tested against ours."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from maskedteeth.metrics.segmentation import METRICS, scores
from maskedteeth.report.about import about
from maskedteeth.report.chance import (
    bootstrap_weights,
    counts_by_seed,
    estimate,
    holm,
    pooled_scores,
    resampled_means,
    signed_rank_test,
    too_narrow,
)
from maskedteeth.report.evidence import Study
from maskedteeth.report.results import read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import interval, number, once
from maskedteeth.report.verdicts import ONE_SEED
from maskedteeth.settings.sections import Presentation

#: Corrected p-values below this are taken to show that trained networks differ.
ALPHA = 0.05
COLUMNS = [
    *("method", "fraction", "seeds", "radiographs"),
    *(f"{name}{bound}" for name in (*METRICS, "difference") for bound in ("", "_low", "_high")),
    *("pairs", "zeros", "p", "p_holm"),
]


def statistics(report: Presentation, *, metrics: list[Path], runs: list[Path]) -> Table:
    """Make the table of intervals and tests.

    Returns:
        Columns model, those of :func:`compare_with_ours`, pooled_difference with its bounds of
        :func:`differences_with_training`, and protocol.
    """
    measured = read_rows(*metrics)
    table = compare_with_ours(measured, report.ours, report.bootstrap_resamples)
    table = table.join(
        differences_with_training(measured, table, report.ours, report.bootstrap_resamples)
    )
    table.insert(0, "model", table.pop("method").map(report.labels))
    rows = [row for _, row in table.iterrows()]
    text = pd.DataFrame(
        {
            "Model": once(table["model"]),
            "Train. data": table["fraction"].astype(str),
            "Dice": [interval(row, "dice") for row in rows],
            "Difference to ours": [interval(row, "difference", "+.3f") for row in rows],
            "p": [p_value(row["p"]) for row in rows],
            "p (Holm)": [p_value(row["p_holm"]) for row in rows],
        }
    )
    if table["pooled_difference"].notna().any():
        again = [interval(row, "pooled_difference", "+.3f") for row in rows]
        text["Pooled difference, trained again"] = again
    limits = (about(report, runs), too_narrow(int(table["radiographs"].min())), too_few(table))
    return Table(
        title="Intervals of all models, and their differences to ours",
        frame=table.assign(protocol=report.protocol),
        parts=(Part(text),),
        lead=" ".join(filter(None, limits)),
        notes=_notes(table[table["p"].notna()], report),
    )


def compare_with_ours(metrics: pd.DataFrame, ours: str, resamples: int) -> pd.DataFrame:
    """Estimate every method at every fraction, and its difference to ours.

    Pooled scores are those of table 2. Differences are between the radiographs' own Dice, averaged
    over a method's seeds; at each fraction each method is compared to ours on the radiographs that
    both were tested on. Holm's correction is over all comparisons of the study.

    Returns:
        A row a method and fraction, in the order given: method, fraction, seeds, radiographs; for
        each metric its pooled value under its own name with ``_low`` and ``_high``, the bounds of
        its 95 % interval; difference (the method's mean minus ours) with ``_low`` and ``_high``;
        pairs (radiographs compared), zeros (pairs without a difference), p and p_holm. What
        compares is NaN in the rows of ``ours``, and where ours was not tested at that fraction.
    """
    draw = cache(lambda images: bootstrap_weights(images, resamples))
    groups = dict(list(metrics.groupby(["method", "fraction"], sort=False)))
    dice = {key: _dice_by_image(group) for key, group in groups.items()}
    rows = []
    for (method, fraction), group in groups.items():
        counts = counts_by_seed(group)
        seeds, images = counts["tp"].shape
        row = {"method": method, "fraction": fraction, "seeds": seeds, "radiographs": images}
        for name, draws in pooled_scores(counts, draw(images)).items():
            row |= estimate(name, draws)
        if method != ours and (ours, fraction) in dice:
            row |= _difference(dice[method, fraction] - dice[ours, fraction], draw)
        rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"pairs": "Int64", "zeros": "Int64"})
    known = table["p"].notna()
    table.loc[known, "p_holm"] = holm(table.loc[known, "p"].to_numpy(float))
    return table


def differences_with_training(
    metrics: pd.DataFrame, compared: pd.DataFrame, ours: str, resamples: int
) -> pd.DataFrame:
    """Estimate differences to ours with intervals that include chance in training.

    They are what claims are judged by (:class:`maskedteeth.report.evidence.Study`): differences of
    the scores of table 2.

    Returns:
        For each row of ``compared`` (:func:`compare_with_ours`) pooled_difference and the bounds of
        its 95 % interval, ``_low`` and ``_high``; NaN where nothing was compared, or a method or
        ours was trained once.
    """
    study = Study(metrics, pd.DataFrame({"id": []}, dtype=str), resamples)
    names = [f"pooled_difference{bound}" for bound in ("", "_low", "_high")]
    found = pd.DataFrame(np.nan, compared.index, names)
    for place, row in compared[compared["pairs"].notna()].iterrows():
        fraction = row["fraction"]
        difference = study.dice(row["method"], fraction) - study.dice(ours, fraction)
        if difference.remark != ONE_SEED:
            found.loc[place] = difference.value, *difference.interval()
    return found


def too_few(table: pd.DataFrame) -> str:
    """Say of a table of comparisons, where it is so, that no difference can have a small p."""
    compared = table[table["p"].notna()]
    if compared.empty:
        return ""
    pairs = int(compared["pairs"].max())
    least = min(1.0, 2.0 ** (1 - pairs))  # of the two-sided signed-rank test
    corrected = min(1, least * len(compared))
    if corrected < ALPHA:
        return ""
    return (
        f"With {pairs} radiographs no p can be below {least:.3f} ({corrected:.3f} when corrected "
        f"for {len(compared)} comparisons), however large the difference is."
    )


def _dice_by_image(group: pd.DataFrame) -> pd.Series:
    """Return each radiograph's own Dice, averaged over the seeds that test it, sorted by id."""
    dice = scores(group["tp"], group["fp"], group["fn"])["dice"]
    return pd.Series(dice, index=group["id"]).groupby(level=0).mean()


def _difference(by_image: pd.Series, draw: Callable[[int], np.ndarray]) -> dict[str, float]:
    # Rounded, because two ways to the same mean differ by 1e-16, which is no difference.
    differences = by_image.dropna().round(12).to_numpy()
    if differences.size == 0:
        return {"pairs": 0}
    return {
        **estimate("difference", resampled_means(differences, draw(differences.size))),
        "pairs": differences.size,
        "zeros": np.count_nonzero(differences == 0),
        "p": signed_rank_test(differences),
    }


def _notes(compared: pd.DataFrame, report: Presentation) -> tuple[str, ...]:
    intervals = (
        "*Dice*: as in table 2, computed from the pixels of all test radiographs together and "
        "averaged over seeds. *Brackets*: 95% bootstrap intervals. The test radiographs, each with "
        f"all its seeds, are resampled {report.bootstrap_resamples:,} times, to show how much "
        "depends on the choice of the test set. The intervals do not show how results vary when "
        "the networks are trained again."
    )
    if compared.empty:
        return intervals, "There is no other model to compare."
    dropped = f"{int(compared['zeros'].sum())} of {int(compared['pairs'].sum())}"
    notes = (
        intervals,
        f"*Difference to ours*: each radiograph's own Dice minus its Dice with "
        f"{report.labels[report.ours]}, both averaged over seeds; then the mean over radiographs. "
        "Below zero the model is worse. Models are compared at the same fraction; the table of "
        "claims compares across fractions.",
        "*p*: two-sided Wilcoxon signed-rank test of these differences; pairs without a difference "
        f"are dropped ({dropped}). *p (Holm)*: corrected for all {len(compared)} comparisons.",
        "A small p says that these trained networks differ on radiographs like these. It does not "
        "say that networks trained again would differ.",
    )
    if compared["pooled_difference"].isna().all():
        return notes
    return (
        *notes,
        "*Pooled difference, trained again*: Dice as in table 2, minus that of "
        f"{report.labels[report.ours]}. Its interval also includes chance in training (the "
        "differences between seeds), so both methods need at least two seeds. A pretext is trained "
        "once, so its chance is in no interval.",
    )


def p_value(value: float) -> str:
    """Print a p-value with three digits after the point, a tiny one as a bound."""
    return "< 0.001" if value < 0.001 else number(value, ".3f")
