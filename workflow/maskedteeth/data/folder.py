"""Radiographs in one folder, masks of the same names in another."""

from pathlib import Path

import numpy as np

from maskedteeth.data.records import (
    SUFFIXES,
    Annotation,
    Record,
    list_images,
    natural_order,
    read_grey,
)
from maskedteeth.errors import InputError


def find_records(root: Path, images: str, masks: str) -> list[Record]:
    """List the radiographs below ``root/images``, each with its mask below ``root/masks``.

    A mask belongs to the radiograph whose file name it shares up to the suffix. A radiograph
    without a mask is unlabelled: it takes part in the pretext only.

    Raises:
        InputError: a folder is missing, holds no image, or two files share a name.
    """
    mask_of = _by_stem(root / masks, "data.masks")
    return [
        Record(stem, image, mask_of.get(stem))
        for stem, image in _by_stem(root / images, "data.images").items()
    ]


def read_annotation(record: Record, height: int, width: int) -> Annotation:
    """Read a mask file; every pixel above half of full scale is tooth.

    A mask without any tooth pixel counts as labelled: the patient is edentulous.

    Raises:
        InputError: the mask is not of the radiograph's size, not readable, or of other grey
            values (0 and 1, say).
    """
    if record.annotation is None:
        return Annotation(np.zeros((height, width), np.uint8), None, labelled=False)
    pixels = read_grey(record.annotation)
    if pixels.shape != (height, width):
        raise InputError(
            f"{record.annotation} is {pixels.shape[0]} x {pixels.shape[1]} pixels, but its "
            f"radiograph {record.image} is {height} x {width}; they must be of one size."
        )
    if 0 < pixels.max() <= 127:
        raise InputError(
            f"{record.annotation} has no pixel above half of full scale, but some up to "
            f"{pixels.max()}; teeth must be 255 and everything else 0."
        )
    return Annotation((pixels > 127).astype(np.uint8), None, labelled=True)


def _by_stem(folder: Path, setting: str) -> dict[str, Path]:
    if not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder; data.path must hold one named as {setting} says."
        )
    files = list_images(folder)
    if not files:
        raise InputError(f"{folder} holds no image ({', '.join(SUFFIXES)}).")
    by_stem: dict[str, Path] = {}
    for file in sorted(files, key=lambda f: natural_order(f.stem)):
        if file.stem in by_stem:
            raise InputError(f"{file} and {by_stem[file.stem]} share a name; rename one.")
        by_stem[file.stem] = file
    return by_stem
