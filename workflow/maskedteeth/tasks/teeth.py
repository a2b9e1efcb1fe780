"""Task `teeth`: which pixels are tooth (the paper's)."""

import torch
from torch import Tensor

from maskedteeth.data.teeth import UNNUMBERED
from maskedteeth.training.losses import segmentation_loss

#: Of the paper.
loss = segmentation_loss


def target_of(labels: Tensor) -> Tensor:
    """Return bool (N, H, W), True = tooth, of labels, uint8 (N, H, W)."""
    return labels > 0


def probabilities(logits: Tensor) -> Tensor:
    """Return the probability of tooth, float (B, 1, H, W), of logits of that shape."""
    return torch.sigmoid(logits)


def read(probability: Tensor) -> tuple[Tensor, Tensor]:
    """Read what :func:`probabilities` returned.

    Returns:
        The probability of tooth, float (B, H, W); and which tooth it would be, uint8 (B, H, W):
        always one of unknown number.
    """
    tooth = probability.squeeze(1)
    return tooth, torch.full_like(tooth, UNNUMBERED, dtype=torch.uint8)
