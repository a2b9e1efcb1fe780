"""COCO, LabelMe, YOLO and Supervisely: the same outlines are the same teeth."""

import base64
import io
import json
import os
import re
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from formats import WRITERS, Drawn, write, write_coco
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as array_of
from PIL import Image
from pycocotools import mask as coco_mask

from maskedteeth.data.sources import auto, coco, labelme, supervisely, yolo
from maskedteeth.data.teeth import UNIVERSAL_OF_FDI, number_classes
from maskedteeth.errors import InputError
from maskedteeth.settings.config import Layout

READERS = {"coco": coco, "labelme": labelme, "yolo": yolo, "supervisely": supervisely}
UFBA = os.environ.get("MASKEDTEETH_UFBA", "")
SIZE = 64, 128
CLASSES = ["11", "48", "38", "implant"]
SQUARE = np.array([[20, 10], [40, 10], [40, 30], [20, 30]])
TEETH = [("11", SQUARE), ("48", SQUARE + 15), ("implant", SQUARE + (60, 0))]


def save(root, *names, size=SIZE):
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, size, np.uint8)
        cv2.imwrite(str(root / name), pixels)
    return root


def labels_of(source, root):
    """Return the labels of each radiograph, or the sentence that sets it aside."""
    layout = Layout()
    found = source.find_records(root, layout)
    classes = {entry.name for record in found.records for entry in record.objects}
    numbers = number_classes(classes, layout, found.numbering, root)
    labels = {problem.id: problem.reason for problem in found.problems}
    for record in found.records:
        size = Image.open(record.image).size[::-1]
        try:
            labels[record.id] = record.read(size, numbers).labels
        except InputError as error:
            labels[record.id] = str(error)
    return labels


@pytest.mark.parametrize("source", WRITERS)
def test_the_same_outlines_are_the_same_teeth_in_every_format(
    tmp_path, run_prepare, arrays, source
):
    raw = save(tmp_path / "raw", *(f"images/{name}.jpg" for name in (1, 2, 3)))
    drawn = [Drawn("1.jpg", SIZE, TEETH), Drawn("2.jpg", SIZE, TEETH[1:2])]
    WRITERS[source](raw, drawn + [Drawn("3.jpg", SIZE, [])] * (source == "supervisely"), CLASSES)
    rows, problems = run_prepare(raw, "auto")
    expected = np.zeros((3, *SIZE), np.uint8)
    expected[0, 10:31, 20:41] = 8
    expected[:2, 25:46, 35:56] = 32
    assert (arrays()[1] == expected).all()
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert [row["labelled"] for row in rows] == ["1", "1", "0"]
    assert [row["teeth"] for row in rows] == ["2", "1", "0"]
    assert [problem["id"] for problem in problems] == ["implant"]


PLACES = {
    "a little outside": (SQUARE + (89, 34), None),
    "too far right": (SQUARE + (90, 34), "has tooth '48' in part outside .* 64 x 128 pixels"),
    "too far up": (SQUARE - (0, 11), "has tooth '48' in part outside .* 64 x 128 pixels"),
    "in shares": (SQUARE / SIZE[::-1], "within one pixel; corners in pixels were expected, not in"),
}


@pytest.mark.parametrize("source", ["coco", "labelme", "yolo"])  # Supervisely cuts them off
@pytest.mark.parametrize("place", PLACES)
def test_an_outline_that_is_not_of_its_radiograph_sets_it_aside(
    tmp_path, run_prepare, arrays, source, place
):
    if (source, place) == ("yolo", "in shares"):
        pytest.skip("so it has them")
    raw = save(tmp_path / "raw", "images/1.jpg", "images/2.jpg")
    outline, reason = PLACES[place]
    drawn = [Drawn("1.jpg", SIZE, TEETH[:1]), Drawn("2.jpg", SIZE, [("48", outline)])]
    WRITERS[source](raw, drawn, CLASSES)
    rows, problems = run_prepare(raw, source, most_problems=0.5, numbering="fdi")
    if reason:
        assert [row["id"] for row in rows] == ["1"] and [entry["id"] for entry in problems] == ["2"]
        if source == "yolo":
            reason = "pairs of numbers from 0 to 1 were expected"
        assert re.search(reason, problems[0]["reason"])
    else:
        expected = np.zeros(SIZE, np.uint8)
        expected[44:, 109:] = 32
        assert (arrays()[1][1] == expected).all() and not problems


