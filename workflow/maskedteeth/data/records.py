"""What every source of radiographs has in common."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskedteeth.errors import InputError

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True)
class Record:
    """A radiograph and its annotation, by their files.

    Attributes:
        id: name that is unique in the dataset.
        image: file of the radiograph.
        annotation: file of its annotation, or None where there is none.
    """

    id: str
    image: Path
    annotation: Path | None


@dataclass(frozen=True)
class Annotation:
    """The teeth of one radiograph.

    Attributes:
        mask: uint8 (H, W), 1 = tooth, at the radiograph's size.
        teeth: number of teeth annotated one by one, or None where only a mask is known.
        labelled: whether anybody annotated this radiograph at all.
    """

    mask: np.ndarray
    teeth: int | None
    labelled: bool


def natural_order(name: str) -> tuple[int, int | str, str]:
    """Sort key that puts 2 before 10 and numbers before words."""
    return (0, int(name), name) if name.isdecimal() else (1, name, name)


def list_images(folder: Path) -> list[Path]:
    """List the image files in a folder by their suffixes; hidden files are none of ours."""
    return [
        file
        for file in folder.iterdir()
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
    ]


def read_grey(path: Path, half: bool = False) -> np.ndarray:
    """Decode an image file to grey.

    Args:
        path: any format that OpenCV reads.
        half: decode JPEG files at half their size (in the frequency domain, which averages);
            others come whole.

    Returns:
        uint8 (H, W).

    Raises:
        InputError: the file is missing or is not an image.
    """
    try:
        content = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    # In other formats OpenCV's reduction leaves pixels out: it aliases.
    jpeg = content[:2].tobytes() == b"\xff\xd8"
    flag = cv2.IMREAD_REDUCED_GRAYSCALE_2 if half and jpeg else cv2.IMREAD_GRAYSCALE
    pixels = cv2.imdecode(content, flag) if content.size else None
    if pixels is None:
        raise InputError(f"{path} is not an image that can be decoded; replace or remove it.")
    return pixels
