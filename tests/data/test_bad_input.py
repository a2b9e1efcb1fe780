"""Whatever is wrong with a file of the user: it is used by a rule, or set aside with a reason."""

import base64
import io
import json
import os
import re
import struct
import unicodedata
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hitl_zip import figure
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from maskedteeth.data.pixels import decode_grey
from maskedteeth.data.sources import folder
from maskedteeth.errors import InputError
from maskedteeth.settings.config import Layout

HEIGHT, WIDTH = 64, 128
PNG, MASK = "images/2.png", "masks/2.png"
JPG, JSON = "d2/img/2.jpg", "d2/ann/2.jpg.json"


def saved(image, kind="PNG", **options):
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_of_size(width, height):
    """A PNG of one pixel whose header claims another size."""
    content = bytearray(saved(Image.new("L", (1, 1))))
    content[16:24] = struct.pack(">II", width, height)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


def flipped_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


def with_alpha(pixels):
    alpha = np.where(np.arange(WIDTH) < 40, 0 * pixels, 255).astype(np.uint8)
    return np.dstack([pixels, pixels, pixels, alpha])


def turned(pixels):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown after a quarter turn clockwise
    return saved(np.ascontiguousarray(np.rot90(pixels)), exif=exif)


def with_exif(pixels, tags):
    """A JPEG without a header of its own, so that its resolution is looked for in the tags."""
    content = saved(pixels, "JPEG", quality=100, exif=b"Exif\0\0" + tags + bytes(4))
    start = content.index(b"JFIF") - 4
    return content[:start] + content[start + 18 :]


def twelve_bits(pixels):
    return np.rint(pixels * (4095 / 255)).astype(np.uint16)


@pytest.fixture
def dataset(tmp_path, write_folder):
    return write_folder(tmp_path / "raw", 3)


@pytest.fixture
def set_aside(run_prepare):
    """Assert that one radiograph of three is set aside, in whose reason … stands for any words."""

    def check(raw, expected, name="2", source="folder"):
        rows, problems = run_prepare(raw, source, most_problems=0.5)
        assert len(rows) == 2 and [problem["id"] for problem in problems] == [name]
        found = problems[0]["reason"].replace(f"{raw}/", "")
        assert re.fullmatch(".*".join(map(re.escape, expected.split("…"))), found), found

    return check


# --- Radiographs ---

