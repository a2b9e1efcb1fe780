"""What a network sees of a radiograph."""

import numpy as np
import torch
from torch import Tensor

from maskedteeth.pretext.guidance import sobel_magnitude


def to_unit(pixels: Tensor) -> Tensor:
    """Turn grey values, uint8 (B, H, W), into float32 (B, 1, H, W) in [0, 1]."""
    return pixels.unsqueeze(1).float().div_(255)


def network_input(names: tuple[str, ...], xray: Tensor, visible: Tensor | None = None) -> Tensor:
    """Stack the input channels of a network.

    Args:
        names: channels in order, of "xray" and "sobel".
        xray: float (B, 1, H, W) in [0, 1].
        visible: what is left of ``xray`` after masking; the Sobel channel is always taken from
            the unmasked radiograph (section 3.2).

    Returns:
        float (B, len(names), H, W) in [0, 1].
    """
    channels = {
        "xray": lambda: xray if visible is None else visible,
        "sobel": lambda: sobel_magnitude(xray),
    }
    return torch.cat([channels[name]() for name in names], dim=1)


def to_grey(values: Tensor) -> np.ndarray:
    """Turn float (B, 1, H, W) in [0, 1] into grey values, uint8 (B, H, W)."""
    return values.squeeze(1).mul(255).round().clamp(0, 255).byte().cpu().numpy()
