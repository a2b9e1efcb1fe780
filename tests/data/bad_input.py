"""What can be wrong with a dataset, and what becomes of it: the table that tests and docs share.

Each row breaks radiograph 2 of a healthy dataset of three. `used` rows say what its pixels or its
mask are then, the others the sentence that a user reads (… stands for any words). Paths in
sentences are relative to the dataset.
"""

import io
import json
import os
import struct
import unicodedata
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

HEIGHT, WIDTH = 64, 128
PNG, MASK = "images/2.png", "masks/2.png"
JPG, JSON = "d2/img/2.jpg", "d2/ann/2.jpg.json"


@dataclass(frozen=True)
class Row:
    """A trouble: how to make it, and what happens then.

    Attributes:
        trouble: as in docs/input.md.
        outcome: used, set aside, passed over or stops.
        make: changes the dataset; gets its folder, and radiograph 2 as pixels and mask.
        expected: the sentence; or, of a used one, what returns its pixels, or (for hitl) its mask.
        id: of the radiograph, or of what is passed over.
    """

    trouble: str
    outcome: str
    make: Callable[[Path, np.ndarray, np.ndarray], object]
    expected: object
    id: str = "2"


def saved(image: Image.Image | np.ndarray, kind: str = "PNG", **options) -> bytes:
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """A PNG of one pixel whose header claims another size."""
    content = bytearray(saved(Image.new("L", (1, 1))))
    content[16:24] = struct.pack(">II", width, height)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


def write(content: Callable[[np.ndarray], bytes] | bytes, file: str = PNG):
    def make(raw: Path, pixels: np.ndarray, mask: np.ndarray) -> None:
        wanted = pixels if "img" in file or "images" in file else mask
        (raw / file).write_bytes(content(wanted) if callable(content) else content)

    return make


def instead(name: str, content: Callable[[np.ndarray], bytes] = saved, mask: str | None = None):
    """Radiograph 2 under another name, and its mask too."""

    def make(raw: Path, pixels: np.ndarray, drawn: np.ndarray) -> None:
        (raw / PNG).unlink()
        (raw / MASK).unlink()
        (raw / "images" / name).write_bytes(content(pixels))
        masks = raw / "masks" / (mask or f"{Path(name).stem}.png")
        masks.write_bytes(saved(drawn))

    return make


def replaced(make_other: Callable[[Path], object], file: str = PNG):
    def make(raw: Path, pixels: np.ndarray, mask: np.ndarray) -> None:
        (raw / file).unlink()
        make_other(raw / file)

    return make


