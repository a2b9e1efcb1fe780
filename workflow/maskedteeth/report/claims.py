"""The paper's claims as statements over results, and whether these support them.

``config/claims.yaml`` holds the claims; each statement is written in the language of
:mod:`maskedteeth.report.expressions` and judged by :mod:`maskedteeth.report.verdicts`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
import yaml
from pydantic import Field, model_validator

from maskedteeth.errors import InputError
from maskedteeth.metrics.segmentation import COUNTS, scores
from maskedteeth.report.expressions import (
    PRETEXT,
    Comparison,
    Expression,
    Interval,
    Misread,
    read,
)
from maskedteeth.report.published import Published, Unavailable
from maskedteeth.report.statistics import (
    TAIL,
    bootstrap_weights,
    pooled_scores,
    spread_draws,
    training_chance,
)
from maskedteeth.report.verdicts import INCONCLUSIVE, NOT_TESTED, Margin, decide, of_draws
from maskedteeth.settings.config import Name, Strict
from maskedteeth.settings.validation import validate

#: Draws of the bootstrap where none are asked for, and its seed.
RESAMPLES, SEED = 2000, 0


class Untestable(Strict):
    """Why no number can decide a claim."""

    paper: str = Field(min_length=1, description="Why none of the paper's.")
    ours: str = Field(min_length=1, description="Why none of a study's.")


class Claim(Strict):
    """An entry of ``config/claims.yaml``."""

    place: str = Field(min_length=1, description="Where the paper says so.")
    claim: str = Field(min_length=1, description="What it says, shortly.")
    statement: str | None = Field(None, description="The claim over results.")
    untestable: Untestable | None = Field(None, description="Instead: why no number decides it.")
    note: str | None = Field(None, description="How it is read, where that is a choice.")
    only_here: bool = Field(
        False, description="The paper's number stands in this sentence alone, and cannot judge it."
    )

    @model_validator(mode="after")
    def _readable(self) -> "Claim":
        if (self.statement is None) == (self.untestable is None):
            raise ValueError(
                "give either a statement, or as untestable the reasons why there is none"
            )
        try:
            if self.statement is not None and not read(self.statement).is_statement:
                raise Misread(f"{self.statement!r} is a number; compare it with something")
        except Misread as error:
            raise ValueError(f"statement: {error}") from None
        return self

    @property
    def expression(self) -> Expression:
        """The statement, read."""
        return read(self.statement or "")


class Claims(Strict):
    """``config/claims.yaml``."""

    claims: dict[Name, Claim] = Field(min_length=1)


def read_claims(file: Path) -> dict[str, Claim]:
    """Read the claims.

    Raises:
        InputError: the file is missing or no YAML, or an entry is wrong; the sentence names file
            and entry.
    """
    try:
        content = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{file} does not exist; restore it, it came with the project.") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{file} is no valid YAML: {error}") from None
    try:
        return validate(content, Claims).claims
    except InputError as error:
        raise InputError("\n".join(f"{file}: {line}" for line in str(error).splitlines())) from None


@dataclass(frozen=True)
class Verdict:
    """What results say of a claim.

    Attributes:
        verdict: one of :data:`maskedteeth.report.verdicts.VERDICTS`.
        margin: by how much the statement holds (negative: fails), of several parts that which
            decides; NaN when not tested.
        low: lower end of the margin's 95 % interval.
        high: upper end.
        basis: what the interval is made of; when not tested, why.
        remark: what a reader must know of it, in two or three words.
    """

    verdict: str
    margin: float
    low: float
    high: float
    basis: str
    remark: str = ""


#: Remarks: a row that the audit judges averaged or impossible; an interval without training's part.
NOT_POOLED, ONE_SEED = "not pooled", "one seed"


def _not_tested(reason: str) -> Verdict:
    return Verdict(NOT_TESTED, np.nan, np.nan, np.nan, reason)


def _decided(verdict: str, margin: Margin, basis: str, remark: str) -> Verdict:
    interval = margin.interval(TAIL)
    return Verdict(verdict, margin.value, interval.low, interval.high, basis, remark)


def of_published(claim: Claim, published: Published) -> Verdict:
    """Judge a claim by the paper's own numbers.

    A margin's interval holds all that the numbers' intervals allow, so it is never too narrow
    for them: for rounding, and for the chance of seeds where table 3 has them.
    """
    bases: dict[str, None] = {"rounding": None}
    pooled = True

    def known(part: Comparison) -> Margin:
        nonlocal pooled

        def printed(name: str, arguments: tuple[Any, ...]) -> float:
            nonlocal pooled
            value = published.printed(name, arguments)
            bases[published.chance(name, arguments)] = None
            pooled = pooled and published.is_pooled(name, arguments)
            return value

        def interval(tail: float) -> Interval:
            return Interval.of(part.margin(lambda *value: published.uncertain(*value, tail)))

        return Margin(float(part.margin(printed)), interval)

    if claim.untestable:
        return _not_tested(claim.untestable.paper)
    if claim.only_here:
        return _not_tested("the paper's number stands in this sentence alone")
    try:
        found = decide(claim.expression.parts, known)
    except Unavailable as error:
        return _not_tested(str(error))
    except ZeroDivisionError:
        return _not_tested("the statement divides by zero")
    return _decided(*found, ", ".join(filter(None, bases)), "" if pooled else NOT_POOLED)


class Measured:
    """Looks up a study's values with their bootstrap (paired: one draw serves all).

    Test radiographs are drawn with replacement, each with its counts in every run and every seed,
    so that a comparison of methods is one on the same radiographs; one that a run was not tested
    on (complement protocol) has no counts there. For chance in training, each draw of a mean over
    seeds is moved by a t deviate times its standard error over the seeds
    (:func:`maskedteeth.report.statistics.training_chance`). All that has the same seeds shares the
    draw, because a seed gives all methods its training subset: a difference of two methods is moved
    by a paired t deviate. A spread over seeds is drawn from its interval: a few seeds say little
    of it.

    Args:
        runs: rows as :func:`maskedteeth.report.results.read_metrics` returns them.
        pretexts: name → its ``metrics.csv`` as a frame.
        resamples: draws.
    """

    def __init__(
        self, runs: pd.DataFrame, pretexts: dict[str, pd.DataFrame], resamples: int = RESAMPLES
    ):
        self.runs, self.pretexts = runs, pretexts
        frames = [runs, *pretexts.values()]
        self.ids = sorted({name for frame in frames for name in frame["id"]})
        drawn = bootstrap_weights(len(self.ids), resamples, SEED)
        #: (1 + resamples, images): every radiograph once, which gives the estimates, then the draws
        self.weights = np.vstack([np.ones_like(drawn[:1]), drawn])
        self._known: dict[tuple[str, tuple[Any, ...]], np.ndarray] = {}

    def lookup(self, name: str, arguments: tuple[Any, ...]) -> np.ndarray:
        """Return float64 (1 + resamples,): the estimate and the draws; NaN without radiographs.

        Raises:
            Unavailable: the study does not have it.
        """
        key = (name, arguments)
        if key not in self._known:
            compute = self._of_pretext if name in PRETEXT else self._of_runs
            self._known[key] = compute(name, *arguments)
        return self._known[key]

    def seeds(self, method: str, fraction: float) -> int:
        """Return how many seeds a method has at a fraction."""
        return self._runs_of(method, fraction)["seed"].nunique()

    def _runs_of(self, method: str, fraction: float) -> pd.DataFrame:
        runs = self.runs[self.runs["method"] == method]
        if runs.empty:
            raise Unavailable(f"the study has no method {method}")
        runs = runs[np.isclose(runs["fraction"], fraction)]
        if runs.empty:
            raise Unavailable(f"the study has no fraction {fraction:g} of {method}")
        return runs

    def _of_pretext(self, metric: str, pretext: str) -> np.ndarray:
        if pretext not in self.pretexts:
            raise Unavailable(f"the study has no pretext {pretext}")
        values = self.pretexts[pretext].set_index("id")[metric].reindex(self.ids).to_numpy(float)
        present = ~np.isnan(values)
        if not present.any():
            raise Unavailable(f"{metric.upper()} of {pretext} was not measured")
        drawn = self.weights @ present
        total = self.weights @ np.where(present, values, 0)
        return np.divide(total, drawn, out=np.full(len(drawn), np.nan), where=drawn > 0)

    def _of_runs(self, name: str, method: str, fraction: float) -> np.ndarray:
        metric, _, statistic = name.partition("_")
        runs = self._runs_of(method, fraction)
        counts = {
            key: runs.pivot(index="seed", columns="id", values=key)
            .reindex(columns=self.ids)
            .fillna(0)
            .to_numpy()
            for key in COUNTS
        }
        seeds = len(counts["tp"])
        if not statistic:
            values = self._pooled(counts)[metric]
            if seeds > 1:
                by_seed = scores(*(counts[key].sum(axis=1) for key in ("tp", "fp", "fn")))
                same = crc32(repr(sorted(set(runs["seed"]))).encode())
                values[1:] += training_chance(by_seed[metric], len(values) - 1, [SEED, same, 1])
            return values
        if seeds < 2:
            raise Unavailable(f"the study has one seed of {method} at fraction {fraction:g}")
        single = [{key: value[[s]] for key, value in counts.items()} for s in range(seeds)]
        values = np.stack([self._pooled(seed)[metric] for seed in single])
        spread = np.std(values, axis=0, ddof=1) if statistic == "sd" else np.ptp(values, axis=0)
        # One draw for all metrics of these trainings, which rise and fall together.
        trainings = crc32(f"{method} {fraction:g}".encode())
        spread[1:] *= spread_draws(statistic, seeds, len(spread) - 1, [SEED, trainings])
        return spread

    def _pooled(self, counts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return :func:`pooled_scores`, NaN where a draw holds no radiograph of these runs."""
        tested = sum(counts.values()).sum(axis=0) > 0
        some = self.weights @ tested > 0
        scored = pooled_scores(counts, self.weights[some])
        result = {}
        for metric, values in scored.items():
            result[metric] = np.full(len(some), np.nan)
            result[metric][some] = values
        return result


