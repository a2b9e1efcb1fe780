"""Sobel guidance: edges of the unmasked radiograph [12], given to the network as a channel."""

import torch
from torch import Tensor
from torch.nn import functional


def sobel_magnitude(xray: Tensor) -> Tensor:
    """Magnitude of the 3 × 3 Sobel gradient, each radiograph scaled by its own maximum.

    Args:
        xray: float (B, 1, H, W) in [0, 1].

    Returns:
        float (B, 1, H, W) in [0, 1]; all 0 where a radiograph is flat. Borders are mirrored
        without repeating the edge, as OpenCV does by default.
    """
    x = functional.pad(xray, (1, 1, 1, 1), mode="reflect")
    # The filter is separable: differences along one axis, weights 1 2 1 along the other.
    across = x[..., 2:] - x[..., :-2]
    down = x[..., 2:, :] - x[..., :-2, :]
    gx = across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]
    gy = down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]
    magnitude = torch.sqrt(gx.square() + gy.square())
    largest = magnitude.amax(dim=(-2, -1), keepdim=True)
    return magnitude / torch.where(largest > 0, largest, 1)
