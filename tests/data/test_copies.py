"""Copies of a radiograph are near by the perceptual hash, different radiographs are not."""

import cv2
import numpy as np
import pytest

from maskedteeth.data.copies import NEAR, all_distances, distances, near_pairs, perceptual_hash
from maskedteeth.data.phantom import draw


def recompressed(pixels, quality):
    encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)


def rescaled(pixels, factor):
    return cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def gamma(pixels, exponent):
    return (255 * (pixels / 255.0) ** exponent).astype(np.uint8)


CHANGES = {
    "quality 50": lambda x: recompressed(x, 50),
    "quality 10": lambda x: recompressed(x, 10),
    "half the size": lambda x: rescaled(x, 0.5),
    "other sides": lambda x: cv2.resize(x, None, fx=0.5, fy=0.6),
    "brighter": lambda x: cv2.add(x, 40),
    "darker": lambda x: cv2.subtract(x, 40),
    "half the contrast": lambda x: cv2.addWeighted(x, 0.5, x, 0, 64),
    "more contrast": lambda x: cv2.addWeighted(x, 1.5, x, 0, -64),
    "gamma 0.5": lambda x: gamma(x, 0.5),
    "gamma 2": lambda x: gamma(x, 2),
    "local contrast": lambda x: cv2.createCLAHE(3, (8, 8)).apply(x),
    "negative": lambda x: 255 - x,
    "mirrored": lambda x: cv2.flip(x, 1),
    "one percent cut off": lambda x: x[2:-2, 5:-5],
    "all of it": lambda x: recompressed(cv2.flip(cv2.add(rescaled(x, 0.5), 30), 1), 50),
}


@pytest.fixture(scope="module")
def phantoms():
    return [draw(1, number, 256).pixels for number in range(1, 21)]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_near_and_nearest_to_its_original(phantoms, change):
    hashes = np.stack([perceptual_hash(pixels) for pixels in phantoms])
    changed = np.stack([perceptual_hash(CHANGES[change](pixels)) for pixels in phantoms])
    found = distances(changed, hashes)
    assert np.diag(found).max() < 0.7 * NEAR
    assert (found.argmin(axis=1) == np.arange(len(phantoms))).all()


def test_different_radiographs_are_far_apart(phantoms):
    assert near_pairs(np.stack([perceptual_hash(x) for x in phantoms]), 1.3 * NEAR) == []


def test_the_distance_is_one_minus_the_correlation_that_numpy_computes():
    generator = np.random.default_rng(0)
    one, other = generator.integers(0, 256, (2, 32, 64), dtype=np.uint8)

    def band(pixels):  # a thumbnail of its own size
        x = pixels.astype(np.float32)
        return x - cv2.GaussianBlur(x, (0, 0), 2)

    expected = 1 - max(
        abs(np.corrcoef(band(one).ravel(), band(twin).ravel())[0, 1])
        for twin in (other, cv2.flip(other, 1))
    )
    first, second = perceptual_hash(one)[None], perceptual_hash(other)[None]
    assert distances(first, second)[0, 0] == pytest.approx(expected, abs=1e-5)
    assert distances(first, first)[0, 0] == pytest.approx(0, abs=1e-6)


def test_every_pair_is_compared_once_whatever_the_blocks(monkeypatch):
    hashes = np.random.default_rng(0).normal(size=(7, 2048)).astype(np.float32)
    hashes /= np.linalg.norm(hashes, axis=1, keepdims=True)
    hashes[6] = hashes[1]
    whole = np.concatenate([block for _, block in all_distances(hashes)])
    monkeypatch.setattr("maskedteeth.data.copies.BLOCK", 3)
    blocks = np.concatenate([block for _, block in all_distances(hashes)])
    assert np.isfinite(whole).sum() == 7 * 6 / 2
    np.testing.assert_allclose(whole, blocks, atol=1e-6)
    assert [pair[:2] for pair in near_pairs(hashes)] == [(1, 6)]


def test_pictures_of_one_grey_value_are_no_copies_of_anything(phantoms):
    grey = perceptual_hash(np.full((64, 128), 128, np.uint8))
    assert distances(grey[None], np.stack([grey, perceptual_hash(phantoms[0])])).min() == 1


@pytest.mark.real_data
def test_the_threshold_lies_between_copies_and_different_real_radiographs(real_radiographs):
    files = sorted((real_radiographs / "images").glob("*.jpg"))
    files = [file for file in files if file.stem != "032"]  # the same as 002
    pixels = [cv2.imread(str(file), cv2.IMREAD_REDUCED_GRAYSCALE_4) for file in files]
    hashes = np.stack([perceptual_hash(x) for x in pixels])
    between = np.concatenate([block[np.isfinite(block)] for _, block in all_distances(hashes)])
    assert between.min() > 1.6 * NEAR and len(between) == 98 * 97 / 2
    for change in CHANGES.values():
        changed = np.stack([perceptual_hash(change(x)) for x in pixels])
        assert np.diag(distances(changed, hashes)).max() < 0.75 * NEAR
