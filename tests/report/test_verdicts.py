import numpy as np
import pytest

from maskedteeth.report.expressions import Interval, read
from maskedteeth.report.verdicts import Margin, decide, of_draws


def judge(text, **margins):
    """Judge a statement on ssim("a") and others, given (margin, half of its 95 % interval)."""

    def known(part):
        name = []
        sign = part.margin(lambda metric, arguments: name.append(arguments[0]) or 1.0)
        value, half = margins[name[0]]

        def interval(tail):
            width = half * np.log(tail) / np.log(0.025)  # stricter is wider
            return Interval(sign * value - width, sign * value + width)

        return Margin(sign * value, interval)

    verdict, margin = decide(read(text).parts, known)
    return verdict, margin.value


BOTH, ONE = 'ssim("a") > 0 and ssim("b") > 0', 'ssim("a") > 0 or ssim("b") > 0'


@pytest.mark.parametrize(
    ("text", "a", "b", "expected"),
    [
        (BOTH, (3, 2), (5, 2), ("supported", 3)),
        (BOTH, (3, 2), (1, 2), ("inconclusive", 1)),
        (BOTH, (1, 0.1), (2, 5), ("inconclusive", 2)),  # what leaves it open, not what holds
        (BOTH, (3, 2), (-5, 2), ("refuted", -5)),
        (BOTH, (3, 2), (-2.1, 2), ("inconclusive", -2.1)),  # below, but not at the stricter level
        (BOTH, (-1, 0.1), (-2, 5), ("refuted", -1)),  # what refutes
        (ONE, (-3, 2), (5, 2), ("supported", 5)),
        (ONE, (-3, 2), (2.1, 2), ("inconclusive", 2.1)),
        (ONE, (-3, 2), (-5, 2), ("refuted", -3)),
        (f"not ({BOTH})", (3, 2), (5, 2), ("refuted", -3)),
        (f"not ({BOTH})", (3, 2), (-5, 2), ("supported", 5)),
        (f"({BOTH}) or ({BOTH})", (2.1, 2), (5, 2), ("inconclusive", 2.1)),
        (f"({BOTH}) or ({BOTH})", (3, 2), (5, 2), ("supported", 3)),
    ],
)
def test_a_verdict_is_of_the_parts_and_shows_the_one_that_decides(text, a, b, expected):
    assert judge(text, a=a, b=b) == expected


def test_parts_that_are_joined_alike_are_one_row_of_parts():
    text = 'ssim("a") > 0 and (all(ssim(n) > 0 for n in ("b", "c")) and 3 > 2 > 1)'
    assert len(read(text).parts.parts) == 5
    assert len(read(f"not ({text})").parts.parts) == 5
    assert len(read(f"({text}) or 1 > 0").parts.parts) == 2


@pytest.mark.parametrize("correlation", [0.0, 0.8])
@pytest.mark.parametrize("word", ["and", "or"])
def test_what_is_barely_so_is_seldom_called_the_opposite(word, correlation):
    """Six margins of 0 in 400 studies: both true and false, so each verdict errs for one reading.

    The percentiles of the least of six margins, or of the largest, err in most such studies.
    """
    generator = np.random.default_rng(0)
    statement = read(f" {word} ".join(f'ssim("{n}") > 0' for n in range(6))).parts
    verdicts, naive = [], 0
    for _ in range(400):
        shared, own = generator.normal(size=(801, 1)), generator.normal(size=(801, 6))
        values = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
        values[1:] += values[0]

        def known(part, values=values):
            return of_draws(part.margin(lambda _, of: values[:, int(of[0])]), True)

        verdicts.append(decide(statement, known)[0])
        joined = values[1:].min(axis=1) if word == "and" else values[1:].max(axis=1)
        low, high = np.quantile(joined, (0.025, 0.975))
        naive += low > 0 or high < 0
    assert verdicts.count("refuted") / 400 <= 0.04 and verdicts.count("supported") / 400 <= 0.04
    assert naive / 400 >= (0.6 if correlation == 0 else 0.08)
