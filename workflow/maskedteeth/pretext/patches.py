"""Patches of a radiograph, without torch, so that settings can be checked by them at once."""

from maskedteeth.settings.config import Mask


def count_patches(mask: Mask, height: int, width: int) -> tuple[int, int, int]:
    """Return rows and columns of a radiograph's patches, and how many of them are masked.

    Of those that are seen one by one in squares of 2 x 2, how many of these.
    """
    rows, columns = -(-height // mask.size), -(-width // mask.size)
    drawn = rows * columns // (4 if mask.kind == "uniform" else 1)
    return rows, columns, round(mask.ratio * drawn)
