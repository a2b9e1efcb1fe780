"""Every method at every fraction with its uncertainty, and beside ours."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

from maskedteeth.metrics.segmentation import METRICS, scores
from maskedteeth.report.statistics import (
    bootstrap_weights,
    counts_by_seed,
    estimate,
    holm,
    pooled_scores,
    resampled_means,
    signed_rank_test,
)

#: Corrected p-values below this are taken to show that trained networks differ.
ALPHA = 0.05
COLUMNS = [
    *("method", "fraction", "seeds", "radiographs"),
    *(f"{name}{bound}" for name in (*METRICS, "difference") for bound in ("", "_low", "_high")),
    *("pairs", "zeros", "p", "p_holm", "rank_biserial"),
]


def compare(metrics: pd.DataFrame, ours: str, resamples: int) -> pd.DataFrame:
    """Estimate every method at every fraction, and its difference to ours.

    Pooled scores are those of table 2. Differences are between the radiographs' own Dice, averaged
    over a method's seeds; at each fraction each method is compared to ours on the radiographs that
    both were tested on. Holm's correction is over all comparisons of the study.

    Returns:
        A row a method and fraction, in the order given: method, fraction, seeds, radiographs; for
        each metric its pooled value under its own name with ``_low`` and ``_high``, the bounds of
        its 95 % interval; difference (the method's mean minus ours) with ``_low`` and ``_high``;
        pairs (radiographs compared), zeros (pairs without a difference), p, p_holm,
        rank_biserial. What compares is NaN in the rows of ``ours``, and where ours was not
        tested at that fraction.
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


def too_few(table: pd.DataFrame) -> str:
    """Say of a table of :func:`compare`, where it is so, that no difference can have a small p."""
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
    p, correlation = signed_rank_test(differences)
    return {
        **estimate("difference", resampled_means(differences, draw(differences.size))),
        "pairs": differences.size,
        "zeros": np.count_nonzero(differences == 0),
        "p": p,
        "rank_biserial": correlation,
    }
