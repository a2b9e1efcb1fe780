import json

import cv2
import numpy as np
import pytest

from maskedteeth.data.index import index
from maskedteeth.data.prepare import prepare, resized_radiograph
from maskedteeth.errors import InputError
from maskedteeth.files import read_csv
from maskedteeth.settings.sections import Image, Layout

FOLDER = Layout(source="folder")
SIZE = (1024, 2041)  # most radiographs of the paper's dataset
TARGET = (256, 512)


def run(raw, out, layout=FOLDER, height=32, width=64):
    files = {name: out / f"{name}.npy" for name in ("images", "masks")}
    table = out / "index.csv"
    if not table.exists():
        index(layout, raw=raw, index=table, problems=out / "problems.csv")
    prepare(layout, Image(height=height, width=width), raw=raw, index=table, **files)
    return np.load(files["images"]), np.load(files["masks"])


def resized(file, size, target=TARGET):
    return resized_radiograph(file.read_bytes(), file, size, target)


def averaged(pixels, target=TARGET):
    """Decode whole, then average over areas: what the fast way is compared with."""
    return cv2.resize(pixels, target[::-1], interpolation=cv2.INTER_AREA).astype(float)


def like_a_radiograph(seed):
    """Soft shadows, teeth, saturated metal and grain, as sharp as a scanner makes them, uint8."""
    generator = np.random.default_rng(seed)
    coarse = generator.uniform(20, 160, (9, 17)).astype(np.float32)
    pixels = cv2.resize(coarse, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    for k in range(26):
        centre = (150 + 68 * k, int(450 + generator.integers(-40, 40)))
        cv2.ellipse(pixels, centre, (28, 90), 0, 0, 360, float(generator.uniform(150, 210)), -1)
        if k % 6 == 0:
            cv2.circle(pixels, centre, 15, 255.0, -1)
    pixels = cv2.GaussianBlur(pixels + generator.normal(0, 15, SIZE), (0, 0), 2.0)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def test_arrays_hold_every_radiograph_in_the_order_of_the_index(tmp_path, write_folder, radiograph):
    raw = write_folder(tmp_path / "raw", 11, labelled=10)
    images, masks = run(raw, tmp_path)
    assert images.shape == masks.shape == (11, 32, 64)
    assert images.dtype == masks.dtype == np.uint8
    assert [row["id"] for row in read_csv(tmp_path / "index.csv")][1:3] == ["2", "3"]
    for position in range(11):
        image, mask = radiograph(position + 1)
        quarters = image.reshape(32, 2, 64, 2).mean((1, 3))
        assert np.abs(images[position] - quarters).max() <= 0.5
        tooth = mask.reshape(32, 2, 64, 2).mean((1, 3)) >= 127.5
        assert (masks[position] == (tooth if position < 10 else 0)).all()


def test_a_pixel_is_tooth_where_tooth_covers_at_least_half(tmp_path, write_folder):
    raw = write_folder(tmp_path / "raw", 1)
    mask = np.zeros((64, 128), np.uint8)
    mask[0, 0] = mask[0:2, 2] = mask[0:2, 4] = mask[0, 5] = mask[0:2, 6:8] = 255
    cv2.imwrite(str(raw / "masks" / "1.png"), mask)
    _, masks = run(raw, tmp_path)
    assert masks[0, 0, :5].tolist() == [0, 1, 1, 1, 0]


def test_polygons_become_masks_at_the_small_size(tmp_path, radiograph):
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
    _, masks = run(tmp_path / "raw", tmp_path, Layout(source="hitl"))
    expected = np.zeros((32, 64), np.uint8)
    expected[8:24, 8:40] = 1
    assert (masks[0] == expected).all() and not masks[1].any()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_decoding_at_half_the_size_loses_little(tmp_path, suffix):
    for seed in range(2):
        file = tmp_path / f"{seed}{suffix}"
        cv2.imwrite(str(file), like_a_radiograph(seed))
        fast = resized(file, SIZE)
        assert fast.shape == TARGET and fast.dtype == np.uint8
        error = np.abs(fast - averaged(cv2.imread(str(file), 0))).mean()
        assert error < (0.6 if suffix == ".jpg" else 0.25)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("factor", [2, 4, 8])
def test_fine_grain_is_averaged_and_not_sampled(tmp_path, suffix, factor):
    grain = np.random.default_rng(0).integers(0, 256, (64 * factor, 128 * factor), np.uint8)
    file = tmp_path / f"grain{suffix}"
    cv2.imwrite(str(file), grain, [cv2.IMWRITE_JPEG_QUALITY, 95] if suffix == ".jpg" else [])
    small = resized(file, grain.shape, (64, 128))
    expected = averaged(cv2.imread(str(file), 0), (64, 128))
    assert np.abs(small - expected).mean() < 0.5


def test_a_radiograph_smaller_than_the_target_is_enlarged(tmp_path, radiograph):
    cv2.imwrite(str(tmp_path / "small.png"), radiograph(1)[0])
    assert resized(tmp_path / "small.png", (64, 128), (96, 192)).shape == (96, 192)


@pytest.mark.parametrize("part", ["images", "masks"])
def test_a_file_that_changed_since_the_index_is_one_sentence(tmp_path, write_folder, part):
    raw = write_folder(tmp_path / "raw", 3)
    run(raw, tmp_path)
    before = (tmp_path / "images.npy").read_bytes()
    file, other = (raw / part / f"{number}.png" for number in (2, 3))
    file.write_bytes(other.read_bytes())
    sentence = rf"{part}/2\.png has changed .* Remove .*index\.csv and start the same command again"
    with pytest.raises(InputError, match=sentence):
        run(raw, tmp_path)
    assert (tmp_path / "images.npy").read_bytes() == before
    (tmp_path / "index.csv").unlink()
    assert len(run(raw, tmp_path)[0]) == 3
    file.unlink()
    with pytest.raises(InputError, match=r"2\.png does not exist; restore it"):
        run(raw, tmp_path)


@pytest.mark.real_data
@pytest.mark.parametrize("target", [(96, 192), (128, 256), TARGET])
def test_decoding_real_radiographs_at_half_their_size_loses_little(real_radiographs, target):
    errors = []
    for file in sorted((real_radiographs / "images").iterdir()):
        pixels = cv2.imread(str(file), 0)
        fast = resized(file, pixels.shape, target)
        errors.append(np.abs(fast - averaged(pixels, target)).mean())
    print(f"mean {np.mean(errors):.3f}, worst radiograph {max(errors):.3f} grey levels")
    assert np.mean(errors) < 0.5 and max(errors) < 1


@pytest.mark.real_data
def test_real_masks_keep_their_area(real_radiographs, tmp_path):
    images, masks = run(real_radiographs, tmp_path, height=256, width=512)
    assert len(images) == 99 and images.std() > 20
    for row, mask in zip(read_csv(tmp_path / "index.csv"), masks, strict=True):
        assert mask.mean() == pytest.approx(float(row["tooth_fraction"]), abs=0.003)
