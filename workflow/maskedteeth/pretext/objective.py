"""What the pretext minimises (appendix A)."""

import torch
from torch import Tensor
from torch.nn import functional


def reconstruction_loss(logits: Tensor, xray: Tensor) -> Tensor:
    """Mean absolute error over the whole radiograph (eq. 1).

    Args:
        logits: float (B, 1, H, W), before the sigmoid.
        xray: float (B, 1, H, W) in [0, 1], unmasked.

    Returns:
        float scalar, computed in float32.
    """
    return functional.l1_loss(torch.sigmoid(logits.float()), xray)
