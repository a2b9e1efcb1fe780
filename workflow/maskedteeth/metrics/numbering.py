"""Whether teeth are found, and under which numbers."""

import cv2
import numpy as np

from maskedteeth.data.teeth import TEETH, UNNUMBERED, refuse_unnumbered

#: A tooth is found if a predicted region has at least this IoU with it.
LEAST_IOU = 0.5
#: What is measured of a tooth.
COLUMNS = ("id", "tooth", "truth", "predicted", "both", "numbered_as", "found")


def measure(ids: list[str], prediction: np.ndarray, truth: np.ndarray) -> dict[str, list]:
    """Measure every tooth of every radiograph.

    A region is what hangs together of one predicted number, also over corners. Where the annotation
    has a tooth of unknown number, nothing that is predicted counts, neither for nor against.

    Args:
        ids: N radiographs.
        prediction: uint8 (N, H, W), 0 = background, 1 to 32 = a tooth in Universal numbers.
        truth: likewise, and 99 = a tooth of unknown number.

    Returns:
        A row for each tooth that a radiograph's annotation or prediction has: id; tooth, its
        number; truth, predicted and both, pixels that have the number in the annotation, in the
        prediction, and in both; numbered_as, the number of the region that covers most of the
        annotated tooth, 0 where none covers any of it; and found, 1 where the IoU of this region
        and the tooth is at least :data:`LEAST_IOU`.

    Raises:
        InputError: no radiograph has a tooth of known number.
    """
    refuse_unnumbered(truth, "test")
    rows: dict[str, list] = {key: [] for key in COLUMNS}
    for name, found, actual in zip(ids, prediction, truth, strict=True):
        for row in _teeth(np.where(actual == UNNUMBERED, 0, found).astype(np.uint8), actual):
            for key, value in {"id": name, **row}.items():
                rows[key].append(value)
    return rows


def _teeth(prediction: np.ndarray, truth: np.ndarray) -> list[dict[str, int]]:
    regions, numbers = _regions(prediction)
    sizes, rows = np.bincount(regions.ravel(), minlength=len(numbers)), []
    for tooth in TEETH:
        actual, found = truth == tooth, prediction == tooth
        if not (actual.any() or found.any()):
            continue
        covered = np.bincount(regions[actual], minlength=len(numbers))
        covered[0], size = 0, int(actual.sum())
        most = int(covered.argmax()) if covered.any() else 0
        union = size + int(sizes[most] - covered[most])
        rows.append(
            {
                "tooth": tooth,
                "truth": size,
                "predicted": int(found.sum()),
                "both": int((actual & found).sum()),
                "numbered_as": numbers[most],
                "found": int(bool(most) and covered[most] >= LEAST_IOU * union),
            }
        )
    return rows


def _regions(prediction: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Return the region of every pixel, (H, W), 0 where none is, and each region's number."""
    regions, numbers = np.zeros(prediction.shape, np.int32), [0]
    for number in np.unique(prediction[prediction > 0]):
        count, parts = cv2.connectedComponents((prediction == number).astype(np.uint8))
        regions += np.where(parts > 0, parts + len(numbers) - 1, 0)
        numbers += [int(number)] * (count - 1)
    return regions, numbers