@pytest.mark.skipif(not UFBA, reason="MASKEDTEETH_UFBA names no folder of UFBA-425")
@pytest.mark.parametrize("source", WRITERS)
def test_ufba_425_is_the_same_in_every_format(tmp_path, source):
    content = json.loads((Path(UFBA) / "annotations.coco.json").read_text())
    names = {category["id"]: category["name"] for category in content["categories"]}
    objects = {image["id"]: [] for image in content["images"]}
    for entry in content["annotations"]:
        for ring in entry["segmentation"]:
            outline = names[entry["category_id"]], np.reshape(ring, (-1, 2))
            objects[entry["image_id"]].append(outline)
    drawn = [
        Drawn(image["file_name"], (image["height"], image["width"]), objects[image["id"]])
        for image in content["images"]
    ]
    (tmp_path / "images").mkdir()
    for image, _, _ in drawn:
        (tmp_path / "images" / image).symlink_to(Path(UFBA, "images", image))
    WRITERS[source](tmp_path, drawn, list(names.values()))
    universal = np.zeros(256, np.uint8)
    universal[list(UNIVERSAL_OF_FDI)] = list(UNIVERSAL_OF_FDI.values())
    different = []
    labels = labels_of(READERS[source], tmp_path)
    for name, found in labels.items():
        expected = universal[np.asarray(Image.open(Path(UFBA, "labels", f"{name}.png")))]
        different.append((found != expected).mean())
    print(f"{source}: {np.mean(different):.2e} of the pixels differ, at most {max(different):.2e}")
    assert len(labels) == 364 and np.mean(different) < 4e-5


# --- What each format alone has ---


def png(mask):
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def runs(mask):
    """As COCO writes a mask without compression."""
    ends = np.flatnonzero(np.diff(mask.ravel(order="F"), prepend=0, append=2))
    return np.diff(ends, prepend=0)[: len(ends)].tolist()


def packed(mask):
    return coco_mask.encode(np.asfortranarray(mask))["counts"].decode()


def in_coco(root, segmentation, **more):
    """Write a dataset of one radiograph with one object; return what is read of it."""
    save(root, "images/1.png")
    write_coco(root, [Drawn("1.png", SIZE, [("48", SQUARE)])], CLASSES)
    content = json.loads((root / "annotations.json").read_text())
    content["annotations"][0] |= {"segmentation": segmentation} | more
    write(root / "annotations.json", json.dumps(content))
    return labels_of(coco, root)["1"]


MASKS = array_of(np.uint8, SIZE, elements=st.sampled_from([0, 1]), fill=st.just(0))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MASKS, st.booleans())
def test_runs_of_coco_are_the_pixels_that_its_tools_wrote(tmp_path, mask, compressed):
    mask[5, 7] = 1
    counts = packed(mask) if compressed else runs(mask)
    found = in_coco(tmp_path, {"size": SIZE, "counts": counts}, iscrowd=1)
    assert (found == 32 * mask).all()


def test_parts_of_a_tooth_in_coco_are_one_tooth(tmp_path, run_prepare, arrays):
    in_coco(tmp_path / "raw", [SQUARE.ravel().tolist(), (SQUARE + 25).ravel().tolist(), [1, 2]])
    rows, _ = run_prepare(tmp_path / "raw", "coco")
    assert rows[0]["teeth"] == "1" and (arrays()[1] > 0).sum() == 2 * 21 * 21


def test_a_mask_in_labelme_lies_where_its_first_point_is(tmp_path):
    save(tmp_path, "1.jpg")
    ring = np.pad(np.zeros((3, 4), np.uint8), 2, constant_values=1)
    shape = {"label": "tooth", "shape_type": "mask", "points": [[30, 20], [37, 26]]}
    shapes = [
        shape | {"mask": png(ring)},
        {"label": "tooth", "points": [[1, 1]], "shape_type": "point"},
    ]
    write(tmp_path / "1.json", json.dumps({"shapes": shapes, "imagePath": "1.jpg"}))
    expected = np.zeros(SIZE, np.uint8)
    expected[20:27, 30:38] = 99 * ring
    assert (labels_of(labelme, tmp_path)["1"] == expected).all()


