"""Verdicts on claims of several comparisons."""

import numpy as np
import pytest

from maskedteeth.report.verdicts import Quantity, judge


def number(value, half=0.0):
    """A number with half of its 95 % interval; stricter ones are wider."""
    ends = np.array([-half, half]) / np.log(0.025)
    return Quantity(np.full(2, float(value)), around=lambda tail: ends * np.log(tail))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((3, 2), (5, 2), ("supported", 3)),
        ((3, 2), (1, 2), ("inconclusive", 1)),
        ((1, 0.1), (2, 5), ("inconclusive", 2)),  # what leaves it open, not what holds
        ((3, 2), (-5, 2), ("refuted", -5)),
        ((3, 2), (-2.1, 2), ("inconclusive", -2.1)),  # below, but not at the stricter level
        ((-1, 0.1), (-2, 5), ("refuted", -1)),  # what refutes
    ],
)
def test_a_verdict_is_of_all_comparisons_and_shows_the_one_that_decides(a, b, expected):
    found = judge(lambda _: [number(*a), number(*b)], None)
    assert (found.verdict, found.margin) == expected


@pytest.mark.filterwarnings("ignore:All-NaN")
def test_what_could_not_be_measured_shows_nothing():
    for margins in ([np.nan], [1, np.nan], [np.nan, 1]):
        found = judge(lambda _, margins=margins: [number(m) for m in margins], None)
        assert found.verdict == "inconclusive" and np.isnan([found.margin, found.low]).all()


def test_a_comparison_is_no_margin():
    """A claim that says `>` ends, instead of being judged by a bool."""
    with pytest.raises(TypeError, match="'>' not supported"):
        judge(lambda _: [number(2.0) > number(1.0)], None)


@pytest.mark.parametrize("seed", range(5))
def test_an_interval_holds_all_that_can_come_out(seed):
    generator = np.random.default_rng(seed)
    lows, widths = generator.uniform(-1, 1, size=4), np.array([0.3, 0.1, 0.5, 0.2])

    def computed(numbers):
        a, b, c, d = numbers
        return 2 * (a - b) - sum([b, c, d]) * (4 / 3) + 1 - d

    of = [number(low + w / 2, w / 2) for low, w in zip(lows, widths, strict=True)]
    interval = computed(of).interval()
    for _ in range(200):
        exact = computed([number(v) for v in generator.uniform(lows, lows + widths)])
        assert interval[0] - 1e-12 <= exact.value <= interval[1] + 1e-12


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_what_is_barely_so_is_seldom_called_the_opposite(correlation):
    """Six margins of 0 in 400 studies: both true and false, so each verdict errs for one reading.

    The percentiles of the least of six margins err in most such studies.
    """
    generator = np.random.default_rng(0)
    verdicts, naive = [], 0
    for _ in range(400):
        shared, own = generator.normal(size=(801, 1)), generator.normal(size=(801, 6))
        values = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
        values[1:] += values[0]
        margins = [Quantity(column) for column in values.T]
        verdicts.append(judge(lambda _, margins=margins: margins, None).verdict)
        low, high = np.quantile(values[1:].min(axis=1), (0.025, 0.975))
        naive += low > 0 or high < 0
    assert verdicts.count("refuted") / 400 <= 0.04 and verdicts.count("supported") / 400 <= 0.04
    assert naive / 400 >= (0.6 if correlation == 0 else 0.08)
