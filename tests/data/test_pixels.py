import cv2
import numpy as np
import pytest

from maskedteeth.data.pixels import read_grey
from maskedteeth.errors import InputError


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_lossless_files_are_read_to_the_last_bit(tmp_path, radiograph, suffix):
    pixels, _ = radiograph(1)
    cv2.imwrite(str(tmp_path / f"ümlaut 1{suffix}"), pixels)
    read = read_grey(tmp_path / f"ümlaut 1{suffix}")
    assert read.dtype == np.uint8 and (read == pixels).all()


def test_a_jpeg_is_decoded_at_half_its_size_and_any_other_file_whole(tmp_path):
    pixels = np.tile(np.linspace(0, 255, 101).astype(np.uint8), (67, 1))
    for suffix in (".jpg", ".png"):
        cv2.imwrite(str(tmp_path / f"ramp{suffix}"), pixels)
    assert (read_grey(tmp_path / "ramp.png", half=True) == pixels).all()
    read = read_grey(tmp_path / "ramp.jpg", half=True)
    assert read.shape == (34, 51)
    assert abs(read.mean() - pixels.mean()) < 5  # the last column covers less than the others


@pytest.mark.parametrize("content", [None, b"", b"\xff\xd8 no radiograph", b"text"])
def test_a_file_that_is_no_image_is_named(tmp_path, content):
    file = tmp_path / "7.jpg"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=r"7\.jpg"):
        read_grey(file)
