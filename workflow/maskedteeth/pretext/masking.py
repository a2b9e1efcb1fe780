"""Random Block Masking (section 3.2, appendix A)."""

import math

import torch
from torch import Tensor

from maskedteeth.config import Blocks


def block_size(blocks: Blocks, height: int, width: int) -> tuple[int, int]:
    """Return a block's height and width in pixels: the image's shape, scaled to the area."""
    side = math.sqrt(blocks.area)
    return max(1, round(height * side)), max(1, round(width * side))


def draw_masks(
    blocks: Blocks, count: int, height: int, width: int, generator: torch.Generator
) -> Tensor:
    """Draw which pixels are hidden, for a batch.

    Each radiograph gets between ``blocks.fewest`` and ``blocks.most`` blocks, every number
    equally likely, placed uniformly inside it and free to overlap. The paper's "15 % to 75 %"
    are what one and five disjoint blocks would cover; what 2 to 5 overlapping blocks really
    cover is 37.5 % on average.

    Args:
        blocks: how many and how large.
        count: radiographs in the batch.
        height: of a radiograph, in pixels.
        width: likewise.
        generator: on the CPU, so that a seed means the same blocks on every device.

    Returns:
        bool (count, 1, height, width) on the CPU, True = hidden.
    """
    block_height, block_width = block_size(blocks, height, width)
    shape = (count, blocks.most)
    numbers = torch.randint(blocks.fewest, blocks.most + 1, (count, 1), generator=generator)
    top = torch.randint(height - block_height + 1, shape, generator=generator)
    left = torch.randint(width - block_width + 1, shape, generator=generator)
    drawn = torch.arange(blocks.most) < numbers
    row, column = torch.arange(height), torch.arange(width)
    rows = (row >= top[..., None]) & (row < top[..., None] + block_height) & drawn[..., None]
    columns = (column >= left[..., None]) & (column < left[..., None] + block_width)
    hidden = torch.zeros(count, height, width, dtype=torch.bool)
    for k in range(blocks.most):
        hidden |= rows[:, k, :, None] & columns[:, k, None, :]
    return hidden.unsqueeze(1)


def hide(xray: Tensor, hidden: Tensor, blocks: Blocks) -> Tensor:
    """Return ``xray``, float (B, 1, H, W), with ``hidden`` pixels filled."""
    return torch.where(hidden, blocks.fill, xray)