def of_study(claim: Claim, measured: Measured) -> Verdict:
    """Judge a claim by a study's results: percentile intervals of the parts' margins over draws.

    Nobody knows what another training would give where a method has one seed, so no part that
    speaks of it decides.
    """
    if claim.untestable:
        return _not_tested(claim.untestable.ours)
    bases: dict[str, None] = {"bootstrap over radiographs": None}
    single = False

    def known(part: Comparison) -> Margin:
        nonlocal single
        trained_again = True

        def lookup(name: str, arguments: tuple[Any, ...]) -> np.ndarray:
            nonlocal trained_again
            values = measured.lookup(name, arguments)
            if name in PRETEXT:
                bases["one training of the pretext"] = None
            elif "_" in name:
                bases["spread over seeds"] = None
            elif measured.seeds(*arguments) > 1:
                bases["t over seeds"] = None
            else:
                bases["one seed of {} at fraction {:g}".format(*arguments)] = None
                trained_again = False
            return values

        with np.errstate(divide="ignore", invalid="ignore"):
            margins = np.atleast_1d(part.margin(lookup))
        if len(margins) == 1:  # of numbers alone
            margins = np.repeat(margins, 2)
        draws = margins[1:][np.isfinite(margins[1:])]
        if not np.isfinite(margins[0]) or not len(draws):
            raise ZeroDivisionError
        single = single or not trained_again
        return of_draws(np.concatenate([margins[:1], draws]), trained_again)

    try:
        verdict, margin = decide(claim.expression.parts, known)
    except Unavailable as error:
        return _not_tested(str(error))
    except ZeroDivisionError:
        return _not_tested("the statement divides by zero")
    remark = ONE_SEED if single and verdict == INCONCLUSIVE else ""
    return _decided(verdict, margin, ", ".join(bases), remark)
