"""What a pretext shows the network, and what it minimises (section 3.2, appendix A)."""

import torch
from torch import Tensor
from torch.nn import functional

from maskedteeth.models.inputs import network_input
from maskedteeth.settings.config import Pretext


def show(
    pretext: Pretext, xray: Tensor, hidden: Tensor, noise: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Add noise to radiographs, fill the masked pixels, and put the guidance beside them.

    Args:
        pretext: how much noise, what fills the mask, the input channels and the guidance.
        xray: float (B, 1, H, W) in [0, 1].
        hidden: bool (B, 1, H, W), True = masked.
        noise: where noise is drawn from, a radiograph after the other.

    Returns:
        The radiographs as the network sees them, float (B, 1, H, W) in [0, 1], and its input, float
        (B, C, H, W) in [0, 1].
    """
    visible = xray
    if pretext.denoise:
        shape, device = xray.shape[1:], noise.device
        drawn = torch.stack([torch.randn(shape, generator=noise, device=device) for _ in xray])
        visible = (xray + pretext.denoise * drawn.to(xray.device)).clamp(0, 1)
    visible = torch.where(hidden, pretext.mask.fill, visible)
    edges_of = xray if pretext.guidance == "unmasked" else visible
    return visible, network_input(pretext.model.inputs, edges_of, visible)


def reconstruction_loss(logits: Tensor, xray: Tensor, counted: Tensor | None = None) -> Tensor:
    """Mean absolute error over the whole radiograph (eq. 1), or over some of its pixels.

    Args:
        logits: float (B, 1, H, W), before the sigmoid.
        xray: float (B, 1, H, W) in [0, 1], unmasked.
        counted: bool (B, 1, H, W), the pixels whose error counts, at least one; None: all.

    Returns:
        float scalar, computed in float32.
    """
    generated = torch.sigmoid(logits.float())
    if counted is None:
        return functional.l1_loss(generated, xray)
    return ((generated - xray).abs() * counted).sum() / counted.sum()
