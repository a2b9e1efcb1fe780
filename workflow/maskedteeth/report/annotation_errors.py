"""How well the ranking of candidates finds annotation errors that are known (section 4.3).

Only a phantom knows its errors. Two rankings are measured, one of radiographs by their best region
and one of all regions (:mod:`maskedteeth.report.candidates`). A radiograph is a hit when its
annotation holds an injected error, a region when at least half of its bounding box lies in the
error's. Precision at k is the share of hits among the first k; recall at k is the share of the
test set's errors that the first k show. A random ranking of the same items, without replacement,
gives the expected values and, by the hypergeometric distribution of hits, the exact p-value of at
least as many hits.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from maskedteeth.report.candidates import Candidate
from maskedteeth.report.results import read_rows

#: Depths of the rankings, as far as they reach; the last row of each is its whole length.
DEPTHS = (1, 2, 3, 5, 10, 20, 50)

#: Least share of a region's bounding box that lies in an error's for a hit.
OVERLAP = 0.5

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels of the arrays


@dataclass(frozen=True)
class Ranking:
    """Ranked items, and the errors that each of them shows.

    Attributes:
        shows: for each ranked item, best first, the numbers of the errors that it shows.
        unranked: likewise for the items that come after these in no order.
        errors: how many there are to find, shown by an item or not.
    """

    shows: list[set[int]]
    unranked: list[set[int]]
    errors: int

    @property
    def items(self) -> list[set[int]]:
        """All items: what a random ranking draws from."""
        return self.shows + self.unranked

    @property
    def hits(self) -> int:
        """Return how many of all items show an error."""
        return sum(map(bool, self.items))


def read_errors(raw: Path, index: Path, height: int, width: int) -> dict[str, list[Box]]:
    """Read the injected errors of a phantom.

    Args:
        raw: folder of the phantom, with ``injected_errors.json``: by radiograph, entries with a
            ``bbox`` of left, top, right and bottom in pixels of the file.
        index: ``index.csv``.
        height: of the arrays, in pixels, to which boxes are scaled.
        width: likewise.

    Returns:
        Boxes by radiograph, a list for each, mostly empty.
    """
    known = json.loads((raw / "injected_errors.json").read_text(encoding="utf-8"))
    errors = {}
    for row in read_rows(index).itertuples():
        across, down = width / row.width, height / row.height
        boxes = [entry["bbox"] for entry in known[row.id]]
        errors[row.id] = [
            (x0 * across, y0 * down, (x1 + 1) * across, (y1 + 1) * down) for x0, y0, x1, y1 in boxes
        ]
    return errors


def of_radiographs(
    ranked: list[Candidate], ids: list[str], errors: dict[str, list[Box]]
) -> Ranking:
    """Rank the test radiographs ``ids``; ``ranked`` holds those that have a candidate."""
    number = _numbers(ids, errors)
    names = [candidate.id for candidate in ranked]
    return Ranking(
        shows=[set(number[name]) for name in names],
        unranked=[set(number[name]) for name in ids if name not in names],
        errors=sum(map(len, number.values())),
    )


def of_regions(ranked: list[Candidate], ids: list[str], errors: dict[str, list[Box]]) -> Ranking:
    """Rank all regions on the test radiographs ``ids``."""
    number = _numbers(ids, errors)
    shows = [
        {
            n
            for n, box in zip(number[region.id], errors[region.id], strict=True)
            if _share_inside(region.box, box) >= OVERLAP
        }
        for region in ranked
    ]
    return Ranking(shows, [], sum(map(len, number.values())))


def measure(ranking: Ranking) -> pd.DataFrame:
    """Measure a ranking at several depths.

    Returns:
        A row a depth: k, hits, precision, precision_random, recall, recall_random, p; empty when
        nothing is ranked. Recall is NaN without errors.
    """
    ends = sorted({k for k in (*DEPTHS, len(ranking.shows)) if 0 < k <= len(ranking.shows)})
    shown_by = np.zeros(ranking.errors, int)  # items, by error
    for errors in ranking.items:
        shown_by[list(errors)] += 1
    count = len(ranking.items)
    rows = []
    for k in ends:
        hits = sum(map(bool, ranking.shows[:k]))
        found = len(set().union(*ranking.shows[:k]))
        at_random = 1 - stats.hypergeom.pmf(0, count, shown_by, k)
        rows.append(
            {
                "k": k,
                "hits": hits,
                "precision": hits / k,
                "precision_random": ranking.hits / count,
                "recall": found / ranking.errors if ranking.errors else np.nan,
                "recall_random": at_random.mean() if ranking.errors else np.nan,
                "p": float(stats.hypergeom.sf(hits - 1, count, ranking.hits, k)),
            }
        )
    return pd.DataFrame(rows)


def _numbers(ids: list[str], errors: dict[str, list[Box]]) -> dict[str, list[int]]:
    """Number the errors of the radiographs ``ids``, beginning with 0."""
    numbers, count = {}, 0
    for name in ids:
        numbers[name] = list(range(count, count + len(errors[name])))
        count += len(errors[name])
    return numbers


def _share_inside(region: tuple[int, int, int, int], box: Box) -> float:
    left, top, width, height = region
    across = max(0.0, min(left + width, box[2]) - max(left, box[0]))
    down = max(0.0, min(top + height, box[3]) - max(top, box[1]))
    return across * down / (width * height)
