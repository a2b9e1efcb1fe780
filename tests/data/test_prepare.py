import json

import cv2
import numpy as np
import pytest

from maskedteeth.data.prepare import resized_radiograph
from maskedteeth.errors import InputError

SIZE = (1024, 2041)  # most radiographs of the paper's dataset
TARGET = (256, 512)


def resized(file, size, target=TARGET):
    return resized_radiograph(file.read_bytes(), file, size, target)


def averaged(pixels, target=TARGET):
    """Decode whole, then average over areas: what the fast way is compared with."""
    return cv2.resize(pixels, target[::-1], interpolation=cv2.INTER_AREA).astype(float)


def like_a_radiograph():
    """Soft shadows, teeth, saturated metal and grain, as sharp as a scanner makes them, uint8."""
    generator = np.random.default_rng(0)
    coarse = generator.uniform(20, 160, (9, 17)).astype(np.float32)
    pixels = cv2.resize(coarse, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    for k in range(26):
        centre = (150 + 68 * k, int(450 + generator.integers(-40, 40)))
        cv2.ellipse(pixels, centre, (28, 90), 0, 0, 360, float(generator.uniform(150, 210)), -1)
        if k % 6 == 0:
            cv2.circle(pixels, centre, 15, 255.0, -1)
    pixels = cv2.GaussianBlur(pixels + generator.normal(0, 15, SIZE), (0, 0), 2.0)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def test_arrays_hold_every_radiograph_in_the_order_of_the_index(
    tmp_path, write_folder, radiograph, run_index, run_prepare
):
    raw = write_folder(tmp_path / "raw", 11, labelled=10)
    rows, _ = run_index(raw)
    images, masks = run_prepare(raw, height=32, width=64)
    assert images.shape == masks.shape == (11, 32, 64)
    assert images.dtype == masks.dtype == np.uint8
    assert [row["id"] for row in rows] == [str(number) for number in range(1, 12)]
    for position in range(11):
        image, mask = radiograph(position + 1)
        quarters = image.reshape(32, 2, 64, 2).mean((1, 3))
        assert np.abs(images[position] - quarters).max() <= 0.5
        tooth = mask.reshape(32, 2, 64, 2).mean((1, 3)) >= 127.5  # at least half of the pixel
        assert (masks[position] == (tooth if position < 10 else 0)).all()


def test_polygons_become_masks_at_the_small_size(tmp_path, radiograph, run_index, run_prepare):
    base = tmp_path / "raw" / "Teeth Segmentation JSON" / "d2"
    for part in ("img", "ann"):
        (base / part).mkdir(parents=True)
    corners = [[16, 16], [79, 16], [79, 47], [16, 47]]
    tooth = {"classTitle": "3", "geometryType": "polygon"}
    tooth["points"] = {"exterior": corners, "interior": []}
    for name, objects in (("1", [tooth]), ("2", [])):
        cv2.imwrite(str(base / "img" / f"{name}.jpg"), radiograph(int(name))[0])
        annotation = {"size": {"height": 64, "width": 128}, "objects": objects}
        (base / "ann" / f"{name}.jpg.json").write_text(json.dumps(annotation))
    run_index(tmp_path / "raw", "hitl")
    _, masks = run_prepare(tmp_path / "raw", "hitl", height=32, width=64)
    expected = np.zeros((32, 64), np.uint8)
    expected[8:24, 8:40] = 1
    assert (masks[0] == expected).all() and not masks[1].any()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_decoding_at_half_the_size_loses_little(tmp_path, suffix):
    file = tmp_path / f"1{suffix}"
    cv2.imwrite(str(file), like_a_radiograph())
    fast = resized(file, SIZE)
    assert fast.shape == TARGET and fast.dtype == np.uint8
    error = np.abs(fast - averaged(cv2.imread(str(file), 0))).mean()
    assert error < (0.6 if suffix == ".jpg" else 0.25)


@pytest.mark.parametrize("factor", [2, 8])
def test_fine_grain_is_averaged_and_not_sampled(tmp_path, factor):
    grain = np.random.default_rng(0).integers(0, 256, (64 * factor, 128 * factor), np.uint8)
    cv2.imwrite(str(tmp_path / "grain.jpg"), grain, [cv2.IMWRITE_JPEG_QUALITY, 95])
    small = resized(tmp_path / "grain.jpg", grain.shape, (64, 128))
    expected = averaged(cv2.imread(str(tmp_path / "grain.jpg"), 0), (64, 128))
    assert np.abs(small - expected).mean() < 0.5


def test_a_radiograph_smaller_than_the_target_is_enlarged(tmp_path, radiograph):
    cv2.imwrite(str(tmp_path / "small.png"), radiograph(1)[0])
    assert resized(tmp_path / "small.png", (64, 128), (96, 192)).shape == (96, 192)


def test_a_file_that_has_gone_since_the_index_is_a_sentence_and_leaves_no_array(
    tmp_path, write_folder, run_index, run_prepare
):
    raw = write_folder(tmp_path / "raw", 3)
    run_index(raw)
    (raw / "masks" / "2.png").unlink()
    with pytest.raises(InputError, match=r"2\.png does not exist; restore it"):
        run_prepare(raw)
    assert not list(tmp_path.glob("*.npy"))


@pytest.mark.real_data
@pytest.mark.parametrize("target", [(96, 192), (128, 256), TARGET])
def test_decoding_real_radiographs_at_half_their_size_loses_little(real_radiographs, target):
    errors = []
    for file in sorted((real_radiographs / "images").iterdir()):
        pixels = cv2.imread(str(file), 0)
        fast = resized(file, pixels.shape, target)
        errors.append(np.abs(fast - averaged(pixels, target)).mean())
    assert np.mean(errors) < 0.5 and max(errors) < 1
