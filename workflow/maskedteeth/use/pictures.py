"""Pictures for the eye: a mask over its radiograph, and the pretext at work."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from maskedteeth.files import replacing

#: Okabe and Ito's orange (colour universal design): seen by the colour-blind, on black and white.
COLOUR = (230, 159, 0)
TINT = 0.25
MARGIN = 4


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 (H, W) or RGB (H, W, 3), atomically."""
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")


def overlay(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Tint teeth and draw their outlines, a five-hundredth of the height wide.

    Args:
        pixels: uint8 (H, W).
        mask: uint8 (H, W), 1 = tooth.

    Returns:
        RGB, uint8 (H, W, 3); where no tooth or outline is, the radiograph.
    """
    picture = np.repeat(pixels[..., None], 3, axis=2)
    inside = mask.astype(bool)
    tinted = picture[inside] * (1 - TINT) + np.array(COLOUR) * TINT
    picture[inside] = np.rint(tinted).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    width = max(1, round(pixels.shape[0] / 500))
    return cv2.drawContours(picture, outlines, -1, COLOUR, width)


def grid(panels: dict[str, np.ndarray]) -> np.ndarray:
    """Put pictures of one size into two columns, each under its title.

    Args:
        panels: title → uint8 (H, W).

    Returns:
        uint8 (2 rows or more, …), black on white around the pictures.
    """
    height, width = next(iter(panels.values())).shape
    font = ImageFont.load_default(max(10, width // 24))
    line = int(1.4 * font.size)
    rows = -(-len(panels) // 2)
    size = 2 * width + 3 * MARGIN, rows * (height + line + MARGIN) + MARGIN
    sheet = Image.new("L", size, 255)
    draw = ImageDraw.Draw(sheet)
    for number, (title, pixels) in enumerate(panels.items()):
        left = MARGIN + (number % 2) * (width + MARGIN)
        top = MARGIN + (number // 2) * (height + line + MARGIN)
        draw.text((left, top), title, fill=0, font=font)
        sheet.paste(Image.fromarray(pixels), (left, top + line))
    return np.asarray(sheet)
