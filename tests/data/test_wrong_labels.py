"""Labels that would train on something else than teeth are refused with a sentence."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from hitl_zip import figure
from PIL import Image

from maskedteeth.data.sources import folder
from maskedteeth.data.teeth import number_classes
from maskedteeth.errors import InputError
from maskedteeth.settings.config import Layout

HEIGHT, WIDTH = 128, 256
COLOURS = r"has \d+ colours: .* a mask has two. Teeth must be 255 and everything else 0"
DARK = "has no pixel above half of full scale, but some up to"
NO_MASK = "is no mask: 1?[0-9]{2}% of its pixels are neither black nor white"


def teeth():
    """A map of 32 teeth in two rows, uint8 (HEIGHT, WIDTH): 0, and 1 to 32."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for number in range(32):
        top, left = (30, 68)[number // 16], 12 + 15 * (number % 16)
        cv2.ellipse(labels, (left, top + 14), (5, 12), 0, 0, 360, number + 1, -1)
    return labels


LABELS = teeth()
MASK = np.where(LABELS > 0, np.uint8(255), np.uint8(0))
EDGE = cv2.dilate(MASK, np.ones((3, 3))) != cv2.erode(MASK, np.ones((3, 3)))
UPPER, LOWER = (LABELS > 0) & (LABELS < 17), LABELS > 16
GREYS = np.array([0, 85, 170, 255], np.uint8)[np.where(LABELS, LABELS % 3 + 1, 0)]


def voc_palette(labels):
    image = Image.fromarray(labels, "P")
    bits = [[(i >> b & 1) << 7 | (i >> b + 3 & 1) << 6 for b in range(3)] for i in range(256)]
    image.putpalette([value for colour in bits for value in colour])
    return image


def one_colour(tooth):
    return np.where(LABELS[..., None] > 0, np.uint8(tooth), np.uint8(0))


def with_alpha(alpha):
    return np.dstack([MASK, MASK, MASK, alpha])


def jpeg(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def resized(pixels, scale, interpolation):
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=interpolation)


REFUSED = {
    "VOC palette": (voc_palette(LABELS), COLOURS),
    "upper red, lower green": (np.dstack([255 * UPPER, 255 * LOWER, 0 * LABELS]), COLOURS),
    "1 tooth, 255 void": (np.where(EDGE, 255, LABELS > 0), COLOURS),
    "grey 8 i": (np.minimum(LABELS * 8.0, 255), COLOURS),
    "three greys": (GREYS, COLOURS),
    "three greys, JPEG": (jpeg(GREYS, 90), COLOURS),
    "implants in grey": (np.where(LABELS == 3, 128, MASK), COLOURS),
    "0 and 1": (LABELS > 0, DARK + " 1;"),
    "FDI numbers": (LABELS + 10, "neither black nor white|" + DARK),
    "one dark red": (one_colour((128, 0, 0)), DARK + " 38;"),
    "teeth opaque, the rest transparent": (with_alpha(MASK), "is transparent in"),
    "wholly transparent": (with_alpha(0 * MASK), "is transparent in 100%"),
}

READ = {
    "black and white": MASK,
    "palette": Image.fromarray(MASK).convert("P"),
    "one bit": Image.fromarray(MASK).convert("1"),
    "one colour": one_colour((255, 255, 0)),
    "opaque": with_alpha(np.full_like(MASK, 255)),
    "edentulous": 0 * MASK,
    "few teeth": np.where(LABELS == 20, MASK, 0),
    "254 and 2": np.where(LABELS > 0, 254, 2),
    "blurred": cv2.GaussianBlur(MASK, (0, 0), 1.5),
    **{f"JPEG {quality}": jpeg(MASK, quality) for quality in (10, 50, 95)},
    **{
        f"{scale} times, {name}, JPEG 30": jpeg(resized(MASK, scale, kind), 30)
        for scale in (0.5, 2)
        for name, kind in {"linear": 1, "cubic": 2, "Lanczos": 4}.items()
    },
}


@pytest.fixture
def read(tmp_path):
    """Read a picture as the mask of a radiograph, of its own size unless told otherwise."""

    def read(picture, size=None):
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(np.uint8(picture))
        image.save(tmp_path / "1.png")
        record = folder.Masked("1", tmp_path / "1.jpg", tmp_path / "1.png")
        return record.read(size or (image.height, image.width), {})

    return read


@pytest.mark.parametrize("name", REFUSED)
def test_a_mask_whose_values_mean_something_else_is_refused(read, name):
    picture, sentence = REFUSED[name]
    with pytest.raises(InputError, match=rf"/1\.png .*({sentence})"):
        read(picture)


@pytest.mark.parametrize("name", READ)
def test_a_mask_of_soft_outlines_or_lossy_compression_is_read(read, name):
    mask = read(READ[name]).labels // 99
    if name not in ("edentulous", "few teeth"):
        assert (mask != resized(MASK // 255, mask.shape[0] / HEIGHT, 0)).mean() < 0.03


def test_a_mask_of_another_radiograph_and_a_radiograph_in_its_place_are_refused(read, radiograph):
    with pytest.raises(InputError, match=r"1\.png is 128 x 256 pixels.*1\.jpg is 256 x 128"):
        read(MASK, size=(WIDTH, HEIGHT))
    with pytest.raises(InputError, match=NO_MASK):
        read(radiograph(1)[0])


def test_an_inverted_mask_is_set_aside_and_many_stop_the_run(tmp_path, write_folder, run_prepare):
    raw = write_folder(tmp_path / "raw", 12)
    cv2.imwrite(str(raw / "masks" / "3.png"), 255 - cv2.imread(str(raw / "masks" / "3.png"), 0))
    rows, problems = run_prepare(raw)
    assert len(rows) == 11 and [problem["id"] for problem in problems] == ["3"]
    assert "is probably inverted" in problems[0]["reason"]
    for file in (raw / "masks").iterdir():
        cv2.imwrite(str(file), 255 - cv2.imread(str(file), 0))
    with pytest.raises(InputError, match="11 of 12 radiographs .* It is probably inverted"):
        run_prepare(raw)


# --- Classes of objects ---

FDI = [10 * quadrant + tooth for quadrant in (1, 2, 3, 4) for tooth in range(1, 9)]
#: Clockwise from the patient's upper right, as Universal counts.
AROUND = [*range(18, 10, -1), *range(21, 29), *range(38, 30, -1), *range(41, 49)]
UNIVERSAL = range(1, 33)


@pytest.fixture
def read_classes(tmp_path, write_hitl, run_prepare, arrays):
    """Read one radiograph with an object of each class; return their labels and the problems."""

    def read(*names, **layout):
        corners = [[[x, 20], [x + 2, 20], [x + 2, 40], [x, 40]] for x in range(0, 128, 3)]
        named = zip(corners, map(str, names), strict=False)
        figures = [figure(corner, title=name) for corner, name in named]
        raw = write_hitl(tmp_path / "raw", figures)
        _, problems = run_prepare(raw, "hitl", **layout)
        labels = arrays()[1][0][30, 1 : 3 * len(names) : 3]
        return labels.tolist(), {problem["id"]: problem["reason"] for problem in problems}

    return read


READ_AS = {
    "Universal": (UNIVERSAL, {}, UNIVERSAL),
    "FDI": (AROUND, {}, UNIVERSAL),
    "FDI, upper jaw": (AROUND[:16], {}, range(1, 17)),
    "FDI, few": ([48, 38, 11], {}, [32, 17, 8]),
    "FDI and a stray 1": ([1, *AROUND], {}, [0, *UNIVERSAL]),
    "Universal and a stray 33": ([*UNIVERSAL, 33], {}, [*UNIVERSAL, 0]),
    "numbers that fit both, as the paper's": (range(11, 17), {}, range(11, 17)),
    "numbers that fit both, said": (range(11, 17), {"numbering": "fdi"}, range(8, 2, -1)),
    "milk teeth": ([11, 48, 55, 71], {}, [8, 32, 99, 99]),
    "in words": (["Tooth 41", "tooth_48", "11 - upper right incisor"], {}, [25, 32, 8]),
    "teeth without numbers": (["Tooth", "teeth"], {}, [99, 99]),
    "no numbers wanted": ([11, 48, "implant"], {"numbering": "none"}, [99, 99, 0]),
    "other findings": (["48", "caries 11", "implant 2", "13(polygon)"], {}, [32, 0, 0, 0]),
    "named": (
        ["a", "b", "c", 48],
        {"classes": {"a": "tooth", "b": "11", "c": "ignore"}},
        [99, 8, 0, 32],
    ),
    "renamed": ([11, 48], {"classes": {"11": "21", "48": "ignore"}, "numbering": "fdi"}, [9, 0]),
}


@pytest.mark.parametrize("case", READ_AS)
def test_classes_become_the_teeth_that_they_name(read_classes, case):
    classes, layout, expected = READ_AS[case]
    labels, problems = read_classes(*classes, **layout)
    assert labels == list(expected)
    lost = [str(name) for name, label in zip(classes, labels, strict=True) if not label]
    assert sorted(problems) == sorted(lost)  # nothing is left out without a word


NOT_KNOWN = {
    "quadrants": ([1, 2, 3, 4], "may be Universal numbers .* or FDI"),
    "numbers that fit both": ([11, 12, 13], "may be Universal numbers .* say in data.numbering"),
    "as many of either": ([5, 45], "may be Universal numbers"),
    "numbers of neither": ([50, 90, 11], "may be Universal numbers"),
    "no tooth": (["caries", "implant"], "none of which is known as a tooth; say in data.classes"),
}


@pytest.mark.parametrize("case", NOT_KNOWN)
def test_classes_that_may_mean_several_things_stop_the_run(case):
    names, sentence = NOT_KNOWN[case]
    with pytest.raises(InputError, match=f"^raw has .*{sentence}"):
        number_classes(map(str, names), Layout(), None, Path("raw"))


def test_objects_that_are_left_out_are_counted_in_the_problems(read_classes, capsys):
    _, problems = read_classes(1, 9, "implant", "implant", "33")
    say = "if they are teeth, say so in data.classes"
    assert problems == {
        "33": f"1 objects of class '33' were left out: {say}.",
        "implant": f"2 objects of class 'implant' were left out: {say}.",
    }
    printed = capsys.readouterr().out
    assert printed.startswith("2 classes, 1 to 9, are Universal numbers (data.numbering)\n")
    assert "0 set aside, 3 objects left out" in printed
