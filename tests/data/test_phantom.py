"""The phantom is deterministic, readable as the paper's dataset, and as wrong as it says."""

import json

import cv2
import numpy as np
import pytest

from maskedteeth.data import phantom
from maskedteeth.data.phantom import draw, draw_dataset
from maskedteeth.data.pixels import decode_grey, read_file
from maskedteeth.data.sources import hitl
from maskedteeth.settings.config import Layout, Phantom

SEED, HEIGHT, IMAGES = 7, 128, 40
LAYOUT = Layout(source="phantom")
NUMBERS = {str(number): number for number in range(1, 33)}
SETTINGS = Phantom(images=IMAGES, seed=SEED, height=HEIGHT, error_rate=0.5)


@pytest.fixture(scope="module")
def radiographs():
    return {number: draw(SEED, number, HEIGHT) for number in range(1, IMAGES + 1)}


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantom") / "raw"
    draw_dataset(SETTINGS, raw=folder)
    return folder


@pytest.fixture(scope="module")
def records(raw):
    """All that the reader of the paper's dataset finds, by number."""
    found = hitl.find_records(raw, LAYOUT)
    assert found.problems == []
    return {int(record.id): record for record in found.records}


@pytest.fixture(scope="module")
def errors(raw):
    """The injected errors by number; none has two."""
    listed = json.loads((raw / "injected_errors.json").read_text())
    return {int(number): found[0] for number, found in listed.items() if found}


def read(record):
    """Return the pixels and the annotation of a radiograph as the workflow reads them."""
    pixels = decode_grey(read_file(record.image), record.image)
    return pixels, record.read(pixels.shape, NUMBERS)


def figures(record):
    return json.loads(record.annotation.read_text())["objects"]


def labels_of(radiograph):
    labels = np.zeros(radiograph.pixels.shape, np.uint8)
    for tooth in radiograph.teeth:
        cv2.fillPoly(labels, [tooth.outline], tooth.number)
    return labels


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}


def test_the_same_settings_write_the_same_bytes_on_any_number_of_threads(raw, tmp_path):
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(5 if threads == 1 else 1)
        draw_dataset(SETTINGS, raw=tmp_path / "raw")
    finally:
        cv2.setNumThreads(threads)
    assert contents(tmp_path / "raw") == contents(raw)


def test_a_radiograph_depends_on_seed_and_number_alone(radiographs, records, tmp_path):
    draw_dataset(SETTINGS.model_copy(update={"images": 10, "error_rate": 0}), raw=tmp_path / "raw")
    for record in hitl.find_records(tmp_path / "raw", LAYOUT).records:
        assert record.image.read_bytes() == records[int(record.id)].image.read_bytes()
    assert not np.array_equal(draw(SEED + 1, 1, HEIGHT).pixels, radiographs[1].pixels)


def test_the_patient_does_not_depend_on_the_height(radiographs):
    small, large = radiographs[1], draw(SEED, 1, 4 * HEIGHT)
    assert [tooth.number for tooth in large.teeth] == [tooth.number for tooth in small.teeth]
    shrunk = cv2.resize(large.pixels, small.pixels.shape[::-1], interpolation=cv2.INTER_AREA)
    assert cv2.absdiff(shrunk, small.pixels).mean() < 8


def test_every_radiograph_is_read_with_the_teeth_that_are_drawn(records, radiographs, errors):
    assert set(records) == set(radiographs)
    for number, record in records.items():
        pixels, annotation = read(record)
        assert annotation.labelled == (number != phantom.UNLABELLED)
        if number not in {*errors, phantom.UNLABELLED, phantom.DUPLICATE, phantom.INTERIOR_RING}:
            drawn = radiographs[number]
            assert cv2.absdiff(pixels, drawn.pixels).mean() < 3  # it is a JPEG
            assert annotation.teeth == len(drawn.teeth)
            assert (annotation.labels == labels_of(drawn)).all()


