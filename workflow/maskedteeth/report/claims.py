"""The paper's claims as statements over results, and whether these support them.

``config/claims.yaml`` holds the claims; each statement is written in the language of
:mod:`maskedteeth.report.expressions`. A verdict asks where the 95 % interval of the statement's
margin lies: above zero *supported*, below zero *refuted*, around it *inconclusive*.
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
from maskedteeth.metrics.segmentation import COUNTS
from maskedteeth.report.expressions import PRETEXT, Expression, Interval, Misread, read
from maskedteeth.report.published import Published, Unavailable
from maskedteeth.report.statistics import (
    bootstrap_weights,
    percentile_interval,
    pooled_scores,
    spread_draws,
)
from maskedteeth.settings.config import Name, Strict
from maskedteeth.settings.validation import validate

SUPPORTED, REFUTED, INCONCLUSIVE, NOT_TESTED = VERDICTS = (
    "supported",
    "refuted",
    "inconclusive",
    "not tested",
)
#: Draws of the bootstrap where none are asked for, and its seed.
RESAMPLES, SEED = 2000, 0


class Claim(Strict):
    """An entry of ``config/claims.yaml``."""

    place: str = Field(min_length=1, description="Where the paper says so.")
    claim: str = Field(min_length=1, description="What it says, shortly.")
    statement: str | None = Field(None, description="The claim over results.")
    untestable: str | None = Field(None, description="Instead: why no number can decide it.")
    note: str | None = Field(None, description="How it is read, where that is a choice.")
    only_here: bool = Field(
        False, description="The paper's number stands in this sentence alone, and cannot judge it."
    )

    @model_validator(mode="after")
    def _readable(self) -> "Claim":
        if (self.statement is None) == (self.untestable is None):
            raise ValueError(
                "give either a statement, or as untestable the reason why there is none"
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
        verdict: one of VERDICTS.
        margin: by how much the statement holds (negative: fails); NaN when not tested.
        low: lower end of the margin's 95 % interval.
        high: upper end.
        basis: what the interval is made of; when not tested, why.
    """

    verdict: str
    margin: float
    low: float
    high: float
    basis: str


def _not_tested(reason: str) -> Verdict:
    return Verdict(NOT_TESTED, np.nan, np.nan, np.nan, reason)


def _decided(margin: float, low: float, high: float, basis: str) -> Verdict:
    verdict = SUPPORTED if low > 0 else REFUTED if high < 0 else INCONCLUSIVE
    return Verdict(verdict, margin, float(low), float(high), basis)


def of_published(claim: Claim, published: Published) -> Verdict:
    """Judge a claim by the paper's own numbers.

    The margin's interval holds all that the numbers' intervals allow, so it is never too narrow
    for them: for rounding, and for the chance of seeds where table 3 has them.
    """
    bases = {"rounding": None}

    def uncertain(name: str, arguments: tuple[Any, ...]) -> Interval:
        bases[published.chance(name, arguments)] = None
        return published.uncertain(name, arguments)

    if claim.untestable:
        return _not_tested(claim.untestable)
    if claim.only_here:
        return _not_tested("the paper's number stands in this sentence alone")
    try:
        interval = Interval.of(claim.expression.value(uncertain))
        margin = float(claim.expression.value(published.printed))
    except Unavailable as error:
        return _not_tested(str(error))
    except ZeroDivisionError:
        return _not_tested("the statement divides by zero")
    return _decided(margin, interval.low, interval.high, " and ".join(filter(None, bases)))


class Measured:
    """Looks up a study's values with their bootstrap (paired: one draw serves all).

    Test radiographs are drawn with replacement, each with its counts in every run and every seed,
    so that a comparison of methods is one on the same radiographs; one that a run was not tested
    on (complement protocol) has no counts there. A spread over seeds is, on top, drawn from its
    interval: a few seeds say little of it.

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
        runs = self.runs[self.runs["method"] == method]
        if runs.empty:
            raise Unavailable(f"the study has no method {method}")
        runs = runs[np.isclose(runs["fraction"], fraction)]
        if runs.empty:
            raise Unavailable(f"the study has no fraction {fraction:g} of {method}")
        counts = {
            key: runs.pivot(index="seed", columns="id", values=key)
            .reindex(columns=self.ids)
            .fillna(0)
            .to_numpy()
            for key in COUNTS
        }
        if not statistic:
            return self._pooled(counts)[metric]
        seeds = len(counts["tp"])
        if seeds < 2:
            raise Unavailable(f"the study has one seed of {method} at fraction {fraction:g}")
        single = [{key: value[[s]] for key, value in counts.items()} for s in range(seeds)]
        values = np.stack([self._pooled(seed)[metric] for seed in single])
        spread = np.std(values, axis=0, ddof=1) if statistic == "sd" else np.ptp(values, axis=0)
        # One draw for all metrics of these trainings, which rise and fall together.
        stream = [SEED, crc32(f"{method} {fraction:g}".encode())]
        spread[1:] *= spread_draws(statistic, seeds, len(spread) - 1, stream)
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
    """Judge a claim by a study's results: percentile interval of the margin over the draws."""
    if claim.untestable:
        return _not_tested(claim.untestable)
    bases = {"bootstrap over radiographs": None}

    def lookup(name: str, arguments: tuple[Any, ...]) -> np.ndarray:
        if "_" in name:
            bases["spread over seeds"] = None
        return measured.lookup(name, arguments)

    try:
        with np.errstate(divide="ignore", invalid="ignore"):
            margins = np.atleast_1d(claim.expression.value(lookup))
    except Unavailable as error:
        return _not_tested(str(error))
    except ZeroDivisionError:
        margins = np.array([np.nan])
    draws = margins[1:] if len(margins) > 1 else margins
    draws = draws[np.isfinite(draws)]
    if not np.isfinite(margins[0]) or not len(draws):
        return _not_tested("the statement divides by zero")
    return _decided(float(margins[0]), *percentile_interval(draws), " and ".join(bases))
