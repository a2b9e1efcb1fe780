"""Random Block Masking (section 3.2, appendix A), and the masks that it is compared with."""

import math

import torch
from torch import Tensor

from maskedteeth.pretext.patches import count_patches
from maskedteeth.settings.config import Mask


def block_size(mask: Mask, height: int, width: int) -> tuple[int, int]:
    """Return a block's height and width in pixels: the image's shape, scaled to the area."""
    side = math.sqrt(mask.area)
    return max(1, round(height * side)), max(1, round(width * side))


def draw_places(
    mask: Mask, count: int, height: int, width: int, generator: torch.Generator
) -> Tensor:
    """Draw where radiographs are masked, for many at once and in little memory.

    Of blocks, each radiograph gets between ``mask.fewest`` and ``mask.most``, every number equally
    likely, placed uniformly inside it and free to overlap. The paper's "15 % to 75 %" are what one
    and five disjoint blocks would cover; what 2 to 5 overlapping blocks really cover is 37.5 % on
    average. Of patches, each gets the same number, every choice of them equally likely. Of uniform
    ones, one of each 2 x 2 is seen, but for the same number of them, which are masked, too: uniform
    sampling with secondary masking (Li et al. 2022, arXiv:2205.10063).

    Args:
        mask: what kind, how many and how large.
        count: radiographs.
        height: of a radiograph, in pixels.
        width: likewise.
        generator: on the CPU, so that a seed means the same masks on every device.

    Returns:
        On the CPU. Of blocks, int32 (count, most, 2): row and column of each one's upper left
        pixel; those that a radiograph does not get lie below it, in row ``height``. Of patches,
        bool (count, rows, columns), True = masked; where nothing is masked, one False each.
    """
    if mask.kind == "blocks":
        return _draw_corners(mask, count, height, width, generator)
    # A thousand at a time: random numbers need more memory than what is made of them.
    parts = torch.arange(count).split(1000)
    if mask.kind == "uniform":
        return torch.cat([_draw_uniform(mask, len(p), height, width, generator) for p in parts])
    rows, columns, masked = 1, 1, 0
    if mask.kind == "patches":
        rows, columns, masked = count_patches(mask, height, width)
    noise = (torch.rand(len(part), rows * columns, generator=generator) for part in parts)
    places = torch.cat([part.argsort(dim=1, stable=True) < masked for part in noise])
    return places.view(count, rows, columns)


def hidden_pixels(mask: Mask, places: Tensor, height: int, width: int) -> Tensor:
    """Tell which pixels are masked.

    Args:
        mask: as for :func:`draw_places`.
        places: of B radiographs, what that function returned.
        height: of a radiograph, in pixels.
        width: likewise.

    Returns:
        bool (B, 1, height, width) on the device of ``places``, True = hidden.
    """
    if mask.kind == "none":
        return places.expand(-1, height, width).unsqueeze(1)
    row = torch.arange(height, device=places.device)
    column = torch.arange(width, device=places.device)
    if mask.kind in ("patches", "uniform"):
        return places[:, row // mask.size][:, :, column // mask.size].unsqueeze(1)
    block_height, block_width = block_size(mask, height, width)
    top, left = places.unsqueeze(-1).unbind(2)
    rows = (row >= top) & (row < top + block_height)
    columns = (column >= left) & (column < left + block_width)
    hidden = rows[:, 0, :, None] & columns[:, 0, None, :]
    for k in range(1, places.shape[1]):
        hidden |= rows[:, k, :, None] & columns[:, k, None, :]
    return hidden.unsqueeze(1)


def draw_masks(
    mask: Mask, count: int, height: int, width: int, generator: torch.Generator
) -> Tensor:
    """Draw which pixels are hidden: :func:`draw_places`, then :func:`hidden_pixels`."""
    places = draw_places(mask, count, height, width, generator)
    return hidden_pixels(mask, places, height, width)


def _draw_corners(
    mask: Mask, count: int, height: int, width: int, generator: torch.Generator
) -> Tensor:
    block_height, block_width = block_size(mask, height, width)
    shape = (count, mask.most)
    numbers = torch.randint(mask.fewest, mask.most + 1, (count, 1), generator=generator)
    top = torch.randint(height - block_height + 1, shape, generator=generator)
    left = torch.randint(width - block_width + 1, shape, generator=generator)
    top[torch.arange(mask.most) >= numbers] = height
    return torch.stack([top, left], dim=-1).int()


def _draw_uniform(
    mask: Mask, count: int, height: int, width: int, generator: torch.Generator
) -> Tensor:
    rows, columns, masked = count_patches(mask, height, width)
    squares = rows * columns // 4
    seen = torch.randint(4, (count, squares, 1), generator=generator)
    order = torch.rand(count, squares, generator=generator).argsort(dim=1, stable=True)
    hidden = (torch.arange(4) != seen) | (order < masked).unsqueeze(-1)
    in_squares = hidden.view(count, rows // 2, columns // 2, 2, 2)
    return in_squares.transpose(2, 3).reshape(count, rows, columns)
