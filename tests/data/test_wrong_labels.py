"""Labels that would train on something else than teeth are refused with a sentence."""

import io

import cv2
import numpy as np
import pytest
from hitl_zip import figure
from PIL import Image

from maskedteeth.data.records import Record
from maskedteeth.data.sources import folder
from maskedteeth.errors import InputError

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
        record = Record("1", tmp_path / "1.jpg", tmp_path / "1.png")
        return folder.read_annotation(record, *(size or (image.height, image.width)))

    return read


@pytest.mark.parametrize("name", REFUSED)
def test_a_mask_whose_values_mean_something_else_is_refused(read, name):
    picture, sentence = REFUSED[name]
    with pytest.raises(InputError, match=rf"/1\.png .*({sentence})"):
        read(picture)


@pytest.mark.parametrize("name", READ)
def test_a_mask_of_soft_outlines_or_lossy_compression_is_read(read, name):
    mask = read(READ[name]).labels
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


@pytest.fixture
def read_classes(tmp_path, write_hitl, run_prepare):
    """Read the paper's kind of dataset, of one radiograph with figures of some classes."""

    def read(classes):
        square = [[20, 20], [40, 20], [40, 40], [20, 40]]
        figures = [figure(square, title=str(name)) for name in classes]
        return run_prepare(write_hitl(tmp_path / "raw", figures), "hitl")

    return read


FDI = [10 * quadrant + tooth for quadrant in (1, 2, 3, 4) for tooth in range(1, 9)]


@pytest.mark.parametrize("classes", [FDI, FDI[:16], FDI[4:24], [1, *FDI]])
def test_teeth_with_fdi_numbers_are_refused_by_the_names_of_their_classes(read_classes, classes):
    numbers = ", ".join(map(str, sorted(classes)))
    with pytest.raises(InputError, match=f"classes {numbers}, which are FDI numbers"):
        read_classes(classes)


@pytest.mark.parametrize("classes", [range(1, 33), [13], range(11, 17), [*range(1, 33), 33]])
def test_teeth_with_universal_numbers_are_read(read_classes, classes):
    rows, _ = read_classes(classes)
    assert rows[0]["teeth"] == str(len([name for name in classes if name <= 32]))


def test_objects_of_other_classes_are_counted_in_the_problems(read_classes, capsys):
    rows, problems = read_classes([1, 2, "implant", "implant", "33"])
    assert len(rows) == 1
    assert [tuple(problem.values()) for problem in problems] == [
        ("33", "1 objects of class '33' were left out: teeth are '1' to '32'."),
        ("implant", "2 objects of class 'implant' were left out: teeth are '1' to '32'."),
    ]
    assert "0 set aside, 3 objects of other classes left out" in capsys.readouterr().out
