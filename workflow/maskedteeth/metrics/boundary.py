"""How far a predicted outline runs from the annotated one, in pixels of the evaluated size.

The definitions are MONAI's, and tests compare with it; the distances are OpenCV's, because MONAI
takes seconds to import and five times as long for a radiograph.
"""

import math

import cv2
import numpy as np

METRICS = ("nsd", "hd95")

CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def boundary_scores(
    prediction: np.ndarray, truth: np.ndarray, tolerance: float
) -> dict[str, np.ndarray]:
    """Measure outlines, a radiograph at a time.

    An outline is all tooth pixels with one that is no tooth, or the radiograph's edge, to the
    left, right, above or below. From each pixel of either outline the distance to the nearest
    pixel of the other one is taken.

    nsd, the normalised surface distance (Nikolov et al. 2021, doi 10.2196/26151): share of all
    these pixels, of both outlines together, whose distance is at most ``tolerance``. hd95: the
    95th percentile of the distances, the larger one of the two directions.

    Where neither prediction nor truth has a tooth, nsd is 1 and hd95 is 0. Where just one has
    none, nsd is 0 and hd95 is the radiograph's diagonal, sqrt(H² + W²), which is longer than any
    distance in it. So a missed prediction never improves a mean.

    Args:
        prediction: bool or 0/1 (N, H, W), 1 = tooth.
        truth: likewise.
        tolerance: pixels, at least 0.

    Returns:
        nsd: float64 (N,) in [0, 1]. hd95: float64 (N,) in [0, sqrt(H² + W²)], pixels.
    """
    pairs = zip(prediction.astype(np.uint8), truth.astype(np.uint8), strict=True)
    values = np.array([_scores(*pair, tolerance) for pair in pairs], np.float64).reshape(-1, 2)
    return {"nsd": values[:, 0], "hd95": values[:, 1]}


def _scores(prediction: np.ndarray, truth: np.ndarray, tolerance: float) -> tuple[float, float]:
    if not prediction.any() or not truth.any():
        missed = prediction.any() or truth.any()
        return (0.0, math.hypot(*truth.shape)) if missed else (1.0, 0.0)
    outlines = [_outline(mask) for mask in (prediction, truth)]
    there, back = (_distance_to(other)[one] for one, other in (outlines, outlines[::-1]))
    near = sum(np.count_nonzero(distances <= tolerance) for distances in (there, back))
    far = max(np.percentile(distances, 95) for distances in (there, back))
    return near / (there.size + back.size), float(far)


def _outline(mask: np.ndarray) -> np.ndarray:
    """Return the outline of a mask, uint8 0/1 (H, W), as bool (H, W)."""
    inside = cv2.erode(mask, CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return mask.astype(bool) & ~inside.astype(bool)


def _distance_to(outline: np.ndarray) -> np.ndarray:
    """Return every pixel's Euclidean distance to the nearest pixel of an outline, (H, W).

    A distance is the root of an integer. OpenCV rounds it to float32, and not always alike: its
    last bit was seen to differ between two processes.
    """
    elsewhere = (~outline).astype(np.uint8)
    rounded = cv2.distanceTransform(elsewhere, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.sqrt(np.rint(rounded.astype(np.float64) ** 2))
