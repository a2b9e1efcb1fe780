"""Labels that would train on something else than teeth are refused with a sentence."""

import io
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from hitl_zip import figure
from PIL import Image

from maskedteeth.data.teeth import number_classes
from maskedteeth.errors import InputError
from maskedteeth.settings.config import Layout

HEIGHT, WIDTH = 128, 256


def teeth():
    """A map of 32 teeth in two rows, uint8 (HEIGHT, WIDTH): 0, and 1 to 32."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for number in range(32):
        top, left = (30, 68)[number // 16], 12 + 15 * (number % 16)
        cv2.ellipse(labels, (left, top + 14), (5, 12), 0, 0, 360, number + 1, -1)
    return labels


LABELS = teeth()
MASK = np.where(LABELS > 0, np.uint8(255), np.uint8(0))
ANY = np.where(LABELS > 0, np.uint8(99), np.uint8(0))
CORNER = np.add.outer(np.arange(HEIGHT), np.arange(WIDTH)) < 6
EDGE = cv2.dilate(MASK, np.ones((3, 3))) != cv2.erode(MASK, np.ones((3, 3)))
UPPER, LOWER = (LABELS > 0) & (LABELS < 17), LABELS > 16
GREYS = np.array([0, 85, 170, 255], np.uint8)[np.where(LABELS, LABELS % 3 + 1, 0)]
FDI = [10 * quadrant + tooth for quadrant in (1, 2, 3, 4) for tooth in range(1, 9)]
#: Clockwise from the patient's upper right, as Universal counts.
AROUND = [*range(18, 10, -1), *range(21, 29), *range(38, 30, -1), *range(41, 49)]
UNIVERSAL = range(1, 33)
FDI_MAP = np.array([0, *AROUND], np.uint8)[LABELS]
FAR = np.broadcast_to(np.arange(WIDTH) > WIDTH // 3, LABELS.shape)
VOID = np.where(EDGE, np.uint8(255), LABELS)
JAWS = np.dstack([255 * UPPER, 255 * LOWER, 0 * LABELS]).astype(np.uint8)


def voc_palette(labels):
    image = Image.fromarray(labels, "P")
    bits = [[(i >> b & 1) << 7 | (i >> b + 3 & 1) << 6 for b in range(3)] for i in range(256)]
    image.putpalette([value for colour in bits for value in colour])
    return image


def swapped_palette(labels):
    """White first, as programs do that order a palette by brightness."""
    image = Image.fromarray(np.where(labels > 0, np.uint8(0), np.uint8(1)), "P")
    image.putpalette([255, 255, 255, 0, 0, 0])
    return image


def one_colour(tooth):
    return np.where(LABELS[..., None] > 0, np.uint8(tooth), np.uint8(0))


def with_alpha(alpha, colour=MASK):
    return np.dstack([colour, colour, colour, alpha])


def jpeg(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def resized(pixels, scale, interpolation):
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=interpolation)


@pytest.fixture
def read_masks(tmp_path, run_prepare, arrays, radiograph):
    """Read a dataset of these masks, each of a radiograph; return their labels and the problems."""

    def read(*pictures, **layout):
        for part in ("images", "masks"):
            (tmp_path / "raw" / part).mkdir(parents=True)
        for number, picture in enumerate(pictures, start=1):
            image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
            image.save(tmp_path / f"raw/masks/{number}.png")
            pixels, _ = radiograph(number, image.height, image.width)
            cv2.imwrite(str(tmp_path / f"raw/images/{number}.jpg"), pixels)
        _, problems = run_prepare(tmp_path / "raw", height=HEIGHT, width=WIDTH, **layout)
        return arrays()[1], {problem["id"]: problem["reason"] for problem in problems}

    return read


MASKS = {
    "black and white": (MASK, {}, ANY),
    "one bit": (Image.fromarray(MASK).convert("1"), {}, ANY),
    "grey palette": (Image.fromarray(MASK).convert("P"), {}, ANY),
    "palette with white first": (swapped_palette(LABELS), {}, ANY),
    "16 bits": (MASK.astype(np.uint16) * 257, {}, ANY),
    "254 and 2": (np.where(LABELS > 0, np.uint8(254), np.uint8(2)), {}, ANY),
    "yellow": (one_colour((255, 255, 0)), {}, ANY),
    "edentulous": (0 * MASK, {}, 0 * MASK),
    "few teeth": (np.where(LABELS == 20, MASK, 0), {}, ANY * (LABELS == 20)),
    "RGBA, opaque": (with_alpha(np.full_like(MASK, 255)), {}, ANY),
    "RGBA, white teeth opaque": (with_alpha(MASK), {}, ANY),
    "RGBA, a white layer": (with_alpha(MASK, np.full_like(MASK, 255)), {}, ANY),
    "0 and 1": (ANY // 99, {}, ANY),
    "0 and 1, 16 bits": (ANY.astype(np.uint16) // 99, {}, ANY),
    "0 and 100": (ANY // 99 * 100, {}, ANY),
    "one dark red": (one_colour((128, 0, 0)), {}, ANY),
    "blue": (one_colour((0, 0, 255)), {}, ANY),
    "VOC palette, one class": (voc_palette(ANY // 99), {}, ANY),
    "VOC palette, 32 teeth": (voc_palette(LABELS), {}, ANY),
    "32 teeth": (LABELS, {}, ANY),
    "32 teeth, said": (LABELS, {"numbering": "universal"}, LABELS),
    "VOC palette, said": (voc_palette(LABELS), {"numbering": "universal"}, LABELS),
    "8 i": (np.minimum(LABELS * 8.0, 255).astype(np.uint8), {}, ANY),
    "1000 + i in 16 bits": (np.where(LABELS > 0, LABELS + np.uint16(1000), 0), {}, ANY),
    "32 colours": (np.asarray(voc_palette(LABELS).convert("RGB")), {}, ANY),
    "FDI": (FDI_MAP, {}, LABELS),
    "FDI, VOC palette": (voc_palette(FDI_MAP), {}, LABELS),
    "FDI, 16 bits": (FDI_MAP.astype(np.uint16), {}, LABELS),
    "FDI, upper jaw": (FDI_MAP * UPPER, {}, LABELS * UPPER),
    "FDI, few, said": (FDI_MAP * (LABELS < 4), {"numbering": "fdi"}, LABELS * (LABELS < 4)),
    "FDI, void ignored": (
        np.where(EDGE, np.uint8(255), FDI_MAP),
        {"classes": {"255": "ignore"}},
        LABELS * ~EDGE,
    ),
    "no numbers wanted": (FDI_MAP, {"numbering": "none"}, ANY),
    "1 tooth, 255 void ignored": (
        np.minimum(VOID, 1) + np.uint8(254) * EDGE,
        {"classes": {"255": "ignore"}},
        ANY * ~EDGE,
    ),
    "three greys, all teeth": (GREYS, {"numbering": "none"}, ANY),
    "three greys, one no tooth": (
        GREYS,
        {"classes": {"85": "tooth", "170": "11", "255": "ignore"}, "numbering": "fdi"},
        np.array([0, 99, 8, 0], np.uint8)[GREYS // 85],
    ),
    "jaws in colours": (JAWS, {"classes": {"#ff0000": "tooth", "#00ff00": "ignore"}}, ANY * UPPER),
    # What is not known stops the run, or is set aside.
    "jaws in colours, unsaid": (JAWS, {}, "maps of 2 values: #00ff00 .*, #ff0000 .* is not known"),
    "three greys, unsaid": (GREYS, {}, "maps of 3 values: 85 .*, 170 .*, 255 .* data.classes"),
    **{
        f"{value} tooth, much void": (
            np.where(FAR, np.uint8(255), ANY // 99 * np.uint8(value)),
            {},
            f"maps of 2 values: {value} .*, 255 .* is not known",
        )
        for value in (1, 8)
    },
    "almost tooth": (np.where(LABELS == 3, np.uint8(250), MASK), {}, "values: 250 .*, 255 "),
    "1 tooth, 255 void": (np.minimum(VOID, 1) + np.uint8(254) * EDGE, {}, "values: 1 .*, 255 "),
    "32 teeth, void": (VOID, {}, "maps of 33 values: .*'255': ignore"),
    "VOC palette, void": (voc_palette(VOID), {}, "maps of 33 values: .*'255': ignore"),
    "32 colours, void": (
        np.where(EDGE[..., None], np.uint8((224, 224, 192)), voc_palette(LABELS).convert("RGB")),
        {},
        "maps of 33 values: .* is not known",
    ),
    "a small implant in grey": (
        np.where((LABELS == 3) & (np.arange(WIDTH) % 4 > 1), np.uint8(100), MASK),
        {},
        "values: 100 .*, 255 ",
    ),
    "implants in grey": (np.where(LABELS == 3, np.uint8(128), MASK), {}, "values: 128 .*, 255 "),
    "FDI and 91": (
        np.where(LABELS == 3, np.uint8(91), FDI_MAP),
        {"numbering": "fdi"},
        "does not have 91: say in data.classes",
    ),
    "a colour that is not there": (
        JAWS,
        {"classes": {"#ff0001": "tooth", "#00ff00": "ignore"}},
        "names '#ff0001', a class that .*masks does not have; did you mean '#ff0000'",
    ),
    "a class in black and white": (MASK, {"classes": {"1": "11"}}, "it has the class '255'"),
    "three greys, JPEG": (jpeg(GREYS, 90), {}, r"has \d+ colours: .* export all masks so"),
    "FDI, JPEG": (jpeg(FDI_MAP, 90), {}, "neither black nor white|has no pixel above half"),
    "black teeth opaque": (with_alpha(MASK, 0 * MASK), {}, "transparent in 7.% of its pixels"),
    "wholly transparent": (with_alpha(0 * MASK), {}, "transparent in 100% of its pixels"),
    "a pale layer": (with_alpha(np.full_like(MASK, 100)), {}, "transparent in 100% of its pixels"),
    "inverted": (255 - MASK, {}, "probably inverted"),
    "inverted map": (np.where(LABELS > 0, LABELS * 0, 7), {}, "probably inverted"),
    "all white": (np.full_like(MASK, 255), {}, "100% of the radiograph is tooth, along all"),
}  # fmt: skip


@pytest.mark.parametrize("name", MASKS)
def test_a_mask_is_read_as_it_was_meant_or_refused_with_a_sentence(read_masks, name):
    picture, layout, expected = MASKS[name]
    if isinstance(expected, str):
        with pytest.raises(InputError, match=expected):
            read_masks(picture, picture, **layout)
    else:
        labels, problems = read_masks(picture, picture, **layout)
        assert (labels == expected).all() and "1" not in problems


SOFT = {
    "blurred": cv2.GaussianBlur(MASK, (0, 0), 1.5),
    **{f"JPEG {quality}": jpeg(MASK, quality) for quality in (10, 50, 95)},
    **{
        f"{scale} times, {name}, JPEG 30": jpeg(resized(MASK, scale, kind), 30)
        for scale in (0.5, 2)
        for name, kind in {"linear": 1, "cubic": 2, "Lanczos": 4}.items()
    },
}


@pytest.mark.parametrize("name", SOFT)
def test_a_mask_of_soft_outlines_or_lossy_compression_is_read(read_masks, name):
    labels, problems = read_masks(SOFT[name])
    assert not problems and (labels != ANY).mean() < 0.03 and set(np.unique(labels)) == {0, 99}


ONE_OF_TEN = {
    "map of labels": (MASK, LABELS, "has 33 colours: 0 .* a black and white mask has two"),
    "of jaws": (MASK, JAWS, "has 3 colours: 0 .* a black and white mask has two"),
    "a few pixels of another class": (
        MASK,
        np.where(CORNER, 100, MASK),
        "has 3 colours: 0 .*, 100",
    ),
    "a few pixels of another colour": (
        one_colour((255, 255, 0)),
        np.where(CORNER[..., None], np.uint8((0, 0, 255)), one_colour((255, 255, 0))),
        "has 3 colours: 0 .*, #ffff00 .*, #0000ff",
    ),
    "0 and 1": (MASK, ANY // 99, "has no pixel above half of full scale, but some up to 1;"),
    "inverted": (MASK, 255 - MASK, "probably inverted"),
    "0 and 127": (MASK, MASK // 2, "some up to 127;.* say in data.classes what the values of all"),
    "soft": (FDI_MAP, cv2.GaussianBlur(FDI_MAP, (0, 0), 1), "are not classes of the other"),
    "soft, black and white": (FDI_MAP, SOFT["blurred"], "are not classes of the other masks"),
}


@pytest.mark.parametrize("name", ONE_OF_TEN)
def test_a_mask_that_is_not_like_the_others_is_set_aside(read_masks, name):
    usual, other, sentence = ONE_OF_TEN[name]
    labels, problems = read_masks(*[usual] * 9, other)
    assert list(problems) == ["10"] and re.search(rf"masks/10\.png .*{sentence}", problems["10"])
    assert (labels == (LABELS if usual is FDI_MAP else ANY)).all()


def test_what_maps_mean_is_decided_once_and_said_aloud(read_masks, capsys):
    parts = [np.where(n == LABELS % 4, FDI_MAP, 0) for n in range(4)]  # 8 different teeth each
    labels, _ = read_masks(*parts)
    assert (sum(labels) == LABELS).all()
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("4 masks in ") and printed[0].endswith(" are maps of 32 values")
    assert printed[1] == "32 classes, 11 to 48, are FDI numbers (data.numbering)"


def test_what_a_mask_of_one_value_means_is_said_aloud(read_masks, capsys):
    read_masks(MASK // 2, MASK // 2)
    said = "/masks have one value besides 0, 127, which is read as tooth"
    assert capsys.readouterr().out.splitlines()[0].endswith(said)


def test_masks_of_several_bright_values_are_read_once_all_are_said(read_masks):
    classes = {"127": "tooth", "255": "tooth"}
    labels, problems = read_masks(MASK, MASK, MASK // 2, classes=classes)
    assert (labels == ANY).all() and not problems


def test_one_dim_mask_among_soft_ones_leaves_these_as_they_are(read_masks):
    labels, problems = read_masks(*[SOFT["blurred"]] * 9, MASK // 2, classes={"127": "tooth"})
    assert len(labels) == 9 and list(problems) == ["10"]


def test_what_is_ignored_in_maps_is_counted(read_masks):
    void = np.where(EDGE, np.uint8(255), FDI_MAP)
    _, problems = read_masks(void, void, FDI_MAP, classes={"255": "ignore"})
    assert problems == {"255": "2 objects of class '255' were left out: data.classes says so."}


def test_a_mask_of_another_radiograph_and_a_radiograph_in_its_place_are_refused(
    read_masks, radiograph, tmp_path, run_prepare
):
    with pytest.raises(InputError, match="1.png is no mask: [0-9]+% of its pixels are neither"):
        read_masks(radiograph(1)[0])
    Image.fromarray(MASK.T).save(tmp_path / "raw/masks/1.png")
    with pytest.raises(InputError, match=r"1\.png is 256 x 128 pixels.*1\.jpg is 64 x 128"):
        run_prepare(tmp_path / "raw")


# --- Names and folders ---

#: Radiographs and masks → what is labelled, with its mask; or a sentence.
NAMED = {
    "as they are": (["1", "2"], ["1", "2"], {}, {"1": "1", "2": "2"}),
    "_mask": (["1", "2", "11"], ["1_mask", "2_mask", "11_mask"], {}, "{}_mask"),
    "mask_": (["a1", "a2"], ["mask_a1", "mask_a2"], {}, "mask_{}"),
    ".jpg.png": (["1", "2"], ["1.jpg", "2.jpg"], {}, "{}.jpg"),
    "predicted here": (["1", "2"], ["1.mask", "1.overlay", "2.mask", "2.overlay"], {}, "{}.mask"),
    "both sides": (["1", "2"], ["GT_1 teeth", "GT_2 teeth"], {}, "GT_{} teeth"),
    "other case": (["IMG_1"], ["img_1"], {}, {"IMG_1": "img_1"}),
    "padded": (["1", "2"], ["001", "002"], {}, {"1": "001", "2": "002"}),
    "padded, _Mask": (["X1"], ["x01_Mask"], {}, {"X1": "x01_Mask"}),
    "said": (["1", "1a"], ["1a", "1aa"], {"mask_name": "{name}a"}, "{}a"),
    "parts": (["train/1", "valid/1"], ["train/1", "valid/1"], {}, "{}"),
    "parts, _mask": (["train/1", "valid/1"], ["train/1_mask", "valid/1_mask"], {}, "{}_mask"),
    "masks together": (["a/1", "b/2"], ["1", "2"], {}, {"a/1": "1", "b/2": "2"}),
    "beside a subfolder": (["1", "old/2"], ["1", "old/2"], {}, "{}"),
    "some without": (["1", "2", "3"], ["2"], {}, {"2": "2"}),
    "one stray in ten": ([*"abcdefghi"], ["x", *(f"{c}_m" for c in "abcdefghi")], {}, "{}_m"),
    "other patients": (["1", "2"], ["101", "102"], {}, "2 of 2 masks .* 101, .* data.mask_name"),
    "no mask of theirs": (["1"], ["seg_a", "seg_b"], {}, "masks belong to no radiograph"),
    "which of two": (["a/1", "b/1"], ["1"], {}, "1 of 1 masks belong to no radiograph"),
    "said wrongly": (["1"], ["1"], {"mask_name": "{name}_m"}, "1 of 1 masks .* data.mask_name"),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMED)
def test_masks_find_their_radiographs_by_names(tmp_path, radiograph, run_prepare, case):
    radiographs, masks, layout, expected = NAMED[case]
    pixels, mask = radiograph(1)
    for part, names, picture in (("images", radiographs, pixels), ("masks", masks, mask)):
        for name in names:
            file = tmp_path / "raw" / part / f"{name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(file), picture)
    if isinstance(expected, str) and "{}" not in expected:
        with pytest.raises(InputError, match=expected):
            run_prepare(tmp_path / "raw", **layout)
        return
    rows, _ = run_prepare(tmp_path / "raw", **layout)
    if isinstance(expected, str):
        names = {name: name.rpartition("/") for name in radiographs}
        expected = {name: a + b + expected.format(c) for name, (a, b, c) in names.items()}
    assert {row["id"] for row in rows} == set(radiographs)
    found = {row["id"]: row["annotation"] for row in rows if row["labelled"] == "1"}
    assert found == {name: f"masks/{mask}.png" for name, mask in expected.items()}


#: Folder of radiographs and masks, by patterns of their names, and settings.
TOGETHER = {
    "masks in the root's folder": ("{}", "masks/{}", {"images": "."}),
    "masks below": ("images/{}", "images/masks/{}", {"masks": "images/masks"}),
    "masks above": ("all/images/{}", "all/{}", {"images": "all/images", "masks": "all"}),
    "one folder": (
        "all/{}",
        "all/{}_mask",
        {"images": "all", "masks": "all", "mask_name": "{name}_mask"},
    ),
    "one folder, other zeros": (
        "all/IMG_{}",
        "all/img_0{}_mask",
        {"images": "all", "masks": "all", "mask_name": "{name}_mask"},
    ),
    "one folder a part": (
        "train/images/{}",
        "train/images/{}_mask",
        {"masks": "images", "mask_name": "{name}_mask"},
    ),
}


@pytest.fixture
def write_together(tmp_path, radiograph):
    """Write nine radiographs, seven with a mask, and a text, by patterns of their names."""

    def write(images, masks):
        for number in range(1, 10):
            pair = zip((images, masks)[: 1 + (number < 8)], radiograph(number), strict=False)
            for pattern, pixels in pair:
                file = tmp_path / "raw" / f"{pattern.format(number)}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(file), pixels)
        file.with_name("notes.txt").write_text("of both folders")
        return tmp_path / "raw"

    return write


@pytest.mark.parametrize("case", TOGETHER)
def test_no_mask_is_a_radiograph_where_one_folder_holds_both(write_together, run_prepare, case):
    images, masks, layout = TOGETHER[case]
    rows, problems = run_prepare(write_together(images, masks), **layout)
    found = {row["file"]: row["annotation"] for row in rows}
    drawn = {f"{images.format(n)}.png": f"{masks.format(n)}.png" * (n < 8) for n in range(1, 10)}
    assert found == drawn and [problem["id"] for problem in problems] == ["notes.txt"]


@pytest.mark.parametrize(
    ("masks", "layout", "sentence"),
    [
        (
            "images/{}_mask",
            {},
            r"images/1_mask\.png seems to be the mask of .*/images/1\.png\. If so, set data\.masks "
            r"to 'images' and data\.mask_name to '\{name\}_mask'",
        ),
        ("images/{}_mask", {"masks": "images"}, "'images'; say in data.mask_name"),
        ("images/{}_m", {"masks": "images", "mask_name": "{name}_s"}, "say in data.mask_name how"),
    ],
)
def test_masks_among_radiographs_stop_the_run_until_they_are_named(
    write_together, run_prepare, masks, layout, sentence
):
    with pytest.raises(InputError, match=sentence):
        run_prepare(write_together("images/{}", masks), source="auto", **layout)


def test_two_masks_of_one_radiograph_set_it_aside(tmp_path, write_folder, run_prepare):
    raw = write_folder(tmp_path / "raw", 12)
    for number in range(1, 13):
        (raw / f"masks/{number}.png").rename(raw / f"masks/{number:03}.png")
    (raw / "masks/1.png").write_bytes((raw / "masks/001.png").read_bytes())
    _, problems = run_prepare(raw)
    assert [problem["id"] for problem in problems] == ["1"]
    assert re.search("masks/001.png and .* share the name 1;", problems[0]["reason"])


def test_folders_of_parts_hold_images_and_masks(tmp_path, write_folder, radiograph, run_prepare):
    for part in ("train", "valid", ".trash"):
        write_folder(tmp_path / "raw" / part, 2)
    for name, seed in (("1", 3), ("2", 4)):
        cv2.imwrite(str(tmp_path / f"raw/valid/images/{name}.png"), radiograph(seed)[0])
    rows, problems = run_prepare(tmp_path / "raw", given="folders")
    assert [row["id"] for row in rows] == ["train/1", "train/2", "valid/1", "valid/2"]
    assert [row["part"] for row in rows] == ["train", "train", "test", "test"]
    assert all(row["labelled"] == "1" for row in rows) and not problems


# --- Classes of objects ---


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
    "in more words": (
        ["11 tooth", "18 - Third molar (wisdom tooth)", "46: lower right first molar", "48"],
        {},
        [8, 1, 30, 32],
    ),
    "what is said of a tooth": (
        ["48", "46 - missing tooth", "18 - impacted third molar", "1 upper right"],
        {"classes": {"46 - missing tooth": "ignore", "18 - impacted third molar": "18"}},
        [32, 0, 1, 0],
    ),
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
    "a tooth or none": (["48", "36 tooth implant"], "'36 tooth implant': each may be a tooth, or"),
    "a missing tooth": (["48", "46 - missing tooth"], "each may be a tooth, .*data.classes"),
    "quadrants": ([1, 2, 3, 4], "may be Universal numbers .* or FDI"),
    "numbers that fit both": ([11, 12, 13], "may be Universal numbers .* say in data.numbering"),
    "drafts in Universal beside FDI": ([*range(2, 33), *range(41, 49)], "'2', .* two numberings"),
    "as many of either": ([5, 45], "may be Universal numbers"),
    "numbers of neither": ([50, 90, 11], "may be Universal numbers"),
    "no tooth": (["caries", "implant"], "none of which is known as a tooth; say in data.classes"),
}


@pytest.mark.parametrize("case", NOT_KNOWN)
def test_classes_that_may_mean_several_things_stop_the_run(case):
    names, sentence = NOT_KNOWN[case]
    with pytest.raises(InputError, match=f"^raw has .*{sentence}"):
        number_classes(map(str, names), Layout(), None, Path("raw"))


@pytest.mark.parametrize("meaning", ["tooth", "ignore"])
def test_a_misspelt_class_stops_the_run(read_classes, meaning):
    sentence = "names 'crwon', a class that .* does not have; did you mean 'crown'"
    with pytest.raises(InputError, match=sentence):
        read_classes("crown", "48", classes={"crwon": meaning})


def test_objects_that_are_left_out_are_counted_in_the_problems(read_classes, capsys):
    _, problems = read_classes(1, 9, "implant", "implant", "33")
    say = "if they are teeth, say so in data.classes"
    assert problems == {
        "33": f"1 objects of class '33' were left out: {say}.",
        "implant": f"2 objects of class 'implant' were left out: {say}.",
    }
    printed = capsys.readouterr().out
    assert printed.startswith("2 classes, 1 to 9, are Universal numbers (data.numbering)\n")
    assert "set aside: 0, objects left out: 3" in printed