@pytest.mark.parametrize(
    "names",
    [
        {"data.yaml": "names: [11, 48]"},
        {"dataset.yml": "names: {1: 48, 0: 11}"},
        {"classes.txt": "\ufeff11\n48\n"},
        {"labels/classes.txt": "11\n48\n"},
        {"data.yaml": "names:\n- 11\n- '48'\n", "classes.txt": "11\n48"},
    ],
)
@pytest.mark.parametrize("places", [("train/images", "train/labels"), ("images/a", "labels/a")])
def test_yolo_is_read_as_its_exporters_arrange_it(tmp_path, names, places):
    images, labels = places
    save(tmp_path, f"{images}/1.jpg", f"{images}/2.jpg")
    for file, text in names.items():
        write(tmp_path / file, text)
    write(tmp_path / labels / "1.txt", "\ufeff1 0.25 0.25 0.25 0.5 0.5 0.5\n")
    found = labels_of(yolo, tmp_path)
    assert found.keys() == {"1", "2"} and not found["2"].any()
    assert set(np.unique(found["1"])) == {0, 32}


# --- Where radiographs lie ---


def test_radiographs_are_found_wherever_they_lie(tmp_path):
    save(tmp_path, "a/x/1.jpg", "b/x/1.jpg", "b/2.png", "b/3.PNG", "thumbnails/4.jpg")
    drawn = [Drawn(name, SIZE, TEETH[1:2]) for name in ("a\\x\\1.jpg", "old/b/x/1.jpg", "2.dcm")]
    write_coco(tmp_path, drawn, CLASSES)
    found = coco.find_records(tmp_path, Layout())
    unlabelled = [record.id for record in found.records if record.annotation is None]
    assert [record.id for record in found.records] == ["a/x/1", "b/2", "b/3", "b/x/1"]
    assert unlabelled == ["b/3"]
    assert [problem.reason for problem in found.problems] == [
        f"{tmp_path}/thumbnails is passed over: no annotation is of any of its 1 pictures."
    ]


def test_label_maps_of_the_same_names_are_no_radiographs(tmp_path):
    save(tmp_path, "images/1.jpg", "images/2.jpg", "labels/1.png", "labels/2.png")
    write_coco(tmp_path, [Drawn(f"{name}.jpg", SIZE, TEETH) for name in (1, 2)], CLASSES)
    found = coco.find_records(tmp_path, Layout())
    assert [record.id for record in found.records] == ["1", "2"]
    assert [problem.id for problem in found.problems] == ["labels"]
    save(tmp_path, "labels/1.jpg")
    found = coco.find_records(tmp_path, Layout())
    assert [problem.id for problem in found.problems if problem.radiograph] == ["1.jpg"]
    assert re.search(
        "belongs to '1.jpg', which may be .* and .*; move all but one", found.problems[0].reason
    )


def test_files_of_several_parts_are_read_together_each_with_its_own_categories(tmp_path):
    for number, part in enumerate(("train", "valid", "test")):
        save(tmp_path, f"{part}/1.jpg")
        classes = CLASSES[number:] + CLASSES[:number]
        write_coco(tmp_path / part, [Drawn("1.jpg", SIZE, TEETH[1:2])], classes)
    found = coco.find_records(tmp_path, Layout())
    assert [record.id for record in found.records] == ["test/1", "train/1", "valid/1"]
    assert all(set(np.unique(found)) == {0, 32} for found in labels_of(coco, tmp_path).values())


def test_drafts_in_a_file_of_their_own_fill_what_an_export_lists_without_objects(tmp_path):
    save(tmp_path, "images/1.jpg", "images/2.jpg")
    listed = [Drawn("1.jpg", SIZE, TEETH[:1]), Drawn("2.jpg", SIZE, [])]
    write_coco(tmp_path / "a_drafts", [Drawn("2.jpg", SIZE, TEETH[1:2])], CLASSES)
    write_coco(tmp_path / "b_export", listed, CLASSES)
    found = coco.find_records(tmp_path, Layout())
    assert not found.problems and all(labels.any() for labels in labels_of(coco, tmp_path).values())


