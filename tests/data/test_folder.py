import cv2
import numpy as np
import pytest

from maskedteeth.data.records import natural_order
from maskedteeth.data.sources import folder
from maskedteeth.errors import InputError
from maskedteeth.settings.sections import Layout

LAYOUT = Layout(source="folder", images="xrays", masks="teeth")


@pytest.fixture
def root(tmp_path):
    for name in ("xrays", "teeth"):
        (tmp_path / name).mkdir()
    return tmp_path


def save(file, pixels):
    assert cv2.imwrite(str(file), np.asarray(pixels, np.uint8))


def find(root):
    return folder.find_records(root, LAYOUT)[0]


def test_radiographs_and_masks_are_paired_by_name_whatever_the_suffix(root):
    for name in ("a.jpg", "b.png", "10.bmp", "2.tif"):
        save(root / "xrays" / name, np.zeros((4, 6)))
    for name in ("b.png", "a.png", "10.png", "unrelated.png"):
        save(root / "teeth" / name, np.zeros((4, 6)))
    pairs = [(r.id, r.image.name, r.annotation and r.annotation.name) for r in find(root)]
    assert pairs == [
        ("2", "2.tif", None),
        ("10", "10.bmp", "10.png"),
        ("a", "a.jpg", "a.png"),
        ("b", "b.png", "b.png"),
    ]


def test_numbers_sort_by_value_and_before_words():
    names = ["b", "10", "2", "a10", "1", "002"]
    assert sorted(names, key=natural_order) == ["1", "002", "2", "10", "a10", "b"]


def test_a_radiograph_without_a_mask_is_unlabelled_and_one_with_an_empty_mask_is_edentulous(root):
    for file in ("xrays/1.png", "xrays/2.png", "teeth/2.png"):
        save(root / file, np.zeros((4, 6)))
    without, edentulous = (folder.read_annotation(r, 4, 6) for r in find(root))
    assert not without.labelled and without.mask.shape == (4, 6) and not without.mask.any()
    assert edentulous.labelled and not edentulous.mask.any()


def test_pixels_above_half_of_full_scale_are_tooth(root):
    save(root / "xrays" / "1.png", np.zeros((1, 8)))
    save(root / "teeth" / "1.png", [[0, 127, 128, 255, 255, 255, 0, 0]])
    annotation = folder.read_annotation(find(root)[0], 1, 8)
    assert annotation.mask.tolist() == [[0, 0, 1, 1, 1, 1, 0, 0]]
    assert annotation.mask.dtype == np.uint8 and annotation.teeth is None


def test_a_missing_or_empty_folder_is_named_with_its_setting(root):
    with pytest.raises(InputError, match="xrays holds no image"):
        find(root)
    save(root / "xrays" / "1.png", np.zeros((4, 6)))
    with pytest.raises(InputError, match="masks is not a folder.*data.masks"):
        folder.find_records(root, Layout(source="folder", images="xrays", masks="masks"))
