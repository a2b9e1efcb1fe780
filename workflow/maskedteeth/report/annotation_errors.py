"""How well the ranking of candidates finds annotation errors that are known (section 4.3).

Only a phantom knows its errors. Two rankings are measured, one of radiographs by their best region
and one of all regions (:mod:`maskedteeth.report.candidates`). A radiograph shows the errors in its
annotation, a region those that hold at least half of its bounding box. An item that shows an error
is a hit. Precision at k is the share of hits among the first k; recall at k is the share of the
test set's errors that the first k show. A random order of the same items gives the expected values
and, by the hypergeometric distribution of hits, the exact p-value of at least as many hits.
"""

import json
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


def read_errors(raw: Path, index: Path, height: int, width: int) -> pd.DataFrame:
    """Read the injected errors of a phantom.

    Args:
        raw: folder of the phantom, with ``injected_errors.json``: by radiograph, entries with a
            ``bbox`` of left, top, right and bottom in pixels of the file.
        index: ``index.csv``.
        height: of the arrays, in pixels, to which boxes are scaled.
        width: likewise.

    Returns:
        A row an error: id, left, top, right, bottom.
    """
    known = json.loads((raw / "injected_errors.json").read_text(encoding="utf-8"))
    rows = []
    for row in read_rows(index).itertuples():
        across, down = width / row.width, height / row.height
        for x0, y0, x1, y1 in (entry["bbox"] for entry in known[row.id]):
            rows.append((row.id, x0 * across, y0 * down, (x1 + 1) * across, (y1 + 1) * down))
    return pd.DataFrame(rows, columns=["id", "left", "top", "right", "bottom"])


def shown_by_radiographs(ids: list[str], errors: pd.DataFrame) -> np.ndarray:
    """Tell which radiograph shows which error, bool (radiographs, errors)."""
    return np.array(ids, dtype=object)[:, None] == errors["id"].to_numpy(object)


def shown_by_regions(regions: list[Candidate], errors: pd.DataFrame) -> np.ndarray:
    """Tell which region shows which error, bool (regions, errors)."""
    boxes = np.array([region.box for region in regions], float).reshape(-1, 4)
    left, top, width, height = (side[:, None] for side in boxes.T)
    left_, top_, right_, bottom_ = (
        errors[c].to_numpy() for c in ("left", "top", "right", "bottom")
    )
    across = np.minimum(left + width, right_) - np.maximum(left, left_)
    down = np.minimum(top + height, bottom_) - np.maximum(top, top_)
    inside = across.clip(min=0) * down.clip(min=0) >= OVERLAP * width * height
    return inside & shown_by_radiographs([region.id for region in regions], errors)


def measure(shows: np.ndarray, ranked: int) -> pd.DataFrame:
    """Measure a ranking at several depths.

    Args:
        shows: which item shows which error, bool (items, errors), the best first.
        ranked: how many items are ranked; the others come after them in no order.

    Returns:
        A row a depth: items, items_with_error, errors (how many there are), k, hits, precision,
        precision_random, recall, recall_random, p; empty when nothing is ranked. Recall is NaN
        without errors.
    """
    count, errors = shows.shape
    wrong = int(shows.any(1).sum())
    rows = []
    for k in sorted({depth for depth in (*DEPTHS, ranked) if 0 < depth <= ranked}):
        hits = int(shows[:k].any(1).sum())
        at_random = 1 - stats.hypergeom.pmf(0, count, shows.sum(0), k)
        rows.append(
            {
                **{"items": count, "items_with_error": wrong, "errors": errors},
                **{"k": k, "hits": hits, "precision": hits / k, "precision_random": wrong / count},
                "recall": shows[:k].any(0).mean() if errors else np.nan,
                "recall_random": at_random.mean() if errors else np.nan,
                "p": float(stats.hypergeom.sf(hits - 1, count, wrong, k)),
            }
        )
    return pd.DataFrame(rows)
