"""Verdicts on statements of several parts."""

import numpy as np
import pytest

from maskedteeth.report.quantities import Drawn, Printed, all_of, any_of, largest, mean
from maskedteeth.report.verdicts import decide


def number(value, half=0.0):
    """A number with half of its 95 % interval; stricter ones are wider."""
    ends = np.array([-half, half]) / np.log(0.025)
    return Printed(value=value, interval=lambda tail: value + ends * np.log(tail))


def both(a, b):
    return (a > 0) & (b > 0)


def one(a, b):
    return (a > 0) | (b > 0)


@pytest.mark.parametrize(
    ("statement", "a", "b", "expected"),
    [
        (both, (3, 2), (5, 2), ("supported", 3)),
        (both, (3, 2), (1, 2), ("inconclusive", 1)),
        (both, (1, 0.1), (2, 5), ("inconclusive", 2)),  # what leaves it open, not what holds
        (both, (3, 2), (-5, 2), ("refuted", -5)),
        (both, (3, 2), (-2.1, 2), ("inconclusive", -2.1)),  # below, but not at the stricter level
        (both, (-1, 0.1), (-2, 5), ("refuted", -1)),  # what refutes
        (one, (-3, 2), (5, 2), ("supported", 5)),
        (one, (-3, 2), (2.1, 2), ("inconclusive", 2.1)),
        (one, (-3, 2), (-5, 2), ("refuted", -3)),
        (lambda a, b: ~both(a, b), (3, 2), (5, 2), ("refuted", -3)),
        (lambda a, b: ~both(a, b), (3, 2), (-5, 2), ("supported", 5)),
        (lambda a, b: both(a, b) | both(a, b), (2.1, 2), (5, 2), ("inconclusive", 2.1)),
        (lambda a, b: both(a, b) | both(a, b), (3, 2), (5, 2), ("supported", 3)),
    ],
)
def test_a_verdict_is_of_the_parts_and_shows_the_one_that_decides(statement, a, b, expected):
    verdict, margin = decide(statement(number(*a), number(*b)))
    assert (verdict, margin.value) == expected


def test_parts_that_are_joined_alike_are_one_row_of_parts():
    a = number(1.0)
    statement = (a > 0) & (all_of(a > n for n in (1, 2)) & (a < 3) & any_of([a > 1]))
    assert len(statement.parts) == 5
    assert len((~statement).parts) == 5
    assert len((statement | (a > 0)).parts) == 2


def test_pythons_own_words_for_joining_are_refused():
    a = number(1.0)
    for join in (lambda: a > 0 and a > 1, lambda: not a > 0, lambda: 0 < a < 2, lambda: max(a, a)):
        with pytest.raises(TypeError, match="join comparisons with & and |"):
            join()


@pytest.mark.parametrize("seed", range(5))
def test_an_interval_holds_all_that_can_come_out(seed):
    generator = np.random.default_rng(seed)
    ends = [np.array([low, low + 0.3]) for low in generator.uniform(-1, 1, size=4)]

    def computed(numbers):
        a, b, c, d = numbers
        return 2 * largest([a - b, c]) - mean([b, c, d]) / -4 + (1 - d)

    interval = computed(
        [Printed(value=0.0, interval=lambda tail, pair=pair: pair) for pair in ends]
    ).interval(0.025)
    for _ in range(200):
        drawn = [generator.uniform(*pair) for pair in ends]
        exact = computed([Printed(value=v, interval=lambda tail: np.zeros(2)) for v in drawn])
        assert interval[0] - 1e-12 <= exact.value <= interval[1] + 1e-12


@pytest.mark.parametrize("correlation", [0.0, 0.8])
@pytest.mark.parametrize("join", [all_of, any_of])
def test_what_is_barely_so_is_seldom_called_the_opposite(join, correlation):
    """Six margins of 0 in 400 studies: both true and false, so each verdict errs for one reading.

    The percentiles of the least of six margins, or of the largest, err in most such studies.
    """
    generator = np.random.default_rng(0)
    verdicts, naive = [], 0
    for _ in range(400):
        shared, own = generator.normal(size=(801, 1)), generator.normal(size=(801, 6))
        values = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
        values[1:] += values[0]
        verdicts.append(decide(join(Drawn(draws=column) > 0 for column in values.T))[0])
        joined = values[1:].min(axis=1) if join is all_of else values[1:].max(axis=1)
        low, high = np.quantile(joined, (0.025, 0.975))
        naive += low > 0 or high < 0
    assert verdicts.count("refuted") / 400 <= 0.04 and verdicts.count("supported") / 400 <= 0.04
    assert naive / 400 >= (0.6 if correlation == 0 else 0.08)
