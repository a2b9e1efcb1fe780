"""Ten times the radiographs are ten times the work: counted, not timed (see benchmarks/load.py)."""

import sys
from collections import Counter

import numpy as np
import pytest

from maskedteeth.data.index import _duplicates
from maskedteeth.data.splits import draw_pretext_split, draw_split
from maskedteeth.settings.jobs import SplitJob, SplitPretextJob


def rows(count):
    return [
        {
            "id": str(n),
            "labelled": "1",
            "tooth_fraction": "0.2",
            "duplicate_group": str(n - n % 5 // 4),
        }
        for n in range(count)
    ]


def events(function, *arguments):
    """Number of lines of this package that a call runs."""
    seen = Counter()

    def trace(frame, event, _):
        if "maskedteeth" not in frame.f_code.co_filename:
            return None
        seen[event] += 1
        return trace

    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(None)
    return seen["line"] + seen["call"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda count: draw_pretext_split(rows(count), SplitPretextJob()),
        lambda count: draw_split(rows(count), SplitJob(fraction=0.8, seed=1)),
        lambda count: _duplicates(
            [str(n) for n in range(count)], [(n, 0, 0.0) for n in range(count)]
        ),
    ],
    ids=["pretext", "split", "duplicates"],
)
def test_work_grows_linearly(draw):
    few, many = (events(draw, count) for count in (200, 2000))
    assert few > 100 and many < 12 * few


def test_a_chain_of_near_copies_is_one_group():
    near = [(n, n + 1, 0.1) for n in range(1999)]
    assert len(set(_duplicates([str(n) for n in range(2000)], near))) == 1
    assert len(np.unique(_duplicates(["a", "b", "a", "c"], []))) == 3
