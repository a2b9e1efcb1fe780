"""Were annotations with errors corrected (section 4.3)?"""

from typing import Any

import numpy as np

from maskedteeth.data.annotations import with_errors
from maskedteeth.data.teeth import UNNUMBERED
from maskedteeth.metrics.segmentation import scores
from maskedteeth.settings.sections import Run


def compare(
    run: Run, ids: list[str], prediction: np.ndarray, right: np.ndarray
) -> list[dict[str, Any]]:
    """Compare, on training radiographs, prediction and given annotation with the right one.

    Where teeth are numbered a pixel of a tooth is right if its number is; what is of a tooth of
    unknown number does not count.

    Args:
        run: with the errors that it was trained on.
        ids: N radiographs.
        prediction: uint8 (N, H, W), labels as in ``labels.npy``.
        right: likewise.

    Returns:
        Two tables of N rows, one after the other: of (prediction, or given: the annotation with its
        errors), id, the pixel counts and the four metrics.
    """
    given = with_errors(right, ids, run.annotations, run.seed)
    counted = np.ones(right.shape, bool)
    if run.task == "numbering":
        counted = right != UNNUMBERED
    else:
        prediction, given, right = prediction > 0, given > 0, right > 0
    tables = []
    for name, found in (("prediction", prediction), ("given", given)):
        same = found == right
        masks = {
            "tp": same & (right > 0),
            "fp": ~same & (found > 0),
            "fn": ~same & (right > 0),
            "tn": same & (right == 0),
        }
        counts = {key: (mask & counted).sum(axis=(1, 2)) for key, mask in masks.items()}
        measured = counts | scores(counts["tp"], counts["fp"], counts["fn"])
        tables.append({"of": name, "id": ids, **measured})
    return tables