def test_numbers_are_universal(radiographs):
    x = {number: [] for number in range(1, 33)}
    for radiograph in radiographs.values():
        numbers = [tooth.number for tooth in (*radiograph.teeth, *radiograph.gaps)]
        assert len(set(numbers)) == len(numbers)
        assert len(radiograph.teeth) >= 8
        for tooth in radiograph.teeth:
            x[tooth.number].append(tooth.outline[:, 0].mean())
    assert all(x.values())  # each of the 32 is somewhere, and somewhere else it is missing
    assert all(len(found) < IMAGES for found in x.values())
    mean = [np.mean(found) for found in x.values()]
    assert (np.diff(mean[:16]) > 0).all()  # the upper jaw from left to right
    assert (np.diff(mean[16:]) < 0).all()  # the lower jaw back


def test_teeth_stand_out_but_no_threshold_finds_them(radiographs):
    best, share = [], []
    for radiograph in radiographs.values():
        mask, pixels = labels_of(radiograph).clip(max=1), radiograph.pixels
        around = cv2.dilate(mask, np.ones((9, 9), np.uint8)) > mask
        assert pixels[mask > 0].mean() > pixels[around].mean() + 3
        above = [pixels > threshold for threshold in range(0, 255, 5)]
        best.append(max(2 * (a & mask).sum() / (a.sum() + mask.sum()) for a in above))
        share.append(mask.mean())
    assert np.mean(best) < 0.6
    assert np.mean(share) == pytest.approx(0.145, abs=0.03)  # as in the paper's dataset


def test_one_radiograph_stands_twice_with_other_bytes_and_other_outlines(records):
    one, two = records[phantom.DUPLICATED], records[phantom.DUPLICATE]
    assert one.image.read_bytes() != two.image.read_bytes()
    assert (read(one)[0] == read(two)[0]).all()
    assert one.annotation.read_bytes() != two.annotation.read_bytes()
    pixels = {
        decode_grey(read_file(record.image), record.image).tobytes() for record in records.values()
    }
    assert len(pixels) == IMAGES - 1


def test_the_traps_of_the_real_dataset_are_set(records):
    def those(condition):
        return [n for n, record in records.items() if any(map(condition, figures(record)))]

    def is_flat(figure):
        return cv2.contourArea(np.array(figure["points"]["exterior"], np.int32)) == 0

    assert those(lambda f: f["classTitle"] == "13(polygon)") == [phantom.STRAY_LINE]
    assert those(lambda f: f["geometryType"] != "polygon") == [phantom.STRAY_LINE]
    assert set(those(is_flat)) == {phantom.STRAY_LINE, phantom.ZERO_AREA}
    assert those(lambda f: f["points"]["interior"]) == [phantom.INTERIOR_RING]
    assert [n for n, record in records.items() if not figures(record)] == [phantom.UNLABELLED]


def test_the_errors_are_where_the_list_says(records, radiographs, errors):
    assert len(errors) == round(SETTINGS.error_rate * IMAGES)
    assert {error["kind"] for error in errors.values()} == set(phantom.ERRORS)
    assert not errors.keys() & {phantom.UNLABELLED, phantom.DUPLICATE}
    for number in errors.keys() - {phantom.INTERIOR_RING}:
        x0, y0, x1, y1 = errors[number]["bbox"]
        wrong = read(records[number])[1].labels != labels_of(radiographs[number])
        inside = wrong[y0 : y1 + 1, x0 : x1 + 1]
        assert wrong.sum() == inside.sum() > 0
        assert inside.size < 0.06 * wrong.size


def test_contrast_draws_the_same_with_grey_values_nearer_to_middle_grey(radiographs, tmp_path):
    draw_dataset(SETTINGS.model_copy(update={"contrast": 0.5, "images": 10}), raw=tmp_path / "raw")
    for number in (1, 2):
        file = tmp_path / f"raw/Teeth Segmentation JSON/d2/img/{number}.jpg"
        wanted = 128 + 0.5 * (radiographs[number].pixels - 128.0)
        assert np.abs(decode_grey(read_file(file), file) - wanted).mean() < 2.5  # JPEG
