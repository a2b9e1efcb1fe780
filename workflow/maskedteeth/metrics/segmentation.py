"""Dice, Jaccard, precision and recall (appendix C, eqs. 11-14), from one set of counts."""

import numpy as np

METRICS = ("dice", "jaccard", "precision", "recall")
COUNTS = ("tp", "fp", "fn", "tn")


def count(prediction: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    """Count pixels, a radiograph at a time.

    Args:
        prediction: bool or 0/1 (N, H, W), 1 = tooth.
        truth: likewise.

    Returns:
        tp, fp, fn, tn: int64 (N,).
    """
    predicted, actual = prediction.astype(bool), truth.astype(bool)
    axes = (1, 2)
    tp = (predicted & actual).sum(axes)
    fp = (predicted & ~actual).sum(axes)
    fn = (~predicted & actual).sum(axes)
    return {"tp": tp, "fp": fp, "fn": fn, "tn": predicted[0].size - tp - fp - fn}


def scores(tp, fp, fn) -> dict[str, np.ndarray]:
    """Turn counts into the four metrics; sum the counts before to pool them.

    Where truth and prediction are both empty all four are 1: the network was right. Where just
    the truth is empty precision, Dice and Jaccard are 0, and recall, which then says nothing,
    is 0 too; where just the prediction is empty all are 0. So an error never improves a mean.

    Args:
        tp: true positives, an integer or an array of them.
        fp: false positives, likewise.
        fn: false negatives, likewise.

    Returns:
        dice, jaccard, precision, recall: float64 in [0, 1], shaped like the counts.
    """
    tp, fp, fn = (np.asarray(value, dtype=np.float64) for value in (tp, fp, fn))
    right = (tp + fp + fn) == 0

    def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
        safe = np.where(denominator > 0, denominator, 1)
        return np.where(right, 1.0, np.where(denominator > 0, numerator / safe, 0.0))

    return {
        "dice": ratio(2 * tp, 2 * tp + fp + fn),
        "jaccard": ratio(tp, tp + fp + fn),
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
    }
