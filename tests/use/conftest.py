from pathlib import Path

import cv2
import numpy as np
import pytest

from maskedteeth.use import Segmenter


@pytest.fixture(scope="session")
def segmenter(study) -> Segmenter:
    return Segmenter(study / "run/weights.safetensors", device="cpu")


@pytest.fixture(scope="session")
def numberer(numbered) -> Segmenter:
    """Of a network that numbers teeth."""
    return Segmenter(numbered / "run/weights.safetensors", device="cpu")


@pytest.fixture(scope="session")
def xrays(tmp_path_factory, radiograph) -> Path:
    """A folder with big.jpg (300 x 500), old/deep.tif (16 bits, 90 x 170) and notes.txt."""
    folder = tmp_path_factory.mktemp("xrays")
    cv2.imwrite(str(folder / "big.jpg"), radiograph(50, 300, 500)[0])
    deep = radiograph(51, 90, 170)[0].astype(np.uint16) * 257
    (folder / "old").mkdir()
    cv2.imwrite(str(folder / "old/deep.tif"), deep)
    (folder / "notes.txt").write_text("not a radiograph")
    return folder
