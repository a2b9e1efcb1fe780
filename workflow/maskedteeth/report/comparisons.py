"""Every method at every fraction with its uncertainty, and beside ours."""

from functools import lru_cache

import numpy as np
import pandas as pd

from maskedteeth.metrics.segmentation import COUNTS, METRICS, scores
from maskedteeth.report.statistics import (
    bootstrap_weights,
    holm,
    percentile_interval,
    pooled_scores,
    signed_rank_test,
    smallest_p,
)

#: Corrected p-values below this are taken to show that trained networks differ.
ALPHA = 0.05

#: Seed of all resamples: the same for all methods, so that they are drawn the same radiographs.
SEED = 0


def compare(metrics: pd.DataFrame, ours: str, resamples: int) -> pd.DataFrame:
    """Estimate every method at every fraction, and its difference to ours.

    Pooled scores are those of table 2. Differences are between the radiographs' own Dice, averaged
    over a method's seeds; at each fraction each method is compared to ours on the radiographs that
    both were tested on. Holm's correction is over all comparisons of the study.

    Args:
        metrics: rows of all runs' ``metrics.csv``, with tn: without it a radiograph that a seed was
            not tested on would look like an empty one.
        ours: method that the others are compared to.
        resamples: test sets to draw for an interval.

    Returns:
        A row a method and fraction, in the order given: method, fraction, seeds, radiographs; for
        each metric its pooled value under its own name with ``_low`` and ``_high``, the bounds of
        its 95 % interval; difference (the method's mean minus ours) with ``_low`` and ``_high``;
        pairs (radiographs compared), zeros (pairs without a difference), p, p_holm,
        rank_biserial. What compares is NaN in the rows of ``ours``, and where ours was not
        tested at that fraction.
    """
    draw = lru_cache(2)(lambda images: bootstrap_weights(images, resamples, SEED))
    rows, of_ours = [], {}
    groups = dict(list(metrics.groupby(["method", "fraction"], sort=False)))
    for (method, fraction), group in groups.items():
        if method == ours:
            of_ours[fraction] = dice_by_image(group)
    for (method, fraction), group in groups.items():
        counts = counts_by_seed(group)
        seeds, images = counts["tp"].shape
        row = {"method": method, "fraction": fraction, "seeds": seeds, "radiographs": images}
        row |= _pooled(counts, draw(images))
        if method != ours and fraction in of_ours:
            row |= _difference(dice_by_image(group), of_ours[fraction], draw)
        rows.append(row)
    columns = ["method", "fraction", "seeds", "radiographs"]
    columns += [f"{name}{bound}" for name in METRICS for bound in ("", "_low", "_high")]
    columns += ["difference", "difference_low", "difference_high"]
    table = pd.DataFrame(rows, columns=[*columns, "pairs", "zeros", "p", "p_holm", "rank_biserial"])
    table = table.astype({"pairs": "Int64", "zeros": "Int64"})
    known = table["p"].notna()
    table.loc[known, "p_holm"] = holm(table.loc[known, "p"].to_numpy(float))
    return table


def too_few(table: pd.DataFrame) -> str:
    """Say, where it is so, that no difference between methods could have a small p.

    Args:
        table: as :func:`compare` returns it.

    Returns:
        A sentence; nothing where there are enough radiographs, or no comparisons.
    """
    compared = table[table["p"].notna()]
    if compared.empty:
        return ""
    pairs = int(compared["pairs"].max())
    least = smallest_p(pairs)
    corrected = min(1, least * len(compared))
    if corrected < ALPHA:
        return ""
    return (
        f"With {pairs} radiographs the smallest possible p is {least:.3f}, or {corrected:.3f} when "
        f"corrected for {len(compared)} comparisons: no difference, however large, could have a p "
        f"below {ALPHA:g}."
    )


def counts_by_seed(group: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return tp, fp, fn, tn of one method and fraction: int64 (seeds, images), sorted by id.

    A radiograph that is not in a seed's test set has zeros there.
    """
    wide = group.pivot(index="seed", columns="id", values=list(COUNTS))
    return {key: wide[key].fillna(0).to_numpy(np.int64) for key in COUNTS}


def dice_by_image(group: pd.DataFrame) -> pd.Series:
    """Return each radiograph's own Dice, averaged over the seeds that test it, sorted by id."""
    dice = scores(group["tp"], group["fp"], group["fn"])["dice"]
    return pd.Series(dice, index=group["id"]).groupby(level=0).mean()


def _pooled(counts: dict[str, np.ndarray], weights: np.ndarray) -> dict[str, float]:
    values, resampled = pooled_scores(counts), pooled_scores(counts, weights)
    row = {}
    for name in METRICS:
        row[name] = float(values[name][0])
        row[f"{name}_low"], row[f"{name}_high"] = percentile_interval(resampled[name])
    return row


def _difference(theirs: pd.Series, ours: pd.Series, draw) -> dict[str, float]:
    # Rounded, because two ways to the same mean differ by 1e-16, which is no difference.
    differences = (theirs - ours).dropna().round(12).to_numpy()
    if differences.size == 0:
        return {"pairs": 0}
    low, high = percentile_interval(draw(differences.size) @ differences / differences.size)
    p, correlation = signed_rank_test(differences)
    return {
        "difference": differences.mean(),
        "difference_low": low,
        "difference_high": high,
        "pairs": differences.size,
        "zeros": np.count_nonzero(differences == 0),
        "p": p,
        "rank_biserial": correlation,
    }
