"""Copies of a radiograph are near by the perceptual hash, different radiographs are not."""

import cv2
import numpy as np
import pytest

from maskedteeth.data.copies import NEAR, distances, near_pairs, perceptual_hash


def recompressed(pixels, quality):
    encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)


CHANGES = {
    "quality 10": lambda x: recompressed(x, 10),
    "other sides": lambda x: cv2.resize(x, None, fx=0.5, fy=0.6),
    "half the contrast": lambda x: cv2.addWeighted(x, 0.5, x, 0, 64),
    "gamma 2": lambda x: (255 * (x / 255.0) ** 2).astype(np.uint8),
    "local contrast": lambda x: cv2.createCLAHE(3, (8, 8)).apply(x),
    "negative": lambda x: 255 - x,
    "mirrored": lambda x: cv2.flip(x, 1),
    "one percent cut off": lambda x: x[2:-2, 5:-5],
    "several": lambda x: recompressed(cv2.flip(cv2.add(cv2.resize(x, (256, 128)), 30), 1), 50),
}


def hashes_of(pictures):
    return np.stack([perceptual_hash(pixels) for pixels in pictures])


@pytest.fixture(scope="module")
def radiographs(radiograph):
    return [radiograph(seed, 256, 512)[0] for seed in range(20)]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_near_and_nearest_to_its_original(radiographs, change):
    found = distances(hashes_of(map(CHANGES[change], radiographs)), hashes_of(radiographs))
    assert np.diag(found).max() < NEAR
    assert (found.argmin(axis=1) == np.arange(len(radiographs))).all()


def test_different_radiographs_are_far_apart(radiographs):
    hashes = hashes_of(radiographs)
    assert (distances(hashes, hashes) + np.eye(20)).min() > 1.3 * NEAR


def test_every_pair_is_compared_whatever_the_blocks(monkeypatch):
    hashes = np.random.default_rng(0).normal(size=(7, 2048)).astype(np.float32)
    hashes /= np.linalg.norm(hashes, axis=1, keepdims=True)
    hashes[6], hashes[4] = hashes[1], hashes[3]
    for block in (256, 3):
        monkeypatch.setattr("maskedteeth.data.copies.BLOCK", block)
        assert [tuple(pair[:2]) for pair in near_pairs(hashes)] == [(1, 6), (3, 4)]


def test_pictures_of_one_grey_value_are_no_copies_of_anything(radiographs):
    grey = perceptual_hash(np.full((64, 128), 128, np.uint8))
    assert distances(grey[None], np.stack([grey, perceptual_hash(radiographs[0])])).min() == 1


@pytest.mark.real_data
def test_the_threshold_lies_between_copies_and_different_real_radiographs(real_radiographs):
    files = sorted((real_radiographs / "images").glob("*.jpg"))
    files = [file for file in files if file.stem != "032"]  # the same as 002
    pixels = [cv2.imread(str(file), cv2.IMREAD_REDUCED_GRAYSCALE_4) for file in files]
    hashes = hashes_of(pixels)
    assert (distances(hashes, hashes) + np.eye(len(files))).min() > 1.6 * NEAR
    for change in CHANGES.values():
        found = distances(hashes_of(map(change, pixels)), hashes)
        assert np.diag(found).max() < 0.75 * NEAR
