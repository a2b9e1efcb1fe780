"""Claims about the digital phantom."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskedteeth.data.phantom import (
    DUPLICATED,
    ERROR_KINDS,
    TRAPS,
    Radiograph,
    Tooth,
    draw,
    write_dataset,
)

HEIGHT = 128
SEED = 7
IMAGES = 16
ERROR_RATE = 0.5


def mask_of(radiograph: Radiograph) -> np.ndarray:
    """Return the union of the teeth, bool (H, W)."""
    mask = np.zeros(radiograph.pixels.shape, np.uint8)
    for tooth in radiograph.teeth:
        one = np.zeros_like(mask)
        cv2.fillPoly(one, [tooth.exterior, *tooth.interiors], 1)
        mask |= one
    return mask > 0


@pytest.fixture(scope="module")
def radiographs() -> list[Radiograph]:
    return [draw(SEED, number, HEIGHT) for number in range(1, 41)]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom")
    write_dataset(folder, images=IMAGES, seed=SEED, height=HEIGHT, error_rate=ERROR_RATE)
    return folder


def annotation(dataset: Path, number: int) -> dict:
    path = dataset / f"Teeth Segmentation JSON/d2/ann/{number}.jpg.json"
    return json.loads(path.read_text(encoding="utf-8"))


def read_image(dataset: Path, number: int) -> np.ndarray:
    path = dataset / f"Teeth Segmentation JSON/d2/img/{number}.jpg"
    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)


def contents(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


# --- Drawing -----------------------------------------------------------------------------------


def test_the_same_seed_draws_the_same_radiograph():
    first, second = draw(3, 5, HEIGHT), draw(3, 5, HEIGHT)
    assert np.array_equal(first.pixels, second.pixels)
    assert [tooth.exterior.tolist() for tooth in first.teeth] == [
        tooth.exterior.tolist() for tooth in second.teeth
    ]


def test_another_seed_or_number_draws_another_radiograph(radiographs):
    drawn = {radiograph.pixels.tobytes() for radiograph in radiographs}
    assert len(drawn) == len(radiographs)
    assert draw(SEED + 1, 1, HEIGHT).pixels.tobytes() not in drawn


def test_a_radiograph_does_not_depend_on_what_was_drawn_before(radiographs):
    assert np.array_equal(draw(SEED, 33, HEIGHT).pixels, radiographs[32].pixels)


def test_a_radiograph_does_not_depend_on_the_number_of_threads(radiographs):
    threads = cv2.getNumThreads()
    try:
        for count in (1, 2, 5):
            cv2.setNumThreads(count)
            for number in range(1, 6):
                drawn = draw(SEED, number, HEIGHT).pixels
                assert np.array_equal(drawn, radiographs[number - 1].pixels)
    finally:
        cv2.setNumThreads(threads)


def test_radiographs_are_twice_as_wide_as_high_and_vary_in_width(radiographs):
    shapes = [radiograph.pixels.shape for radiograph in radiographs]
    assert {height for height, _ in shapes} == {HEIGHT}
    assert all(1.88 < width / height < 2.08 for height, width in shapes)
    assert len({width for _, width in shapes}) > 1


@pytest.mark.parametrize("height", [64, 97, 512])
def test_the_anatomy_does_not_depend_on_the_height(height, radiographs):
    scaled = draw(SEED, 1, height)
    assert [tooth.number for tooth in scaled.teeth] == [t.number for t in radiographs[0].teeth]
    expected = radiographs[0].teeth[0].exterior.mean(axis=0) / HEIGHT
    assert scaled.teeth[0].exterior.mean(axis=0) / height == pytest.approx(expected, abs=0.02)


def test_outlines_are_integer_points_inside_the_image(radiographs):
    for radiograph in radiographs:
        height, width = radiograph.pixels.shape
        for tooth in (*radiograph.teeth, *radiograph.gaps):
            for ring in (tooth.exterior, *tooth.interiors):
                assert ring.dtype == np.int32
                assert ring.ndim == 2 and ring.shape[1] == 2 and len(ring) >= 3
                assert (ring >= 0).all() and (ring < [width, height]).all()
                assert (ring != np.roll(ring, 1, axis=0)).any(axis=1).all()


def test_every_tooth_has_a_plausible_area(radiographs):
    for radiograph in radiographs:
        shares = [cv2.contourArea(t.exterior) / radiograph.pixels.size for t in radiograph.teeth]
        assert min(shares) > 0.001 and max(shares) < 0.015


def test_each_number_stands_once_as_a_tooth_or_a_gap(radiographs):
    for radiograph in radiographs:
        numbers = [tooth.number for tooth in (*radiograph.teeth, *radiograph.gaps)]
        assert len(set(numbers)) == len(numbers)
        assert set(numbers) <= set(range(1, 33))
        assert len(radiograph.teeth) >= 8


def test_upper_teeth_run_left_to_right_above_lower_teeth_right_to_left(radiographs):
    centres = {n: [] for n in range(1, 33)}
    for radiograph in radiographs:
        for tooth in radiograph.teeth:
            centres[tooth.number].append(tooth.exterior.mean(axis=0))
    mean = np.array([np.mean(centres[number], axis=0) for number in range(1, 33)])
    assert (np.diff(mean[:16, 0]) > 0).all()
    assert (np.diff(mean[16:, 0]) < 0).all()
    assert (mean[:16, 1] < mean[31:15:-1, 1]).all()


def test_teeth_cover_the_share_of_the_real_dataset(radiographs):
    share = np.mean([mask_of(radiograph).mean() for radiograph in radiographs])
    assert share == pytest.approx(0.145, abs=0.02)


def test_some_teeth_have_an_interior_ring(radiographs):
    rings = sum(len(tooth.interiors) for r in radiographs for tooth in r.teeth)
    assert 1 <= rings < 40


def test_teeth_are_brighter_than_their_surroundings(radiographs):
    contrasts = []
    for radiograph in radiographs:
        mask = mask_of(radiograph)
        near = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        contrasts.append(
            radiograph.pixels[mask].mean() - radiograph.pixels[near & ~mask].mean(dtype=float)
        )
    assert np.mean(contrasts) > 15
    assert min(contrasts) > 0


def test_no_threshold_segments_the_teeth(radiographs):
    best = []
    for radiograph in radiographs:
        mask, pixels = mask_of(radiograph), radiograph.pixels
        above = [pixels > threshold for threshold in range(0, 255, 5)]
        best.append(max(2 * (a & mask).sum() / (a.sum() + mask.sum()) for a in above))
    assert np.mean(best) < 0.65
    assert max(best) < 0.8


def test_metal_saturates_somewhere(radiographs):
    assert np.mean([radiograph.pixels.max() >= 250 for radiograph in radiographs]) > 0.5


# --- The written dataset -------------------------------------------------------------------------


def test_the_same_settings_write_the_same_bytes(dataset, tmp_path):
    write_dataset(tmp_path, images=IMAGES, seed=SEED, height=HEIGHT, error_rate=ERROR_RATE)
    assert contents(tmp_path) == contents(dataset)


def test_a_radiograph_does_not_depend_on_the_number_of_radiographs(dataset, tmp_path):
    write_dataset(tmp_path, images=10, seed=SEED, height=HEIGHT, error_rate=0)
    for number in range(1, 11):
        assert np.array_equal(read_image(tmp_path, number), read_image(dataset, number))


def test_the_layout_is_that_of_the_real_dataset(dataset):
    expected = {"injected_errors.json"}
    expected |= {
        f"Teeth Segmentation JSON/{name}.json" for name in ("meta", "obj_class_to_machine_color")
    }
    for n in range(1, IMAGES + 1):
        expected |= {
            f"Teeth Segmentation JSON/d2/img/{n}.jpg",
            f"Teeth Segmentation JSON/d2/ann/{n}.jpg.json",
            f"Teeth Segmentation PNG/d2/img/{n}.jpg",
            f"Teeth Segmentation PNG/d2/masks_machine/{n}.png",
        }
    files = contents(dataset)
    assert set(files) == expected
    for n in range(1, IMAGES + 1):
        assert (
            files[f"Teeth Segmentation JSON/d2/img/{n}.jpg"]
            == files[f"Teeth Segmentation PNG/d2/img/{n}.jpg"]
        )


def test_annotations_have_the_fields_of_supervisely(dataset):
    meta = json.loads((dataset / "Teeth Segmentation JSON/meta.json").read_text())
    classes = {entry["title"]: entry for entry in meta["classes"]}
    assert set(classes) == {*map(str, range(1, 33)), "13(polygon)"}
    for number in range(1, IMAGES + 1):
        written = annotation(dataset, number)
        height, width = read_image(dataset, number).shape
        assert written["size"] == {"height": height, "width": width}
        ids = [item["id"] for item in written["objects"]]
        assert len(set(ids)) == len(ids)
        for item in written["objects"]:
            entry = classes[item["classTitle"]]
            assert item["classId"] == entry["id"]
            assert item["geometryType"] == entry["shape"]
            assert set(item["points"]) == {"exterior", "interior"}


def test_machine_masks_have_the_size_and_the_teeth_of_their_radiograph(dataset):
    for number in range(1, IMAGES + 1):
        path = dataset / f"Teeth Segmentation PNG/d2/masks_machine/{number}.png"
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert mask.shape == (*read_image(dataset, number).shape, 3)
        titles = {int(i["classTitle"]) for i in polygons(annotation(dataset, number))}
        assert set(np.unique(mask)) - {0} <= titles


def test_jpegs_keep_the_drawn_pixels_closely(dataset):
    drawn = draw(SEED, 1, HEIGHT).pixels.astype(float)
    assert np.abs(read_image(dataset, 1) - drawn).mean() < 2.5


# --- Traps ---------------------------------------------------------------------------------------


def polygons(written: dict) -> list[dict]:
    return [item for item in written["objects"] if item["geometryType"] == "polygon"]


def zero_area(item: dict) -> bool:
    return cv2.contourArea(np.array(item["points"]["exterior"], np.int32)) == 0


def test_one_radiograph_has_no_objects(dataset):
    empty = [n for n in range(1, IMAGES + 1) if not annotation(dataset, n)["objects"]]
    assert empty == [TRAPS["unlabelled"]]
    assert draw(SEED, TRAPS["unlabelled"], HEIGHT).teeth


def test_two_radiographs_have_the_same_pixels_in_different_files(dataset):
    pair = DUPLICATED, TRAPS["duplicate"]
    first, second = (read_image(dataset, number) for number in pair)
    assert np.array_equal(first, second)
    folder = dataset / "Teeth Segmentation JSON/d2/img"
    assert (folder / f"{pair[0]}.jpg").read_bytes() != (folder / f"{pair[1]}.jpg").read_bytes()
    distinct = {read_image(dataset, number).tobytes() for number in range(1, IMAGES + 1)}
    assert len(distinct) == IMAGES - 1


def test_the_stray_line_stands_on_one_radiograph(dataset):
    lines = [
        (number, item["classTitle"])
        for number in range(1, IMAGES + 1)
        for item in annotation(dataset, number)["objects"]
        if item["geometryType"] != "polygon"
    ]
    assert lines == [(TRAPS["stray_line"], "13(polygon)")]


def test_one_polygon_has_no_area(dataset):
    flat = [
        number
        for number in range(1, IMAGES + 1)
        for item in polygons(annotation(dataset, number))
        if zero_area(item)
    ]
    assert flat == [TRAPS["zero_area"]]


def test_an_interior_ring_lies_inside_its_exterior(dataset):
    found = 0
    for item in polygons(annotation(dataset, TRAPS["interior_ring"])):
        exterior = np.array(item["points"]["exterior"], np.int32)
        for ring in item["points"]["interior"]:
            found += 1
            assert all(
                cv2.pointPolygonTest(exterior, tuple(map(float, p)), False) > 0 for p in ring
            )
    assert found


def test_without_traps_every_annotation_is_the_drawn_truth(tmp_path):
    write_dataset(tmp_path, images=10, seed=SEED, height=HEIGHT, error_rate=0, traps=False)
    for number in range(1, 11):
        radiograph = draw(SEED, number, HEIGHT)
        written = annotation(tmp_path, number)["objects"]
        assert [item["classTitle"] for item in written] == [str(t.number) for t in radiograph.teeth]
        for item, tooth in zip(written, radiograph.teeth, strict=True):
            assert item["points"]["exterior"] == tooth.exterior.tolist()
            assert item["points"]["interior"] == [ring.tolist() for ring in tooth.interiors]


# --- Injected errors -----------------------------------------------------------------------------


def differences(truth: tuple[Tooth, ...], written: list[dict]) -> list[tuple[str, int]]:
    """Return (what, tooth) for every tooth that is annotated otherwise than it was drawn."""
    drawn = {tooth.number: tooth.exterior.tolist() for tooth in truth}
    given = {int(item["classTitle"]): item["points"]["exterior"] for item in written}
    found = [("left out", number) for number in drawn if number not in given]
    found += [("added", number) for number in given if number not in drawn]
    common = [number for number in drawn if number in given]
    return found + [("changed", number) for number in common if drawn[number] != given[number]]


def test_errors_are_injected_at_the_known_rate(dataset):
    errors = json.loads((dataset / "injected_errors.json").read_text())
    assert list(errors) == [str(number) for number in range(1, IMAGES + 1)]
    assert sum(len(found) for found in errors.values()) == round(ERROR_RATE * IMAGES)
    assert not errors[str(TRAPS["unlabelled"])] and not errors[str(TRAPS["duplicate"])]


@pytest.fixture(scope="module")
def mistaken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset in which every radiograph has an error."""
    folder = tmp_path_factory.mktemp("mistaken")
    write_dataset(folder, images=24, seed=SEED, height=64, error_rate=1, traps=False)
    return folder