USED = {
    "RGBA": lambda x: saved(with_alpha(x)),
    "palette": lambda x: saved(Image.fromarray(x).convert("P")),
    "CMYK": lambda x: saved(Image.fromarray(x).convert("RGB").convert("CMYK"), "TIFF"),
    "16 bits": lambda x: saved(x * np.uint16(257)),
    "12 bits in 16": lambda x: saved(twelve_bits(x)),
    "16 bits, 0 is white": lambda x: saved(twelve_bits(255 - x), "TIFF", tiffinfo={262: 0}),
    "12 bits in colour": lambda x: cv2.imencode(".png", cv2.merge([twelve_bits(x)] * 3))[1],
    "EXIF orientation": turned,
    "damaged EXIF": lambda x: saved(x, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09" + b"\xff" * 40),
    "EXIF with a resolution of no number": lambda x: with_exif(
        x, b"MM\0*\0\0\0\x08\0\x02\x01\x1a\0\x02\0\0\0\1\0\0\0\0\x01\x28\0\3\0\0\0\1\0\2\0\0"
    ),
    "several pages": lambda x: saved(
        x, "TIFF", save_all=True, append_images=[Image.fromarray(255 - x)]
    ),
}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("kind", USED)
def test_a_radiograph_of_any_kind_has_its_grey_values(
    dataset, run_prepare, arrays, radiograph, kind
):
    pixels = radiograph(2)[0]
    (dataset / PNG).write_bytes(bytes(USED[kind](pixels)))
    (rows, problems), (images, _) = run_prepare(dataset), arrays()
    expected = np.where(np.arange(WIDTH) < 40, 0, pixels) if kind == "RGBA" else pixels
    assert len(rows) == 3 and problems == []
    assert np.abs(images[1].astype(float) - expected).max() <= 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("suffix", ["", ".jfif", ".GIF"])
def test_a_radiograph_is_told_by_its_content(dataset, run_prepare, radiograph, kind, suffix):
    (dataset / PNG).unlink()
    (dataset / f"images/2{suffix}").write_bytes(saved(radiograph(2)[0], kind))
    rows, problems = run_prepare(dataset)
    assert [row["labelled"] for row in rows] == ["1"] * 3 and problems == []


@pytest.mark.parametrize("part", ["images", "masks"])
@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_a_picture_of_a_format_that_is_not_read_sets_its_radiograph_aside(
    dataset, set_aside, radiograph, part, kind
):
    (dataset / part / "2.png").unlink()
    name = f"{part}/2.{kind.lower()}"
    (dataset / name).write_bytes(saved(radiograph(2)[0], kind))
    set_aside(dataset, NO_IMAGE.replace(PNG, name))


def test_a_preview_beside_a_radiograph_is_passed_over(dataset, run_prepare, radiograph):
    (dataset / "images/2.webp").write_bytes(saved(radiograph(2)[0], "WEBP"))
    rows, problems = run_prepare(dataset)
    assert len(rows) == 3 and [problem["id"] for problem in problems] == ["2.webp"]
    assert "images/2.png has the same name, and can be read." in problems[0]["reason"]


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_deep_pixels_are_scaled_from_their_depth(bits):
    values = np.linspace(0, 2**bits - 1, 64 * 64).astype(np.uint16).reshape(64, 64)
    found = decode_grey(saved(values), Path("1.png"))
    assert np.abs(found - values * (255 / (2**bits - 1))).max() <= 0.51


CUT = f"{PNG} cannot be decoded (…): it is cut off or damaged; replace or remove it."
NO_IMAGE = (
    f"{PNG} is not an image: its content is none of JPEG, PNG, TIFF, BMP; replace or remove it."
)
TOO_LARGE = (
    f"{PNG} has more than 80,000,000 pixels; no radiograph is so large: export it smaller or "
    "remove it."
)
BAD = {
    "no byte": (lambda x: b"", f"{PNG} is empty (0 bytes); restore or remove it."),
    "cut off": (lambda x: saved(x)[:-200], CUT),
    "cut off (JPEG)": (lambda x: saved(x, "JPEG")[:-200], CUT),
    "a flipped bit": (lambda x: flipped_bit(saved(x)), CUT),
    "unpacks to more than it says": (lambda x: png_of_size(8000, 10_000), CUT),
    "no image": (lambda x: b"radiograph", NO_IMAGE),
    "another format": (lambda x: saved(x, "GIF"), NO_IMAGE),
    "too many pixels": (lambda x: png_of_size(8001, 10_000), TOO_LARGE),
    "far too many pixels": (lambda x: png_of_size(10**6, 10**6), TOO_LARGE),
    "32 bits": (
        lambda x: saved(x.astype(np.float32), "TIFF"),
        f"{PNG} has 32 bits per pixel; export it with 8 or 16 bits per pixel.",
    ),
    "a strip": (
        lambda x: saved(x[:32].repeat(2, axis=1)),
        f"{PNG} is 32 x 256 pixels; a radiograph is at most 4 times as long as it is wide: crop it "
        "to the jaws or remove it.",
    ),
    "one pixel wide": (
        lambda x: saved(x[:, :1]),
        f"{PNG} is 64 x 1 pixels; a radiograph has at least 32 on each side: export it larger or "
        "remove it.",
    ),
}


@pytest.mark.parametrize("trouble", BAD)
def test_a_radiograph_that_cannot_be_used_is_set_aside(dataset, set_aside, radiograph, trouble):
    make, expected = BAD[trouble]
    (dataset / PNG).write_bytes(make(radiograph(2)[0]))
    set_aside(dataset, expected)


ODD_FILES = {
    "cannot be read": (
        lambda file: file.symlink_to(file),
        "cannot be read (…); repair or remove it",
    ),
    "broken link": (lambda file: file.symlink_to("nowhere"), "does not exist; restore it"),
    "folder": (lambda file: file.mkdir(), "is not a file; remove it"),
    "pipe": (os.mkfifo, "is not a file; remove it"),
}


@pytest.mark.parametrize("kind", ODD_FILES)
def test_what_is_no_file_is_set_aside(dataset, set_aside, kind):
    make, expected = ODD_FILES[kind]
    (dataset / PNG).unlink()
    make(dataset / PNG)
    set_aside(dataset, f"{PNG} {expected}.")


# --- Names ---


@pytest.mark.parametrize("name", ["-a b %s 'c' \"d\" $e$ #f&g,h_i\\j{k}", "x" * 251, "ü"])
def test_any_name_that_can_be_printed_is_used(dataset, run_prepare, name):
    (dataset / PNG).rename(dataset / "images" / unicodedata.normalize("NFD", f"{name}.PNG"))
    (dataset / MASK).rename(dataset / "masks" / f"{name}.png")
    rows, problems = run_prepare(dataset)
    assert problems == [] and {row["id"]: row["labelled"] for row in rows}[name] == "1"


UNPRINTABLE = "… has a name with control characters or bytes that are not UTF-8; rename it."


@pytest.mark.parametrize(
    ("name", "escaped"), [("a\nb", "a\\nb"), (os.fsdecode(b"\xfc"), "\\udcfc")]
)
def test_a_name_that_would_break_a_line_is_set_aside(dataset, set_aside, name, escaped):
    (dataset / PNG).rename(dataset / "images" / f"{name}.png")
    (dataset / MASK).unlink()
    set_aside(dataset, UNPRINTABLE, escaped)


@pytest.mark.parametrize("names", ["Z\udce4hne/{}.png", "{}_Z\udce4hne.png"])
def test_masks_of_names_that_are_not_utf8_are_used_and_printed(dataset, run_prepare, capsys, names):
    for number in (1, 2, 3):
        mask = dataset / "masks" / names.format(number)
        mask.parent.mkdir(exist_ok=True)
        (dataset / f"masks/{number}.png").rename(mask)
    rows, problems = run_prepare(dataset)
    expected = [f"masks/{names.format(n)}".replace("\udce4", "\\udce4") for n in (1, 2, 3)]
    assert [row["annotation"] for row in rows] == expected and problems == []
    assert "Z\\udce4hne" in capsys.readouterr().out


def test_two_files_of_one_name_are_set_aside(dataset, set_aside):
    (dataset / "images" / "2.bmp").write_bytes((dataset / PNG).read_bytes())
    expected = "images/2.bmp and images/2.png share the name 2; remove or rename all but one."
    set_aside(dataset, expected)


def test_what_is_no_radiograph_is_passed_over_and_hidden_files_are_not_even_listed(
    dataset, run_prepare
):
    for name in ("images/.DS_Store", "images/2.txt", "masks/77.png"):
        (dataset / name).write_bytes(b"\0")
    (dataset / "images" / "old").mkdir()
    (dataset / "images" / "old" / "again").symlink_to(dataset / "images")  # a loop
    rows, problems = run_prepare(dataset)
    assert len(rows) == 3 and {problem["id"] for problem in problems} == {"77", "2.txt"}


# --- Annotations ---

SQUARE = [[20, 20], [40, 20], [40, 40], [20, 40]]


def packed(png):
    return base64.b64encode(zlib.compress(png)).decode()


def bitmap_annotation(data):
    drawn = {"classTitle": "13", "geometryType": "bitmap"}
    drawn |= {"bitmap": {"data": data, "origin": [3, 4]}}
    return json.dumps({"size": {"height": HEIGHT, "width": WIDTH}, "objects": [drawn]}).encode()


def annotation(exterior=SQUARE, height=HEIGHT, name="13", kind="polygon"):
    objects = [figure(exterior, title=name, geometry=kind)]
    return json.dumps({"size": {"height": height, "width": WIDTH}, "objects": objects}).encode()


NOT_ONE = (
    f"{JSON} is not a Supervisely annotation (…); 'size' and 'objects' with polygons were "
    "expected. Restore or remove it."
)
NO_CORNERS = (
    f"{JSON} has tooth '13' whose 'exterior' and 'interior' are not lists of corners, each of an x "
    "and a y within 65,536 pixels. Draw or export it again, or remove it."
)
ANNOTATIONS = {
    "cut off": (annotation()[:-9], NOT_ONE),
    "empty": (b"", NOT_ONE),
    "not UTF-8": (
        annotation().replace(b"13", b"\xfc"),
        f"{JSON} is not a Supervisely annotation: it is not text in UTF-8, UTF-16 or UTF-32. Save "
        "it as UTF-8, or restore or remove it.",
    ),
    "nested too deeply": (b"[" * 10**5, NOT_ONE),
    "without objects": (b'{"size": {"height": 64, "width": 128}}', NOT_ONE),
    "NaN": (annotation([[float("nan"), 2]] * 3), NO_CORNERS),
    "text": (annotation([["20", 2]] * 3), NO_CORNERS),
    "true": (annotation([[True, 2]] * 3), NO_CORNERS),
    "without y": (annotation([[3]]), NO_CORNERS),
    "far outside": (annotation([[20, 20], [40, 20], [40, 10**30]]), NO_CORNERS),
    "of another class": (
        annotation(name="crown"),
        f"{JSON} has, for {JPG}, only objects of the classes 'crown', none of which is known as "
        "a tooth. Say in data.classes what they are, or remove them.",
    ),
    "of no area that is known": (
        annotation(kind="rectangle"),
        f"{JSON} has tooth '13' drawn as 'rectangle'; a polygon or bitmap was expected. Draw or "
        "export it again, or remove it.",
    ),
    "bitmap without one": (
        annotation(kind="bitmap"),
        f"{JSON} has tooth '13' without a 'bitmap' of 'data' and an 'origin' of x and y. Draw or "
        "export it again, or remove it.",
    ),
    "damaged bitmap": (
        bitmap_annotation("AAAA"),
        f"The bitmap of '13' in {JSON} is empty (0 bytes); restore or remove it.",
    ),
    "bitmap of something else": (
        bitmap_annotation(packed(b"tooth")),
        f"The bitmap of '13' in {JSON} is not an image: its content is none of JPEG, PNG, TIFF, "
        "BMP; replace or remove it.",
    ),
    "of another size": (
        annotation(height=65),
        f"{JSON} says 65 x 128 pixels, but its radiograph {JPG} is 64 x 128 as viewers show it; "
        "annotate it again or restore the radiograph.",
    ),
    "too large": (
        b" " * (2**26 + 1),
        f"{JSON} has 67,108,865 bytes, more than 67,108,864; export it smaller or remove it.",
    ),
    "missing": (None, f"{JSON} does not exist; restore it."),
}


@pytest.mark.parametrize("trouble", ANNOTATIONS)
def test_an_annotation_that_cannot_be_used_is_set_aside(tmp_path, write_hitl, set_aside, trouble):
    content, expected = ANNOTATIONS[trouble]
    raw = write_hitl(tmp_path / "raw", *[[figure(SQUARE)]] * 3)
    (raw / "d2/ann/1.jpg.json").write_bytes(b"\xef\xbb\xbf" + annotation())  # which is used
    if content is None:
        (raw / JSON).unlink()
    else:
        (raw / JSON).write_bytes(content)
    set_aside(raw, expected, source="hitl")


# --- Whatever the bytes ---

SQUARES = [saved(np.eye(40, dtype=np.uint8) * 255, kind) for kind in ("PNG", "JPEG", "TIFF")]
CHANGES = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=8)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(SQUARES), CHANGES)
def test_changed_bytes_are_a_mask_or_a_sentence(tmp_path, content, changes):
    content = bytearray(content)
    for place, value in changes:
        content[place % len(content)] = value
    for part in ("images", "masks"):
        (tmp_path / part).mkdir(exist_ok=True)
        (tmp_path / part / "1.png").write_bytes(content)
    try:
        (record,) = folder.find_records(tmp_path, Layout()).records
        labels = record.read((40, 40), {}).labels
    except InputError as error:
        assert "1.png" in str(error) or re.match(r"1 masks in \S+ are maps of [0-9]+", str(error))
        assert str(error).endswith(".") and "\n" not in str(error)
    else:
        assert labels.shape == (40, 40) and set(np.unique(labels)) <= {0, 99}
