"""Where claims look their numbers up: in the paper, or in a study."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from maskedteeth.metrics.segmentation import METRICS, scores
from maskedteeth.report.chance import (
    bootstrap_weights,
    counts_by_seed,
    pooled_scores,
    resampled_means,
    training_chance,
)
from maskedteeth.report.consistency import ROUNDING, is_pooled
from maskedteeth.report.results import read_rows
from maskedteeth.report.verdicts import NOT_POOLED, ONE_SEED, Quantity, Unavailable
from maskedteeth.settings.sections import CLEAN, Noise

#: What is compared with the right annotations of training radiographs.
COMPARED = ("prediction", "given")

#: Spreads over seeds: standard deviation and range, over the first axis.
SPREADS = {
    "sd": lambda values: np.std(values, axis=0, ddof=1),
    "range": lambda v: np.ptp(v, axis=0),
}


class Evidence:
    """Numbers of the paper or of a study. What is missing is Unavailable.

    Subclasses have ``mean(metric, method, fraction)``, over seeds; ``spread(statistic, metric,
    method, fraction)`` of these seeds, "sd" or "range"; and ``pretext(metric, pretext)``.
    """

    #: "paper" or "ours".
    side: str

    def dice(self, method: str, fraction: float) -> Quantity:
        """Return the mean Dice of a method trained on a fraction."""
        return self.mean("dice", method, fraction)

    def jaccard(self, method: str, fraction: float) -> Quantity:
        """Return the mean Jaccard."""
        return self.mean("jaccard", method, fraction)

    def corrections(self, method: str) -> dict[tuple[str, float], Quantity]:
        """Return how much nearer to the right annotations predictions are than the given ones.

        Returns:
            By errors and fraction, for what is the method but for errors in the annotations: Dice
            of prediction and right annotation minus Dice of given and right one, on training
            radiographs. Nothing where there are no errors that are known.
        """
        return {}

    def untestable(self, *, paper: str, ours: str) -> Unavailable:
        """Return why none of these numbers decides a claim, for it to raise."""
        return Unavailable({"paper": paper, "ours": ours}[self.side])


class Paper(Evidence):
    """The paper's own numbers.

    A printed value stands for all that round to it. Where table 3 has the seeds of a method, its
    values in table 2 are means of these and stand for their t interval on top.

    Args:
        table2: CSV of the paper's table 2.
        table3: CSV of the paper's table 3.
    """

    side = "paper"

    def __init__(self, table2: Path, table3: Path):
        self.table2, self.table3 = read_rows(table2), read_rows(table3)

    def mean(self, metric: str, method: str, fraction: float) -> Quantity:
        """Return a value of table 2."""
        rows = self.table2[self.table2["method"] == method]
        if rows.empty:
            raise Unavailable(f"the paper has no method {method}")
        rows = rows[np.isclose(rows["fraction"], fraction)]
        if rows.empty:
            raise Unavailable(f"table 2 has no fraction {fraction:g} of {method}")
        row, seeds = rows.iloc[0], self._of_seeds(metric, method, fraction)

        def around(tail: float) -> np.ndarray:
            t = stats.t.isf(tail, len(seeds) - 1) * stats.sem(seeds) if len(seeds) else 0
            return (ROUNDING + t) * np.array([-1, 1])

        remark = "" if is_pooled(dict(row[list(METRICS)])) else NOT_POOLED
        return Quantity(np.full(2, float(row[metric])), around, remark)

    def spread(self, statistic: str, metric: str, method: str, fraction: float) -> Quantity:
        """Return a spread over the seeds of table 3."""
        seeds = self._of_seeds(metric, method, fraction)
        if not len(seeds):
            raise Unavailable(f"the paper gives no seeds of {method} at fraction {fraction:g}")
        # The deviation of a sum is at most the sum of the deviations, so a spread is off by that of
        # the rounding itself at most.
        count = len(seeds)
        off = ROUNDING * {"sd": np.sqrt(count / (count - 1)), "range": 2}[statistic]
        value = np.full(2, float(SPREADS[statistic](seeds)))
        return Quantity(value, lambda tail: off * np.array([-1, 1]))

    def pretext(self, metric: str, pretext: str) -> Quantity:
        """Refuse: the paper gives each of these numbers once, so nothing can confirm it."""
        raise Unavailable("the paper gives this number only in this sentence")

    def _of_seeds(self, metric: str, method: str, fraction: float) -> np.ndarray:
        """Return the seeds of table 3, (seeds,); (0,) where they are not of this method."""
        rows = self.table3[self.table3["method"] == method]
        return rows.loc[np.isclose(rows["fraction"], fraction), metric].to_numpy()


class Study(Evidence):
    """A study's numbers, with their bootstrap (paired: one draw serves all).

    Test radiographs are drawn with replacement, each with its counts in every run and every seed,
    so that a comparison of methods is one on the same radiographs; one that a run was not tested
    on (complement protocol) has no counts there. For chance in training, each draw of a mean over
    seeds is moved by a t deviate times its standard error over the seeds
    (:func:`maskedteeth.report.chance.training_chance`). All that has the same seeds shares the
    draw, because a seed gives all methods its training subset: a difference of two methods is moved
    by a paired t deviate. Nobody knows what another training would give where a method has one
    seed. A spread over seeds is of the seeds that there are, with the chance of radiographs alone.

    Args:
        runs: ``metrics.csv`` of all runs: method, fraction, seed, id, tp, fp, fn, tn.
        pretexts: ``metrics.csv`` of all pretexts: pretext, id, ssim, lpips, fsim, l1; may be empty.
        resamples: draws.
        corrected: ``corrections.csv`` of all methods that were trained on errors: as ``runs``, and
            ``of``: prediction or given; None without.
        noise: what these methods are.
    """

    side = "ours"

    def __init__(
        self,
        runs: pd.DataFrame,
        pretexts: pd.DataFrame,
        resamples: int,
        corrected: pd.DataFrame | None = None,
        noise: dict[str, Noise] | None = None,
    ):
        self.runs, self.pretexts, self.noise = runs, pretexts, noise or {}
        self.training: Study | None = None
        if corrected is not None:
            compared = corrected.assign(method=corrected["method"] + " " + corrected["of"])
            self.training = Study(compared, pretexts[:0], resamples)
        self.ids = sorted({*runs["id"], *pretexts["id"]})
        self.weights = bootstrap_weights(len(self.ids), resamples)
        self._counts, self.mean, self.spread = map(cache, (self._counts, self.mean, self.spread))

    def mean(self, metric: str, method: str, fraction: float) -> Quantity:
        """Return a mean over seeds, each pooled over its test radiographs."""
        seeds, counts = self._counts(method, fraction)
        draws = pooled_scores(counts, self.weights)[metric]
        if len(seeds) == 1:
            return Quantity(draws, remark=ONE_SEED)
        by_seed = scores(*(counts[key].sum(axis=1) for key in ("tp", "fp", "fn")))[metric]
        draws[1:] += training_chance(by_seed, len(draws) - 1, seeds)
        return Quantity(draws)

    def spread(self, statistic: str, metric: str, method: str, fraction: float) -> Quantity:
        """Return a spread over seeds, each pooled over its test radiographs."""
        seeds, counts = self._counts(method, fraction)
        if len(seeds) == 1:
            raise Unavailable(f"the study has one seed of {method} at fraction {fraction:g}")
        single = [{key: value[[s]] for key, value in counts.items()} for s in range(len(seeds))]
        values = np.stack([pooled_scores(seed, self.weights)[metric] for seed in single])
        return Quantity(SPREADS[statistic](values))

    def pretext(self, metric: str, pretext: str) -> Quantity:
        """Return a mean over radiographs of the pretext's one training."""
        rows = self.pretexts[self.pretexts["pretext"] == pretext]
        if rows.empty:
            raise Unavailable(f"the study has no pretext {pretext}")
        values = rows.set_index("id")[metric].reindex(self.ids).to_numpy(float)
        if np.isnan(values).all():
            raise Unavailable(f"{metric.upper()} of {pretext} was not measured")
        return Quantity(resampled_means(values, self.weights))

    def corrections(self, method: str) -> dict[tuple[str, float], Quantity]:
        """See :meth:`Evidence.corrections`."""
        found = {}
        for name, noise in self.noise.items():
            if noise.base == method and noise.errors != CLEAN and self.training:
                for fraction in sorted(set(self.runs.loc[self.runs["method"] == name, "fraction"])):
                    prediction, given = (
                        self.training.dice(f"{name} {of}", fraction) for of in COMPARED
                    )
                    found[noise.errors, fraction] = prediction - given
        return found

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
