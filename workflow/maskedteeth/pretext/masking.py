"""Random Block Masking (section 3.2, appendix A)."""

import math

import torch
from torch import Tensor

from maskedteeth.settings.config import Blocks


def block_size(blocks: Blocks, height: int, width: int) -> tuple[int, int]:
    """Return a block's height and width in pixels: the image's shape, scaled to the area."""
    side = math.sqrt(blocks.area)
    return max(1, round(height * side)), max(1, round(width * side))


def draw_corners(
    blocks: Blocks, count: int, height: int, width: int, generator: torch.Generator
) -> Tensor:
    """Draw where blocks lie, for many radiographs at once.

    Each radiograph gets between ``blocks.fewest`` and ``blocks.most`` blocks, every number
    equally likely, placed uniformly inside it and free to overlap. The paper's "15 % to 75 %"
    are what one and five disjoint blocks would cover; what 2 to 5 overlapping blocks really
    cover is 37.5 % on average.

    Args:
        blocks: how many and how large.
        count: radiographs.
        height: of a radiograph, in pixels.
        width: likewise.
        generator: on the CPU, so that a seed means the same blocks on every device.

    Returns:
        int32 (count, most, 2) on the CPU: row and column of each block's upper left pixel. Blocks
        that a radiograph does not get lie below it, in row ``height``.
    """
    block_height, block_width = block_size(blocks, height, width)
    shape = (count, blocks.most)
    numbers = torch.randint(blocks.fewest, blocks.most + 1, (count, 1), generator=generator)
    top = torch.randint(height - block_height + 1, shape, generator=generator)
    left = torch.randint(width - block_width + 1, shape, generator=generator)
    top[torch.arange(blocks.most) >= numbers] = height
    return torch.stack([top, left], dim=-1).int()


def hidden_pixels(blocks: Blocks, corners: Tensor, height: int, width: int) -> Tensor:
    """Tell which pixels lie in a block.

    Args:
        blocks: how large.
        corners: integers (B, most, 2), see :func:`draw_corners`.
        height: of a radiograph, in pixels.
        width: likewise.

    Returns:
        bool (B, 1, height, width) on the device of ``corners``, True = hidden.
    """
    block_height, block_width = block_size(blocks, height, width)
    top, left = corners.unsqueeze(-1).unbind(2)
    row = torch.arange(height, device=corners.device)
    column = torch.arange(width, device=corners.device)
    rows = (row >= top) & (row < top + block_height)
    columns = (column >= left) & (column < left + block_width)
    hidden = rows[:, 0, :, None] & columns[:, 0, None, :]
    for k in range(1, corners.shape[1]):
        hidden |= rows[:, k, :, None] & columns[:, k, None, :]
    return hidden.unsqueeze(1)


def draw_masks(
    blocks: Blocks, count: int, height: int, width: int, generator: torch.Generator
) -> Tensor:
    """Draw which pixels are hidden: :func:`draw_corners`, then :func:`hidden_pixels`."""
    corners = draw_corners(blocks, count, height, width, generator)
    return hidden_pixels(blocks, corners, height, width)


def hide(xray: Tensor, hidden: Tensor, blocks: Blocks) -> Tensor:
    """Return ``xray``, float (B, 1, H, W), with ``hidden`` pixels filled."""
    return torch.where(hidden, blocks.fill, xray)