def test_a_folder_that_may_be_read_in_two_ways_is_not_guessed(tmp_path):
    save(tmp_path, "images/1.jpg", "masks/1.png")
    write_coco(tmp_path, [Drawn("1.jpg", SIZE, TEETH)], CLASSES)
    with pytest.raises(InputError, match="may be read as folder or coco; say in data.source"):
        auto.find_records(tmp_path, Layout())
    (tmp_path / "annotations.json").unlink()
    assert [record.annotation for record in auto.find_records(tmp_path, Layout()).records] == [
        tmp_path / "masks/1.png"
    ]
    with pytest.raises(InputError, match="holds neither a folder 'images' nor annotations of"):
        auto.find_records(tmp_path / "masks", Layout())
    save(tmp_path, "Teeth Segmentation JSON/d2/img/1.jpg")
    with pytest.raises(InputError, match="is the paper's dataset; set data.source to 'hitl'"):
        auto.find_records(tmp_path, Layout())


# --- Files that cannot be used ---

RUNS = {"size": SIZE, "counts": [64 * 128]}
OF_COCO = {
    "runs that end too early": (RUNS | {"counts": [4, 8]}, "12 pixels of"),
    "runs that end too late": (RUNS | {"counts": "0" * 9 + "o"}, "0 pixels of"),
    "runs of another size": (RUNS | {"size": [128, 64]}, "128, 64.* in a radiograph of 64 x 128"),
    "runs less than none": (RUNS | {"counts": [-1, 64 * 128 + 1]}, "greater than or equal to 0"),
    "runs without end": (RUNS | {"counts": "o" * 999}, "a run of more than"),
    "runs of other letters": (RUNS | {"counts": "é"}, "counts"),
    "an odd number of numbers": ([[1, 2, 3, 4, 5, 6, 7]], "cannot reshape"),
    "no numbers": ([["a", "b"]], "valid number"),
    "infinite": ([[1, 2, 3, 4, 5, 1e300]], "less than or equal to 65536"),
    "a box": ([], "drawn as a box; outlines or runs"),
    "nothing": (None, "drawn as a box; outlines or runs"),
}


@pytest.mark.parametrize("trouble", OF_COCO)
def test_a_tooth_that_coco_does_not_draw_is_a_sentence(tmp_path, trouble):
    segmentation, reason = OF_COCO[trouble]
    found = in_coco(tmp_path, segmentation)
    assert isinstance(found, str) and "annotations.json has tooth '48'" in found, found
    assert found.endswith(". Draw or export it again, or remove it.")
    assert re.search(reason, found), found


def labelme_of(image="2.jpg", **shape):
    shape = {"label": "48", "points": SQUARE.tolist(), "shape_type": "polygon"} | shape
    return json.dumps({"imagePath": image, "shapes": [shape], "imageHeight": 64, "imageWidth": 128})


YOLO_LINE = "were expected. Export it again."
SET_ASIDE = [
    (
        "labelme",
        labelme_of()[:60],
        "is not a LabelMe annotation (.*); 'shapes' and 'imagePath' were",
    ),
    ("labelme", '{"shapes": 7, "imagePath": "2.jpg"}', "is not a LabelMe annotation"),
    ("labelme", labelme_of("1.jpg"), "1.jpg is annotated twice, the second time in .*2.json;"),
    ("labelme", labelme_of("3.jpg"), "belongs to '3.jpg', but no radiograph of that name is below"),
    ("labelme", labelme_of(shape_type="rectangle"), "tooth '48' drawn as 'rectangle'; a polygon"),
    ("labelme", labelme_of(shape_type="circle"), "tooth '48' drawn as 'circle'; a polygon or mask"),
    ("labelme", labelme_of(points=[[1, "2"]]), "tooth '48' without a list of points"),
    ("labelme", labelme_of(shape_type="mask", mask="AA"), "The bitmap of '48' in .* is empty"),
    ("labelme", labelme_of(shape_type="mask"), "tooth '48' drawn as 'mask'"),
    ("labelme", labelme_of().replace("64", "65"), "says 65 x 128 pixels, but its radiograph"),
    ("yolo", "9 0.1 0.1 0.1 0.2 0.2 0.2", "the number of one of 4 classes, then .*" + YOLO_LINE),
    ("yolo", "48 0.1 0.1 0.1 0.2 0.2 0.2", "has the line '48 0.1 .*" + YOLO_LINE),
    ("yolo", "1 0.1 0.1 0.1 0.2 0.2", YOLO_LINE),
    ("yolo", "1 10 10 10 20 20 20", YOLO_LINE),
    ("yolo", "1 0.1 nan 0.1 0.2 0.2 0.2", YOLO_LINE),
    ("yolo", "1 0.1 0.1 tooth", YOLO_LINE),
    ("yolo", "1 0.5 0.5 0.1 0.2", "tooth '48' drawn as a box; an outline was expected"),
]


