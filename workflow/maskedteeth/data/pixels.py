"""Image files become grey values, or one sentence says why not; `docs/input.md` lists the rules."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps

from maskedteeth.errors import InputError

#: What the content of a file may be, whatever its suffix; by Pillow's names.
FORMATS = ("JPEG", "PNG", "TIFF", "BMP")

#: How such files begin. (In BMP the size comes before the zeros.)
BEGINNINGS = re.compile(rb"\xff\xd8\xff|\x89PNG|II[*+]\0|MM\0[*+]|BM.{4}\0{4}", re.DOTALL)

#: Pixels that are transparent in part, to those that are not: more are no soft outlines.
MOST_VEILED = 0.25

#: From here on the values of a drawn mask are colours.
COLOUR = 2**24

#: How the segments of a JPEG begin that describe it. (Adobe's tells the colours, and stays.)
JPEG_TAGS = {bytes([0xFF, 0xE0 + number]) for number in range(16) if number != 14}

#: Larger files and pictures are refused before anything is decoded: a small file can unpack to more
#: than the memory holds. Panoramic radiographs have 2 to 8 million pixels.
MOST_BYTES = 2**30
MOST_PIXELS = 80_000_000

#: More bytes are no text about radiographs, even with one of them inside.
MOST_BYTES_OF_TEXT = 2**26

#: Bits that detectors record; the smallest that holds a file's values is taken for its scale.
DEPTHS = (8, 10, 12, 14, 16)


def read_file(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """Return the content of a regular file.

    Raises:
        InputError: there is none, it cannot be read, or it is larger than ``most_bytes``.
    """
    try:
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            raise InputError(f"{path} is not a file; remove it.")
        size = path.stat().st_size
        if size > most_bytes:
            raise InputError(
                f"{path} has {size:,} bytes, more than {most_bytes:,}; export it smaller or "
                "remove it."
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; restore it.") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"{path} cannot be read ({reason}); repair or remove it.") from None


def decode_grey(content: bytes, path: Path) -> np.ndarray:
    """Decode an image to grey, upright as its EXIF orientation says.

    Colours become Rec. 601 luma; JPEG gives its own, without a detour through colours. What is
    transparent lies on black. Pixels of 16 bits are scaled linearly to 255, from the scale of the
    fewest of 8, 10, 12, 14 and 16 bits that hold the file's largest value.

    Args:
        content: of the file; JPEG, PNG, TIFF or BMP, of which the first picture counts.
        path: the file's name, for sentences.

    Returns:
        uint8 (H, W).

    Raises:
        InputError: it is no such image, cut off, damaged, too large, or of 32 bits.
    """
    with _opened(content, path) as image:
        if image.format in ("JPEG", "MPO"):
            image.draft("L", image.size)
        return _upright(_loaded_grey(image, content, path), image)


@dataclass(frozen=True)
class Drawing:
    """A drawn mask of H × W pixels, upright.

    Attributes:
        grey: as :func:`decode_grey` gives it, uint8 (H, W).
        colours: uint8 (H, W, 3), or ``grey`` again where it has none or 16 bits a channel.
        values: what the file holds, int32 (H, W): grey values up to 65,535; the indices of a
            palette of colours; or, of a pixel that is not grey, :data:`COLOUR` + its hexadecimal
            number. What is transparent is 0.
    """

    grey: np.ndarray
    colours: np.ndarray
    values: np.ndarray


def decode_mask(content: bytes, path: Path) -> Drawing:
    """Decode a drawn mask.

    Where a part is transparent, what is opaque is drawn, unless some of it is black, so that the
    teeth may be what is black, or what is not.

    Args:
        content: of the file; JPEG, PNG, TIFF or BMP, of which the first picture counts.
        path: the file's name, for sentences.

    Raises:
        InputError: as in :func:`decode_grey`; or it is not known which parts are drawn.
    """
    with _opened(content, path) as image:
        deep, palette = _is_deep(image), image.mode == "P"
        grey = _loaded_grey(image, content, path)
        if deep or image.mode in ("1", "L", "LA"):
            colours, values = grey, grey.astype(np.int32)
        elif image.mode.startswith("I;16"):
            colours = grey
            values = grey if _zero_is_white(image) else np.asarray(image)
            values = values.astype(np.int32)
        else:
            colours = np.asarray(image.convert("RGBA").convert("RGB"))
            values = _values(colours, np.asarray(image) if palette else None)
        if image.has_transparency_data:
            alpha = np.asarray(image.convert("RGBA"))[:, :, 3]
            if alpha.min() < 255:
                _refuse_unclear(colours, alpha, path)
                values[alpha < 128] = 0
                if colours is not grey:
                    colours = (colours * (alpha[:, :, None] / np.float32(255))).astype(np.uint8)
        return Drawing(*(_upright(pixels, image) for pixels in (grey, colours, values)))


def _values(colours: np.ndarray, indices: np.ndarray | None) -> np.ndarray:
    red, green, blue = (colours[:, :, channel].astype(np.int32) for channel in range(3))
    coloured = (red != green) | (red != blue)
    if indices is not None and coloured.any():
        return indices.astype(np.int32)
    return np.where(coloured, COLOUR + 65536 * red + 256 * green + blue, red)


def _refuse_unclear(colours: np.ndarray, alpha: np.ndarray, path: Path) -> None:
    dark = np.atleast_3d(colours).max(axis=2) < 32
    opaque, some = alpha >= 128, (alpha > 0) & (alpha < 255)
    drawn_is_lost = not opaque.any() and not dark.all()
    if (opaque & dark).any() or drawn_is_lost or some.sum() > MOST_VEILED * opaque.sum():
        raise InputError(
            f"{path} is transparent in {(alpha < 255).mean():.0%} of its pixels, so its teeth may "
            "be drawn in the colours or in the transparency; export it without transparency, with "
            "teeth 255 and everything else 0."
        )


def decode_bitmap(content: bytes, name: str) -> np.ndarray:
    """Decode the drawing of one object: what is opaque or, without transparency, not black.

    Args:
        content: of a file as in :func:`decode_grey`.
        name: of the drawing, for sentences.

    Returns:
        bool (H, W).

    Raises:
        InputError: as in :func:`decode_grey`.
    """
    with _opened(content, name) as image:
        image.load()
        if image.has_transparency_data:
            return np.asarray(image.convert("RGBA"))[:, :, 3] > 0
        return np.asarray(image.convert("L")) > 0


@contextmanager
def _opened(content: bytes, path: Path | str) -> Iterator[Image.Image]:
    """Open an image that is not loaded yet; whatever its decoder raises becomes one sentence."""
    if not content:
        raise InputError(f"{path} is empty (0 bytes); restore or remove it.")
    try:
        with _opened_anyhow(content) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            if image.format == "PNG":  # decoding leaves the checksums unread
                with Image.open(io.BytesIO(content), formats=FORMATS) as twin:
                    twin.verify()
            yield image
    except InputError:
        raise
    except Image.UnidentifiedImageError:
        raise InputError(
            f"{path} is not an image: its content is none of {', '.join(FORMATS)}; replace or "
            "remove it."
        ) from None
    except Image.DecompressionBombError:
        raise InputError(
            f"{path} has more than {MOST_PIXELS:,} pixels; no radiograph is so large: export it "
            "smaller or remove it."
        ) from None
    except Exception as error:  # decoders raise whatever they stumble over
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise InputError(
            f"{path} cannot be decoded ({reason}): it is cut off or damaged; replace or remove it."
        ) from None


def _opened_anyhow(content: bytes) -> Image.Image:
    """Open an image; a JPEG without what describes it, such as EXIF, where that stops Pillow."""
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except Exception:  # whatever damaged tags make
        place = 2
        while content[place : place + 2] in JPEG_TAGS:
            place += 2 + int.from_bytes(content[place + 2 : place + 4])
        return Image.open(io.BytesIO(content[:2] + content[place:]), formats=FORMATS)


def _loaded_grey(image: Image.Image, content: bytes, path: Path) -> np.ndarray:
    deep_colour = _is_deep(image)  # the tiles that tell are gone once it is loaded
    image.load()
    if image.mode in ("I", "F"):
        raise InputError(f"{path} has 32 bits per pixel; export it with 8 or 16 bits per pixel.")
    return _deep_colour_to_grey(content) if deep_colour else _to_grey(image)


def _is_deep(image: Image.Image) -> bool:
    """Tell whether Pillow would drop the lower half of 16 bits a channel."""
    if image.mode not in ("LA", "RGB", "RGBA"):
        return False
    arguments = image.tile[0].args if image.tile else ""
    raw = arguments if isinstance(arguments, str) else arguments[0]
    return image.format in ("PNG", "TIFF") and ";16" in raw


def _to_grey(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I;16"):
        grey = _scaled(np.asarray(image))
        return 255 - grey if _zero_is_white(image) else grey
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    if image.mode not in ("1", "L", "P", "RGB", "RGBA"):
        image = image.convert("RGB")
    return np.asarray(image.convert("L"))


def _zero_is_white(image: Image.Image) -> bool:
    return image.format == "TIFF" and image.tag_v2.get(262) == 0


def _deep_colour_to_grey(content: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3:
        raise ValueError("16-bit colours that OpenCV does not decode")
    grey = cv2.cvtColor(pixels[:, :, :3], cv2.COLOR_BGR2GRAY)
    if pixels.shape[2] == 4:
        grey = np.rint(grey * (pixels[:, :, 3] / np.float32(65535))).astype(np.uint16)
    return _scaled(grey)


def _scaled(deep: np.ndarray) -> np.ndarray:
    """Bring grey values of 16 bits to 8; see :func:`decode_grey`."""
    bits = next(bits for bits in DEPTHS if int(deep.max()) < 2**bits)
    table = np.rint(np.arange(2**bits) * (255 / (2**bits - 1))).astype(np.uint8)
    return table[deep]


def _upright(pixels: np.ndarray, image: Image.Image) -> np.ndarray:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # damaged tags, of which the pixels are none
        orientation = 1
    if orientation == 1:
        return pixels
    shown = Image.fromarray(pixels)
    shown.getexif()[ExifTags.Base.Orientation] = orientation
    return np.ascontiguousarray(ImageOps.exif_transpose(shown))
