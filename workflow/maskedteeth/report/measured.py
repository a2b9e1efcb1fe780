"""A study's numbers, with the chance of radiographs and of training."""

from functools import cache
from zlib import crc32

import numpy as np
import pandas as pd

from maskedteeth.metrics.segmentation import scores
from maskedteeth.report.quantities import ONE_SEED, Quantity, Results, Unavailable
from maskedteeth.report.statistics import (
    SEED,
    bootstrap_weights,
    counts_by_seed,
    pooled_scores,
    resampled_means,
    spread_draws,
    training_chance,
)

RADIOGRAPHS = "bootstrap over radiographs"


class Study(Results):
    """Looks numbers up in a study, with their bootstrap (paired: one draw serves all).

    Test radiographs are drawn with replacement, each with its counts in every run and every seed,
    so that a comparison of methods is one on the same radiographs; one that a run was not tested
    on (complement protocol) has no counts there. For chance in training, each draw of a mean over
    seeds is moved by a t deviate times its standard error over the seeds
    (:func:`maskedteeth.report.statistics.training_chance`). All that has the same seeds shares the
    draw, because a seed gives all methods its training subset: a difference of two methods is moved
    by a paired t deviate. A spread over seeds is drawn from its interval: a few seeds say little
    of it. Nobody knows what another training would give where a method has one seed.

    Args:
        runs: ``metrics.csv`` of all runs: method, fraction, seed, id, tp, fp, fn, tn.
        pretexts: ``metrics.csv`` of all pretexts: pretext, id, ssim, lpips, fsim, l1; may be empty.
        resamples: draws.
    """

    side = "ours"

    def __init__(self, runs: pd.DataFrame, pretexts: pd.DataFrame, resamples: int):
        self.runs, self.pretexts = runs, pretexts
        self.ids = sorted({*runs["id"], *pretexts["id"]})
        self.weights = bootstrap_weights(len(self.ids), resamples)
        self._counts, self.mean, self.spread = map(cache, (self._counts, self.mean, self.spread))

    def mean(self, metric: str, method: str, fraction: float) -> Quantity:
        """Return a mean over seeds, each pooled over its test radiographs."""
        seeds, counts = self._counts(method, fraction)
        draws = pooled_scores(counts, self.weights)[metric]
        if len(seeds) == 1:
            basis = (RADIOGRAPHS, f"one seed of {method} at fraction {fraction:g}")
            return Quantity(draws, basis=basis, remark=ONE_SEED)
        by_seed = scores(*(counts[key].sum(axis=1) for key in ("tp", "fp", "fn")))[metric]
        same = crc32(repr(seeds).encode())
        draws[1:] += training_chance(by_seed, len(draws) - 1, [SEED, same, 1])
        return Quantity(draws, basis=(RADIOGRAPHS, "t over seeds"))

    def spread(self, statistic: str, metric: str, method: str, fraction: float) -> Quantity:
        """Return a spread over seeds, each pooled over its test radiographs."""
        seeds, counts = self._counts(method, fraction)
        if len(seeds) == 1:
            raise Unavailable(f"the study has one seed of {method} at fraction {fraction:g}")
        single = [{key: value[[s]] for key, value in counts.items()} for s in range(len(seeds))]
        values = np.stack([pooled_scores(seed, self.weights)[metric] for seed in single])
        draws = np.std(values, axis=0, ddof=1) if statistic == "sd" else np.ptp(values, axis=0)
        # One draw for all metrics of these trainings, which rise and fall together.
        trainings = crc32(f"{method} {fraction:g}".encode())
        draws[1:] *= spread_draws(statistic, len(seeds), len(draws) - 1, [SEED, trainings])
        return Quantity(draws, basis=(RADIOGRAPHS, "spread over seeds"))

    def pretext(self, metric: str, pretext: str) -> Quantity:
        """Return a mean over radiographs of the pretext's one training."""
        rows = self.pretexts[self.pretexts["pretext"] == pretext]
        if rows.empty:
            raise Unavailable(f"the study has no pretext {pretext}")
        values = rows.set_index("id")[metric].reindex(self.ids).to_numpy(float)
        if np.isnan(values).all():
            raise Unavailable(f"{metric.upper()} of {pretext} was not measured")
        basis = (RADIOGRAPHS, "one training of the pretext")
        return Quantity(resampled_means(values, self.weights), basis=basis)

    def _counts(self, method: str, fraction: float) -> tuple[list[int], dict[str, np.ndarray]]:
        """Return the seeds, and tp, fp, fn, tn: float64 (seeds, images)."""
        runs = self.runs[self.runs["method"] == method]
        if runs.empty:
            raise Unavailable(f"the study has no method {method}")
        runs = runs[np.isclose(runs["fraction"], fraction)]
        if runs.empty:
            raise Unavailable(f"the study has no fraction {fraction:g} of {method}")
        counts = {
            key: frame.reindex(columns=self.ids, fill_value=0).to_numpy(float)
            for key, frame in counts_by_seed(runs).items()
        }
        return sorted(map(int, runs["seed"].unique())), counts
