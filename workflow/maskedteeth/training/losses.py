"""Losses of the segmentation (appendix B)."""

import torch
from torch import Tensor
from torch.nn import functional


def dice_loss(probability: Tensor, target: Tensor) -> Tensor:
    """Dice loss (eq. 2), a radiograph at a time.

    Args:
        probability: float (B, 1, H, W) in [0, 1].
        target: float (B, 1, H, W), 0 or 1.

    Returns:
        float (B,) in [0, 1]. Where truth and prediction are both empty eq. 2 is 0/0; a
        smoothing of 1e-6 in both terms makes the loss 0 there and changes nothing elsewhere.
    """
    dims = (1, 2, 3)
    overlap = (probability * target).sum(dims)
    total = probability.sum(dims) + target.sum(dims)
    return 1 - (2 * overlap + 1e-6) / (total + 1e-6)


def segmentation_loss(
    logits: Tensor, target: Tensor, dice_weight: float, bce_weight: float
) -> Tensor:
    """Weighted sum of Dice loss and binary cross-entropy (eqs. 2-5), averaged over the batch.

    Args:
        logits: float (B, 1, H, W), before the sigmoid.
        target: float (B, 1, H, W), 0 or 1.
        dice_weight: alpha of eqs. 4 and 5.
        bce_weight: beta of eqs. 4 and 5.

    Returns:
        float scalar, computed in float32.
    """
    logits = logits.float()
    dice = dice_loss(torch.sigmoid(logits), target).mean()
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, target)
    return dice_weight * dice + bce_weight * cross_entropy