def rgb(pixels: np.ndarray) -> np.ndarray:
    return np.dstack([pixels, pixels // 2, 255 - pixels])


def with_alpha(pixels: np.ndarray) -> np.ndarray:
    alpha = np.where(np.arange(WIDTH) < 40, 0 * pixels, 255).astype(np.uint8)
    return np.dstack([pixels, pixels, pixels, alpha])


def turned(pixels: np.ndarray) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown after a quarter turn clockwise
    return saved(np.ascontiguousarray(np.rot90(pixels)), exif=exif)


def flipped_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


def twelve_bits(pixels: np.ndarray) -> np.ndarray:
    return np.rint(pixels * (4095 / 255)).astype(np.uint16)


def same(pixels: np.ndarray) -> np.ndarray:
    return pixels


def sparse(file: Path, size: int) -> None:
    with file.open("wb") as content:
        content.truncate(size)


CUT = f"{PNG} cannot be decoded (…): it is cut off or damaged; replace or remove it."
NO_IMAGE = (
    f"{PNG} is not an image: its content is none of JPEG, PNG, TIFF, BMP; replace or remove it."
)
TOO_LARGE = (
    f"{PNG} has … more than 80,000,000 pixels in all; no radiograph is so large: export it "
    "smaller or remove it."
)
BAD_NAME = "… has a name with control characters or bytes that are not UTF-8; rename it."
ODD = "-a b %s 'c' \"d\" $e$ #f&g,h_i\\j"
LONG = "x" * 251

RADIOGRAPHS = [
    Row("RGB", "used", write(lambda x: saved(rgb(x))), lambda x: rgb(x) @ [0.299, 0.587, 0.114]),
    Row(
        *("RGBA, or transparent otherwise", "used", write(lambda x: saved(with_alpha(x)))),
        lambda x: np.where(np.arange(WIDTH) < 40, 0, x),
    ),
    Row("palette", "used", write(lambda x: saved(Image.fromarray(x).convert("P"))), same),
    Row(
        *("CMYK", "used"),
        instead(
            "2.tif", lambda x: saved(Image.fromarray(x).convert("RGB").convert("CMYK"), "TIFF")
        ),
        same,
    ),
    Row("16 bits", "used", write(lambda x: saved(x * np.uint16(257))), same),
    Row("12 bits in 16", "used", write(lambda x: saved(twelve_bits(x))), same),
    Row(
        *("16 bits, 0 is white (TIFF)", "used"),
        instead("2.tif", lambda x: saved(twelve_bits(255 - x), "TIFF", tiffinfo={262: 0})),
        lambda x: x,
    ),
    Row(
        *("16 bits in colour", "used"),
        write(lambda x: cv2.imencode(".png", np.dstack([twelve_bits(x)] * 3))[1].tobytes()),
        same,
    ),
    Row(
        "32 bits",
        "set aside",
        instead("2.tif", lambda x: saved(x.astype(np.float32), "TIFF")),
        "images/2.tif holds numbers of 32 bits; export it with 8 or 16 bits a pixel.",
    ),
    Row("EXIF orientation", "used", write(turned), same),
    Row(
        *("several pages", "used"),
        instead(
            "2.tif",
            lambda x: saved(x, "TIFF", save_all=True, append_images=[Image.fromarray(255 - x)]),
        ),
        same,
    ),
    Row("wrong suffix", "used", instead("2.jpg"), same),
    Row("upper-case suffix", "used", instead("2.PNG"), same),
    Row("odd letters in a name", "used", instead(f"{ODD}.png"), same, id=ODD),
    Row("very long name", "used", instead(f"{LONG}.png"), same, id=LONG),
    Row(
        *("ü as one letter here, as two there", "used"),
        instead(unicodedata.normalize("NFD", "ü.png"), mask="ü.png"),
        *(same, "ü"),
    ),
    Row("link to a file", "used", replaced(lambda f: f.symlink_to(_elsewhere(f))), same),
    Row("no byte", "set aside", write(b""), f"{PNG} is empty (0 bytes); restore or remove it."),
    Row("cut off", "set aside", write(lambda x: saved(x)[:-200]), CUT),
    Row("cut off (JPEG)", "set aside", write(lambda x: saved(x, "JPEG")[:-200]), CUT),
    Row("a flipped bit (PNG)", "set aside", write(lambda x: flipped_bit(saved(x))), CUT),
    Row("no image", "set aside", write(b"radiograph"), NO_IMAGE),
    Row("another format", "set aside", write(lambda x: saved(x, "GIF")), NO_IMAGE),
    Row("too many pixels", "set aside", write(png_of_size(8001, 10_000)), TOO_LARGE),
    Row("far too many pixels", "set aside", write(png_of_size(10**6, 10**6)), TOO_LARGE),
    Row(
        *("too many bytes", "set aside", replaced(lambda file: sparse(file, 2**30 + 1))),
        f"{PNG} has 1,073,741,825 bytes, more than 1,073,741,824; export it smaller or remove it.",
    ),
    Row(
        *("one pixel wide", "set aside", write(lambda x: saved(x[:, :1]))),
        f"{PNG} is 64 x 1 pixels; a radiograph has at least 32 on each side: export it larger or "
        "remove it.",
    ),
    Row(
        *("cannot be read", "set aside", replaced(lambda file: file.symlink_to(file))),
        f"{PNG} cannot be read (…); mend or remove it.",
    ),
    Row(
        *("broken link", "set aside", replaced(lambda file: file.symlink_to("nowhere"))),
        f"{PNG} does not exist; restore it.",
    ),
    Row(
        *("folder named like an image", "set aside", replaced(Path.mkdir)),
        f"{PNG} is not a file; remove it.",
    ),
    Row("pipe", "set aside", replaced(os.mkfifo), f"{PNG} is not a file; remove it."),
    Row(
        *("two files of one name", "set aside", write(lambda x: saved(x, "BMP"), "images/2.bmp")),
        "images/2.bmp and images/2.png share the name 2; remove or rename all but one.",
    ),
    Row("line break in a name", "set aside", instead("a\nb.png"), BAD_NAME, id="a\\nb"),
    Row(
        *("braces in a name", "set aside", instead("{a}.png")),
        "images/{a}.png has braces in its name, which the workflow takes for wildcards; rename it.",
        id="{a}",
    ),
    Row(
        *("name not UTF-8", "set aside", instead(os.fsdecode(b"\xfc.png")), BAD_NAME, "\\udcfc"),
    ),
    Row(
        *("another suffix", "passed over", write(b"", "images/2.dcm")),
        "images/2.dcm is passed over: its suffix is none of .jpg, .jpeg, .png, .tif, .tiff, .bmp.",
        id="2.dcm",
    ),
]

MASKS = [
    Row("missing mask", "used", lambda raw, *_: (raw / MASK).unlink(), same),
    Row(
        *("mask of 16 bits, of a palette, in colour, …", "used"),
        write(lambda m: saved(m * np.uint16(257)), MASK),
        same,
    ),
    Row("soft outlines in a mask", "used", write(lambda m: saved(m, "JPEG"), MASK), same),
    Row(
        *("extra mask", "passed over", write(saved, "masks/77.png")),
        "masks/77.png is a mask without a radiograph of its name.",
        id="77",
    ),
    Row(
        *("mask of another size", "set aside", write(lambda m: saved(m[:50]), MASK)),
        "masks/2.png is 50 x 128 pixels, but its radiograph images/2.png is 64 x 128 as viewers "
        "show it; they must be of one size: draw or export the mask again.",
    ),
    Row(
        *("mask of 0 and 1", "set aside", write(lambda m: saved(m // 255), MASK)),
        "masks/2.png has no pixel above half of full scale, but some up to 1; teeth must be 255 "
        "and everything else 0.",
    ),
    Row(
        "radiograph in a mask's place",
        "set aside",
        lambda raw, pixels, mask: (raw / MASK).write_bytes(saved(pixels)),
        "masks/2.png is no mask: 1…% of its pixels are neither black nor white; teeth must be 255 "
        "and everything else 0.",
    ),
    Row(
        *("mask of more than two colours", "set aside"),
        write(lambda m: saved(m // 255 + np.where(np.arange(WIDTH) < 60, m // 2, 0 * m)), MASK),
        "masks/2.png has 3 colours: 0 (…%), 128 (…%), 1 (…%); a mask has two. Teeth must be 255 "
        "and everything else 0: if its values are labels, export it again with 255 for every "
        "tooth.",
    ),
    Row(
        *("mask with transparency", "set aside", write(lambda m: saved(with_alpha(m)), MASK)),
        "masks/2.png is transparent in 31% of its pixels, so that its teeth may be drawn in either "
        "layer; export it without transparency, with teeth 255 and everything else 0.",
    ),
    Row(
        *("inverted mask", "set aside", write(lambda m: saved(255 - m), MASK)),
        "masks/2.png says that …% of the radiograph is tooth, along all of its borders, too; at "
        "most 60% were expected. It is probably inverted: teeth must be 255 and everything else 0.",
    ),
    Row("mask cut off", "set aside", write(lambda m: saved(m)[:-99], MASK), CUT.replace(PNG, MASK)),
    Row(
        *("two masks of one name", "set aside", write(lambda m: saved(m, "BMP"), "masks/2.bmp")),
        "masks/2.bmp and masks/2.png share the name 2; remove or rename all but one.",
    ),
]

SQUARE = [[20, 20], [40, 20], [40, 40], [20, 40]]


def _elsewhere(file: Path) -> Path:
    target = file.parents[1] / "elsewhere.png"
    target.write_bytes((file.parents[1] / "original.png").read_bytes())
    return target


def figure(exterior: object, interior: object = (), name: str = "13", kind: str = "polygon"):
    points = {"exterior": exterior, "interior": interior}
    return {"classTitle": name, "geometryType": kind, "points": points}


def annotation(*figures: dict, height: int = HEIGHT) -> bytes:
    content = {"size": {"height": height, "width": WIDTH}, "objects": figures}
    return json.dumps(content).encode()


def filled(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """A mask of boxes from x, y to x, y, these included."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for left, top, right, bottom in boxes:
        mask[top : bottom + 1, left : right + 1] = 1
    return mask


def read(trouble: str, content: bytes, mask: np.ndarray) -> Row:
    return Row(trouble, "used", write(content, JSON), mask)


def aside(trouble: str, content: bytes, reason: str) -> Row:
    sentence = f"{JSON} is not a Supervisely annotation ({reason}); 'size' and 'objects' with "
    sentence += "polygons were expected. Restore or remove it."
    return Row(trouble, "set aside", write(content, JSON), sentence)


ONE, WHOLE = filled((20, 20, 40, 40)), annotation(figure(SQUARE))
BEYOND = [[-9, -9], [9, -9], [9, 99], [-9, 99]]
PENTAGRAM = [[30, 5], [48, 59], [2, 26], [58, 26], [12, 59]]
FAR = [[20, 20], [40, 20], [40, 10**30]]
COORDINATE = "points of tooth 13.exterior.0.0: …"

ANNOTATIONS = [
    read("byte order mark", b"\xef\xbb\xbf" + WHOLE, ONE),
    read("key that stands twice", WHOLE[:-1] + b', "objects": []}', filled()),
    read("no objects", annotation(), filled()),
    read(
        "figures of other classes beside teeth",
        annotation(figure(SQUARE), figure([[1, 1], [9, 1], [9, 9]], name="implant")),
        ONE,
    ),
    read(
        "lines and points",
        annotation(figure(SQUARE), figure(SQUARE[:2], name="13(polygon)", kind="line")),
        ONE,
    ),
    read("polygon of two corners", annotation(figure(SQUARE), figure([[1, 1], [9, 9]])), ONE),
    read("corners outside the radiograph", annotation(figure(BEYOND)), filled((0, 0, 9, HEIGHT))),
    read(
        "polygon that crosses itself",
        annotation(figure(PENTAGRAM)),
        cv2.fillPoly(filled(), [np.array(PENTAGRAM)], 1),
    ),
    aside("annotation cut off", WHOLE[:-9], "Invalid JSON: EOF while parsing …"),
    aside("annotation empty", b"", "Invalid JSON: EOF while parsing …"),
    aside("annotation not UTF-8", WHOLE.replace(b"13", b"\xfc"), "Invalid JSON: …"),
    aside("annotation nested too deeply", b"[" * 10**5, "Invalid JSON: recursion limit exceeded …"),
    aside("annotation without 'objects'", b'{"size": {"height": 64, "width": 128}}', "objects: …"),
    aside("NaN or infinity", annotation(figure([[float("nan"), 2]] * 3)), COORDINATE),
    aside("text in a number's place", annotation(figure([["20", 2]] * 3)), COORDINATE),
    aside("true in a number's place", annotation(figure([[True, 2]] * 3)), COORDINATE),
    aside("corner without y", annotation(figure([[3]])), "points of tooth 13.exterior.0: …"),
    Row(
        *("corner far outside", "set aside", write(annotation(figure(FAR)), JSON)),
        f"{JSON} has a tooth with a corner at x = 40, y = 1e+30, far outside its radiograph of "
        "64 x 128 pixels. Restore or remove it.",
    ),
    Row(
        "figures of other classes alone",
        "set aside",
        write(annotation(figure(SQUARE, name="Tooth"), figure(SQUARE, name="33")), JSON),
        f"{JSON} has figures of the classes '33', 'Tooth' alone; teeth are '1' to '32'. Rename the "
        "classes, or remove the figures.",
    ),
    Row(
        *("tooth that is no polygon", "set aside"),
        write(annotation(figure(SQUARE, kind="bitmap")), JSON),
        f"{JSON} has tooth 13 drawn as 'bitmap'; only polygons are read: export it as one, or "
        "remove it.",
    ),
    Row(
        *("annotation of another size", "set aside", write(annotation(height=65), JSON)),
        f"{JSON} says 65 x 128 pixels, but its radiograph {JPG} is 64 x 128 as viewers show it; "
        "annotate it anew or restore the radiograph.",
    ),
    Row(
        *("too many corners", "set aside", write(annotation(figure(SQUARE * 1251)), JSON)),
        f"{JSON} has 5,004 corners in one polygon or in all; at most 5,000 were expected. Simplify "
        "the polygons, restore the file or remove it.",
    ),
    Row(
        *("annotation too large", "set aside", replaced(lambda f: sparse(f, 2**25 + 1), JSON)),
        f"{JSON} has 33,554,433 bytes, more than 33,554,432; export it smaller or remove it.",
    ),
    Row(
        *("missing annotation", "set aside", lambda raw, *_: (raw / JSON).unlink()),
        f"{JSON} does not exist; restore it.",
    ),
    Row(
        *("extra annotation", "passed over", write(annotation(), "d2/ann/77.jpg.json")),
        "d2/ann/77.jpg.json is an annotation without a radiograph of its name.",
        id="77.jpg.json",
    ),
]
