"""Objects that somebody outlined, whatever the file format, and what they cover."""

import base64
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskedteeth.data.pixels import decode_bitmap
from maskedteeth.errors import InputError

#: An outline may reach this share of the width or height beyond the radiograph.
MARGIN = 0.01


@dataclass(frozen=True)
class Object:
    """One object of an annotation.

    Attributes:
        name: its class, as the file has it.
        draw: takes the (height, width) of a radiograph and returns what the object covers of it,
            uint8 (H, W), 1 = covered; it raises InputError for what cannot be drawn. None for
            lines and points, which cover nothing.
    """

    name: str
    draw: Callable[[tuple[int, int]], np.ndarray] | None


def polygons(name: str, pieces: Sequence[Sequence[np.ndarray]], file: Path) -> Object:
    """Return an object of polygons; drawing refuses one that cannot be meant for the radiograph.

    Args:
        name: its class.
        pieces: see :func:`fill`.
        file: of the annotation, for sentences.
    """
    corners = np.concatenate([ring for rings in pieces for ring in rings])

    def draw(size: tuple[int, int]) -> np.ndarray:
        if leaves(corners, size):
            found = f"in part outside its radiograph of {size[0]} x {size[1]} pixels"
            return undrawn(name, found, file).draw(size)
        covered = fill(pieces, size)
        if covered.any() and (np.abs(corners) <= 1).all():
            found = "within one pixel; corners in pixels were expected, not in shares from 0 to 1"
            return undrawn(name, found, file).draw(size)
        return covered

    return Object(name, draw)


def leaves(corners: np.ndarray, size: tuple[int, int]) -> bool:
    """Tell whether some corners are no numbers, or further outside than :data:`MARGIN`.

    Args:
        corners: (P, 2) of x and y.
        size: height and width of the radiograph.
    """
    shares = corners / size[::-1]
    return not ((shares >= -MARGIN) & (shares <= 1 + MARGIN)).all()


def bitmap(
    name: str,
    text: str,
    corner: tuple[int, int],
    file: Path,
    unpack: Callable[[bytes], bytes] = bytes,
) -> Object:
    """Return an object that is drawn as a picture of its own.

    Args:
        name: its class.
        text: the picture in base64; the object is what is opaque in it or, where nothing is
            transparent, not black.
        corner: x and y of its upper left pixel in the radiograph.
        file: of the annotation, for sentences.
        unpack: makes a PNG of what is in base64.
    """

    def draw(size: tuple[int, int]) -> np.ndarray:
        try:
            content = unpack(base64.b64decode(text))
        except (ValueError, zlib.error):
            content = b""
        picture = decode_bitmap(content, f"The bitmap of {name!r} in {file}")
        covered, (x, y), (height, width) = np.zeros(size, np.uint8), corner, picture.shape
        inside = covered[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
        inside[:] = picture[max(-y, 0) :, max(-x, 0) :][: inside.shape[0], : inside.shape[1]]
        return covered

    return Object(name, draw)


def undrawn(name: str, found: str, file: Path) -> Object:
    """Return an object of which a tooth cannot be made; that matters only where it is one.

    Args:
        name: its class.
        found: how it is drawn, and what was expected, to follow its name.
        file: of the annotation.
    """

    def refuse(size: tuple[int, int]) -> np.ndarray:
        raise InputError(
            f"{file} has tooth {name!r} {found}. Draw or export it again, or remove it."
        )

    return Object(name, refuse)


def fill(pieces: Sequence[Sequence[np.ndarray]], size: tuple[int, int]) -> np.ndarray:
    """Fill each outline by the even-odd rule, clip it at the border, and unite the pieces.

    An outline covers the pixels that it runs through, too, as Supervisely has it. A pixel begins at
    a whole number, where a format has fractions. Holes are cut out one by one: filled together they
    would cancel where they overlap. An outline whose corners lie on one line covers nothing.

    Args:
        pieces: parts of an object. Each is a list of rings, (P, 2) of x and y in pixels: its
            outline, then the holes in it.
        size: height and width of the radiograph.

    Returns:
        uint8 (H, W), 1 = covered.
    """
    covered = np.zeros(size, np.uint8)
    for outline, *holes in pieces:
        if len(outline) < 3 or np.linalg.matrix_rank(outline - outline[0]) < 2:
            continue
        piece = covered if len(pieces) == 1 else np.zeros(size, np.uint8)
        for value, ring in [(1, outline), *((0, hole) for hole in holes if len(hole))]:
            cv2.fillPoly(piece, [np.floor(ring).astype(np.int32)], value)
        covered |= piece
    return covered