@pytest.mark.parametrize(("source", "content", "reason"), SET_ASIDE)
def test_a_radiograph_whose_annotation_is_no_use_is_set_aside(tmp_path, source, content, reason):
    save(tmp_path, "images/1.jpg", "images/2.jpg")
    drawn = [Drawn(name, SIZE, TEETH[1:2]) for name in ("1.jpg", "2.jpg")]
    WRITERS[source](tmp_path, drawn, CLASSES)
    folder, suffix = ("labels", "txt") if source == "yolo" else ("labelme", "json")
    write(tmp_path / folder / f"2.{suffix}", content)
    found = labels_of(READERS[source], tmp_path)
    sentences = [entry for entry in found.values() if isinstance(entry, str)]
    assert len(sentences) == 1 and re.search(reason, sentences[0]), sentences
    assert sentences[0].endswith(".") and "\n" not in sentences[0]


def test_a_file_of_labelme_beside_a_radiograph_is_of_that_one_or_sets_it_aside(
    tmp_path, run_prepare
):
    raw = save(tmp_path / "raw", *(f"a/{number}.jpg" for number in range(1, 5)))
    for number, image in enumerate(("1.jpg", "old/1.jpg", "3.png", ""), start=1):
        write(raw / f"a/{number}.json", labelme_of(image))
    rows, problems = run_prepare(raw, most_problems=0.5, source="labelme")
    assert [(row["id"], row["labelled"]) for row in rows] == [("1", "1"), ("3", "1"), ("4", "1")]
    assert [problem["id"] for problem in problems] == ["2"]
    expected = "a/2.json lies beside the radiograph of its name, but its 'imagePath' is "
    assert f"{expected}'old/1.jpg'; correct" in problems[0]["reason"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("source", ["coco", "labelme", "supervisely"])
def test_json_files_are_read_in_any_unicode(tmp_path, run_prepare, source, encoding):
    raw = save(tmp_path / "raw", "images/1.jpg")
    WRITERS[source](raw, [Drawn("1.jpg", SIZE, TEETH)], CLASSES)
    for file in raw.rglob("*.json"):
        file.write_text(file.read_text(), encoding=encoding)
    rows, _ = run_prepare(raw, "auto")
    assert [row["teeth"] for row in rows] == ["2"]


def test_annotations_of_no_image_stop_the_run_only_where_most_are(tmp_path, run_prepare):
    raw = save(tmp_path / "raw", "1.jpg")
    write_coco(raw, [Drawn("1.jpg", SIZE, TEETH[:2])], CLASSES)
    content = json.loads((raw / "annotations.json").read_text())
    content["annotations"] += [entry | {"image_id": 7} for entry in content["annotations"]]
    write(raw / "annotations.json", json.dumps(content))
    rows, problems = run_prepare(raw, "coco")
    assert [row["teeth"] for row in rows] == ["2"] and "2 annotations are of" in str(problems)
    content["annotations"] += content["annotations"][-1:]
    write(raw / "annotations.json", json.dumps(content))
    sentence = "3 of 5 annotations in .*annotations.json belong to no radiograph: 7, for example"
    with pytest.raises(InputError, match=sentence):
        run_prepare(raw, "coco")


REFUSED = [
    (
        "coco",
        {"a.json": '{"images": [], "annotations": [], "categories": []}'},
        "^No image is listed in .*a.json, as in an empty project; .* Export the project again",
    ),
    ("coco", {}, "holds no COCO annotation, a JSON file with .* or set data.source to 'auto'"),
    ("coco", {"a.json": '{"images": [], "annot'}, "a.json is not a COCO annotation .*EOF"),
    ("coco", {"a.json": '{"images": [], "annotations": []}'}, "categories: Field required"),
    (
        "coco",
        {
            "a.json": '{"images": [{"id": 1, "file_name": "a"}, {"id": "1", "file_name": "b"}], '
            '"categories": [], "annotations": []}'
        },
        "a.json has several images with the id 1, so it is not clear",
    ),
    (
        "coco",
        {
            "a.json": '{"images": [], "annotations": [], '
            '"categories": [{"id": 1, "name": 11}, {"id": 1, "name": 12}]}'
        },
        "a.json has several categories with the id 1, so it is not clear",
    ),
    ("labelme", {"a.json": "{}"}, "holds no annotation of LabelMe, .* set data.source to 'auto'"),
    ("yolo", {"data.yaml": "names: [1]"}, "has no text file in .* set data.source to 'auto'"),
    ("yolo", {"labels/1.txt": ""}, "has no file that names classes, but one list"),
    ("yolo", {"labels/1.txt": "", "data.yaml": "names: ["}, "data.yaml does not name classes"),
    ("yolo", {"labels/1.txt": "", "data.yaml": "names: 7"}, "data.yaml does not name classes"),
    (
        "yolo",
        {"labels/1.txt": "", "data.yaml": "names: [1]", "classes.txt": "2"},
        "data.yaml and .*classes.txt that names classes, but one list",
    ),
]


@pytest.mark.parametrize(("source", "files", "reason"), REFUSED)
def test_a_folder_of_something_else_is_refused(tmp_path, source, files, reason):
    for file, text in files.items():
        write(tmp_path / file, text)
    with pytest.raises(InputError, match=reason):
        READERS[source].find_records(tmp_path, Layout())


# --- Whatever is in the files ---

#: Of a run of each format; MASKEDTEETH_FUZZ can ask for more.
EXAMPLES = int(os.environ.get("MASKEDTEETH_FUZZ", 50))
FILES = {
    "coco": ["annotations.json"],
    "labelme": ["labelme/1.json"],
    "yolo": ["labels/1.txt", "data.yaml"],
    "supervisely": ["ann/1.jpg.json"],
}
NUMBERS = st.sampled_from([-1, 0, 0.5, 1e300, 10**30, 2**31, float("nan"), True])
STRANGE = NUMBERS | st.sampled_from(
    ["", "é", "\0", "../../x", "o" * 99, None, [], {}, [[]], [None]]
)
BYTES = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=4)


