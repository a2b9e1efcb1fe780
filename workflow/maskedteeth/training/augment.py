"""Light augmentation of the segmentation training: turned, scaled, with another contrast.

In torch's own functions: torchvision changes all radiographs of a batch alike. Nothing is mirrored,
for a mirrored tooth has another number.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

#: The most that is turned (radians), scaled and changed in contrast, up and down.
LIMITS = (math.radians(5), 0.1, 0.2)


def draw_changes(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw what happens to radiographs.

    Args:
        shape: of their number.
        generator: on the CPU, so that a seed means the same changes on every device.

    Returns:
        float32 (*shape, 3) on the CPU, uniform within :data:`LIMITS` around 0: angle, clockwise,
        and the changes of scale and of contrast.
    """
    drawn = torch.rand(*shape, 3, generator=generator)
    return (2 * drawn - 1) * torch.tensor(LIMITS)


def augment(xray: Tensor, target: Tensor, changes: Tensor) -> tuple[Tensor, Tensor]:
    """Change radiographs, and their labels with them.

    Args:
        xray: float (B, 1, H, W) in [0, 1].
        target: float (B, 1, H, W), labels.
        changes: float (B, 3), see :func:`draw_changes`.

    Returns:
        Both, turned and scaled about the middle: the radiograph linearly, with its border
        continued outwards, and labels by the nearest, with 0 outwards. The contrast is of the
        radiograph about its mean, cut to [0, 1].
    """
    angle, scale, contrast = changes.unbind(1)
    height, width = xray.shape[-2:]
    # From a place of the result to one of the source, in halves of height and width.
    cos, sin, none = angle.cos() / (1 + scale), angle.sin() / (1 + scale), torch.zeros_like(angle)
    rows = [cos, sin * height / width, none], [-sin * width / height, cos, none]
    matrix = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)
    grid = functional.affine_grid(matrix, list(xray.shape), align_corners=False)
    xray = functional.grid_sample(xray, grid, padding_mode="border", align_corners=False)
    target = functional.grid_sample(target, grid, mode="nearest", align_corners=False)
    mean = xray.mean(dim=(1, 2, 3), keepdim=True)
    return (mean + (xray - mean) * (1 + contrast.view(-1, 1, 1, 1))).clamp(0, 1), target
