"""Uncertainty of scores and of differences between methods: bootstrap and paired tests.

A test radiograph is the unit that is drawn; the seeds of a run are repeated measurements of the
same radiographs and stay together, so that more seeds do not pass for more radiographs. What is
resampled, *draws*, is an array whose first value is the estimate itself.
"""

from zlib import crc32

import numpy as np
import pandas as pd
import scipy  # its parts when they are needed: they take long to import

from maskedteeth.metrics.segmentation import COUNTS, scores

#: Share of the draws on each side of an interval of 95 %.
TAIL = 0.025
#: Radiographs below which percentile intervals are known to be too narrow.
FEW = 30
#: Seed of all draws: the same everywhere, so that all methods are drawn the same radiographs.
SEED = 0


def bootstrap_weights(images: int, resamples: int, seed: int = SEED) -> np.ndarray:
    """Draw as many radiographs as there are, with replacement, again and again.

    What is of other radiographs needs another seed.

    Returns:
        float64 (1 + resamples, images): how often each radiograph is drawn, in the first row once;
        rows sum to ``images``.
    """
    shares = np.full(images, 1 / images)
    drawn = np.random.default_rng(seed).multinomial(images, shares, size=resamples)
    return np.vstack([np.ones(images), drawn])


def resampled_means(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average values (images,), of which NaN were not measured, with each row of the weights.

    Returns:
        float64 (1 + resamples,); NaN where nothing that was measured is drawn.
    """
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return weights @ np.where(known, values, 0) / (weights @ known)


def counts_by_seed(runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return tp, fp, fn, tn of a method at a fraction as frames of seeds × ids, both sorted.

    A radiograph that is not in a seed's test set has zeros there.
    """
    return {k: runs.pivot(index="seed", columns="id", values=k).fillna(0) for k in COUNTS}


def pooled_scores(counts: dict[str, np.ndarray], weights: np.ndarray) -> dict[str, np.ndarray]:
    """Score resampled test sets as table 2 does: pool the pixels of each seed, average the seeds.

    Args:
        counts: tp, fp, fn, tn: (seeds, images), 0 where a radiograph is not in a seed's test set
            (complement protocol). A seed of which none is drawn is left out of the mean.
        weights: of :func:`bootstrap_weights`.

    Returns:
        dice, jaccard, precision, recall: float64 (1 + resamples,) in [0, 1]; NaN where a draw holds
        no radiograph of any seed.
    """
    # In float64, which is exact up to 2^53 pixels, because NumPy multiplies integers slowly.
    sums = {key: np.asarray(value, np.float64) @ weights.T for key, value in counts.items()}
    present = sum(sums.values()) > 0
    values = scores(sums["tp"], sums["fp"], sums["fn"])
    with np.errstate(invalid="ignore"):
        return {k: (v * present).sum(axis=0) / present.sum(axis=0) for k, v in values.items()}


def percentiles(draws: np.ndarray, tail: float = TAIL) -> tuple[float, float]:
    """Return the bounds that leave out ``tail`` of the draws on each side; NaN of nothing."""
    if np.isnan(draws[1:]).all():
        return np.nan, np.nan
    low, high = np.nanquantile(draws[1:], (tail, 1 - tail))
    return float(low), float(high)


def estimate(name: str, draws: np.ndarray) -> dict[str, float]:
    """Return an estimate under its name, and its 95 % interval under name_low and name_high."""
    low, high = percentiles(draws)
    return {name: float(draws[0]), f"{name}_low": low, f"{name}_high": high}


def training_chance(values: np.ndarray, resamples: int, seeds: list[int]) -> np.ndarray:
    """Draw by how much a mean over seeds may miss that over all seeds there could be.

    Each draw is a mean of normal deviates with the seeds' own covariance, divided by its chi-square
    deviate: for one metric Student's t with ``seeds - 1`` degrees of freedom times the standard
    error of the mean, for several ones of the same seeds their joint law, so that the difference of
    two has its paired t.

    Args:
        values: float (seeds,), of two seeds or more.
        resamples: draws.
        seeds: of which ``values`` are; what has the same ones shares the draw.

    Returns:
        float64 (resamples,), around 0.
    """
    count, generator = len(values), np.random.default_rng([SEED, crc32(repr(seeds).encode()), 1])
    deviates = generator.standard_normal((resamples, count)) @ (values - np.mean(values))
    return deviates / np.sqrt(count * generator.chisquare(count - 1, resamples))


def too_narrow(images: int) -> str:
    """Say, where it is so, that percentile intervals over so few radiographs are too narrow."""
    if images >= FEW:
        return ""
    return f"With {images} test radiographs such intervals are too narrow; take them as a hint."


def signed_rank_test(differences: np.ndarray) -> float:
    """Return the two-sided p of paired differences, float (n,), being symmetric around zero.

    Zeros are dropped before ranking, as Wilcoxon (1945) did; p is 1 where all are zero. SciPy takes
    the exact distribution for up to 50 differences without ties (for up to 13 with them), else the
    normal approximation.
    """
    others = differences[differences != 0]
    return float(scipy.stats.wilcoxon(others).pvalue) if others.size else 1.0


def holm(p_values: np.ndarray) -> np.ndarray:
    """Correct p-values (m,) for being many, as Holm (1979) does: one false alarm at any level."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(order), 0, -1)
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(np.maximum.accumulate(factors * p_values[order]), 1)
    return corrected
