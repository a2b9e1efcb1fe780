"""Were annotations with errors corrected (section 4.3)?"""

from typing import Any

import numpy as np

from maskedteeth.data.annotations import with_errors
from maskedteeth.metrics.segmentation import count, scores
from maskedteeth.settings.sections import Run


def compare(
    run: Run, ids: list[str], prediction: np.ndarray, right: np.ndarray
) -> list[dict[str, Any]]:
    """Compare, on training radiographs, prediction and given annotation with the right one.

    Args:
        run: with the errors that it was trained on.
        ids: N radiographs.
        prediction: bool (N, H, W), True = tooth.
        right: uint8 (N, H, W), labels as in ``labels.npy``.

    Returns:
        Two tables of N rows, one after the other: of (prediction, or given: the annotation with its
        errors), id, the pixel counts and the four metrics.
    """
    given = with_errors(right, ids, run.annotations, run.seed) > 0
    tables = []
    for name, mask in (("prediction", prediction), ("given", given)):
        counts = count(mask, right > 0)
        measured = counts | scores(counts["tp"], counts["fp"], counts["fn"])
        tables.append({"of": name, "id": ids, **measured})
    return tables