def with_something_else(value, draw):
    """Put something strange in the place of a part of a JSON value, or take the part out."""
    places = (
        range(len(value))
        if isinstance(value, list)
        else list(value if isinstance(value, dict) else ())
    )
    if not places or draw(st.integers(0, 6)) == 0:
        return draw(STRANGE)
    changed, place = value.copy(), draw(st.sampled_from(places))
    if draw(st.integers(0, 6)) == 0:
        del changed[place]
    else:
        changed[place] = with_something_else(value[place], draw)
    return changed


def changed_file(text, draw):
    """Change a JSON file, or the words of another one, and perhaps single bytes of it."""
    try:
        text = json.dumps(with_something_else(json.loads(text), draw))
    except json.JSONDecodeError:
        words = text.split(" ")
        words[draw(st.integers(0, len(words) - 1))] = str(draw(STRANGE))
        text = " ".join(words)
    content = bytearray(text.encode() or b" ")
    for place, value in draw(BYTES) if draw(st.booleans()) else ():
        content[place % len(content)] = value
    return bytes(content)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("source", FILES)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_a_file_holds_it_is_teeth_or_a_sentence(source, data):
    with tempfile.TemporaryDirectory() as folder:
        root = save(Path(folder), "images/1.jpg", "images/2.jpg")
        drawn = [Drawn(f"{name}.jpg", SIZE, TEETH) for name in (1, 2)]
        WRITERS[source](root, drawn, CLASSES)
        if source == "coco" and data.draw(st.booleans()):
            text = (root / FILES[source][0]).read_text()
            ring = json.dumps(SQUARE.ravel().tolist())
            rle = {"size": SIZE, "counts": packed(np.eye(*SIZE, dtype=np.uint8))}
            write(root / FILES[source][0], text.replace(f"[{ring}]", json.dumps(rle)))
        file = root / data.draw(st.sampled_from(FILES[source]))
        file.write_bytes(changed_file(file.read_text(), data.draw))
        try:
            found = labels_of(READERS[source], root)
        except InputError as error:
            found = {"1": str(error)}
        for result in found.values():
            if isinstance(result, str):
                assert str(root) in result and result.endswith(".") and "\n" not in result, result
            else:
                assert result.shape == SIZE and set(np.unique(result)) <= {0, *range(1, 33), 99}
