"""Fillers that learnt nothing: what a pretext should do better than."""

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

#: Pixels around a masked one that inpainting looks at; OpenCV's own example takes as many.
RADIUS = 3


def fill(visible: Tensor, hidden: Tensor) -> dict[str, Tensor]:
    """Fill masked pixels by every filler; none of them is told what is behind the masks.

    Args:
        visible: float (B, 1, H, W) in [0, 1]; what masked pixels hold matters to the unfilled
            alone.
        hidden: bool (B, 1, H, W), True = masked.

    Returns:
        A float32 (B, 1, H, W) in [0, 1] a filler, all equal to ``visible`` where nothing is
        masked. inpainting: :func:`inpaint`. image_mean: the mean of a radiograph's visible pixels.
        unfilled: ``visible`` itself. Where everything is masked they are all ``visible``.
    """
    seen = (~hidden).sum(dim=(1, 2, 3), keepdim=True)
    mean = torch.where(hidden, 0, visible).sum(dim=(1, 2, 3), keepdim=True) / seen
    return {
        "inpainting": torch.where(hidden & (seen > 0), inpaint(visible, hidden), visible),
        "image_mean": torch.where(hidden & (seen > 0), mean, visible),
        "unfilled": visible,
    }


def inpaint(visible: Tensor, hidden: Tensor) -> Tensor:
    """Continue lines of equal grey behind the masks, as a fluid would flow.

    Bertalmio, Bertozzi and Sapiro, Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting,
    2001, doi 10.1109/CVPR.2001.990497, as OpenCV has it, with radius :data:`RADIUS`, on grey
    values of eight bits.

    Args:
        visible: float (B, 1, H, W) in [0, 1].
        hidden: bool (B, 1, H, W), True = masked.

    Returns:
        float32 (B, 1, H, W) in [0, 1] on the device of ``visible``.
    """
    # Where a mask reaches the edge, OpenCV reads what is masked, unless there is more of it.
    frame = (1, 1, 1, 1)
    pixels = functional.pad(visible.mul(255).round(), frame).byte().squeeze(1).cpu().numpy()
    masks = functional.pad(hidden.byte(), frame, value=1).squeeze(1).cpu().numpy()
    filled = [
        cv2.inpaint(image, mask, RADIUS, cv2.INPAINT_NS)[1:-1, 1:-1]
        for image, mask in zip(pixels, masks, strict=True)
    ]
    return torch.from_numpy(np.stack(filled)).unsqueeze(1).to(visible.device).float() / 255