@pytest.fixture(scope="module")
def comparisons(mistaken: Path) -> list[tuple[dict, Radiograph, list[dict]]]:
    """For every radiograph: the recorded error, what was drawn and what was written."""
    errors = json.loads((mistaken / "injected_errors.json").read_text())
    return [
        (error, draw(SEED, int(number), 64), annotation(mistaken, int(number))["objects"])
        for number, (error,) in errors.items()
    ]


def outlines_of(number: int, radiograph: Radiograph, written: list[dict]) -> list[np.ndarray]:
    """Return the true and the written outline of a tooth, as far as there are."""
    true = [tooth.exterior for tooth in radiograph.teeth if tooth.number == number]
    given = [item["points"]["exterior"] for item in written if item["classTitle"] == str(number)]
    return true + [np.array(exterior, np.int32) for exterior in given]


def test_the_record_of_errors_is_the_difference_to_the_drawn_truth(comparisons):
    effects = {
        "omitted": "left out",
        "invented": "added",
        "shifted": "changed",
        "resized": "changed",
    }
    for error, radiograph, written in comparisons:
        expected = (effects[error["kind"]], error["tooth"])
        assert differences(radiograph.teeth, written) == [expected]
    assert {error["kind"] for error, _, _ in comparisons} == set(ERROR_KINDS)


def test_the_bbox_of_an_error_holds_the_true_and_the_written_outline(comparisons):
    for error, radiograph, written in comparisons:
        points = np.vstack(outlines_of(error["tooth"], radiograph, written))
        assert error["bbox"] == [*points.min(axis=0), *points.max(axis=0)]


def test_a_resized_outline_has_a_grossly_different_area(comparisons):
    for error, radiograph, written in comparisons:
        if error["kind"] == "resized":
            true, given = outlines_of(error["tooth"], radiograph, written)
            ratio = cv2.contourArea(given) / cv2.contourArea(true)
            assert ratio < 0.6 or ratio > 1.7


def test_a_shifted_outline_keeps_its_area_and_leaves_much_of_its_tooth(comparisons):
    for error, radiograph, written in comparisons:
        if error["kind"] == "shifted":
            true, given = outlines_of(error["tooth"], radiograph, written)
            assert cv2.contourArea(given) == pytest.approx(cv2.contourArea(true), rel=0.25)
            filled = [
                cv2.fillPoly(np.zeros_like(radiograph.pixels), [points], 1) > 0
                for points in (true, given)
            ]
            overlap = (filled[0] & filled[1]).sum() / (filled[0] | filled[1]).sum()
            assert overlap < 0.75
