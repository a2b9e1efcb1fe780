"""Radiographs in one folder, masks of the same names in another."""

from pathlib import Path

import numpy as np

from maskedteeth.data.pixels import read_grey
from maskedteeth.data.records import (
    SUFFIXES,
    Annotation,
    Images,
    Problem,
    Record,
    list_images,
    trouble_with,
)
from maskedteeth.errors import InputError

#: Grey values between black and white, and the share of them up to which a picture is a mask:
#: smooth outlines and JPEG make some, a radiograph in a mask's place nearly all.
GREY = range(32, 224)
MOST_GREY = 0.25


def find_records(root: Path, images: str, masks: str) -> tuple[list[Record], list[Problem]]:
    """List the radiographs below ``root/images``, each with its mask below ``root/masks``.

    A mask belongs to the radiograph whose file name it shares up to the suffix. A radiograph
    without a mask is unlabelled: it takes part in the pretext only. Names that two files share,
    masks without a radiograph and files that are no images are problems.

    Raises:
        InputError: a folder is missing or holds no image.
    """
    found, drawn = _images(root / images, "data.images"), _images(root / masks, "data.masks")
    records, problems = [], []
    for name, files in found.by_name.items():
        mask = drawn.by_name.get(name, [])
        trouble = trouble_with(name, files) or trouble_with(name, mask)
        if trouble:
            problems.append(Problem(name, trouble))
        else:
            records.append(Record(name, files[0], mask[0] if mask else None))
    alone = [
        file for name, files in drawn.by_name.items() for file in files if name not in found[0]
    ]
    problems += [
        Problem(mask.stem, f"{mask} is a mask without a radiograph of its name.", radiograph=False)
        for mask in sorted(alone)
    ]
    return records, problems + found.strays + drawn.strays


def read_annotation(record: Record, height: int, width: int) -> Annotation:
    """Read a mask file; every pixel above half of full scale is tooth.

    A mask without any tooth pixel counts as labelled: the patient is edentulous.

    Raises:
        InputError: the mask is not of the radiograph's size, not readable, of other grey values
            (0 and 1, say), or mostly neither black nor white.
    """
    if record.annotation is None:
        return Annotation(np.zeros((height, width), np.uint8), None, labelled=False)
    pixels = read_grey(record.annotation)
    if pixels.shape != (height, width):
        raise InputError(
            f"{record.annotation} is {pixels.shape[0]} x {pixels.shape[1]} pixels, but its "
            f"radiograph {record.image} is {height} x {width} as viewers show it; they must be of "
            "one size: draw or export the mask again."
        )
    if 0 < pixels.max() <= 127:
        raise InputError(
            f"{record.annotation} has no pixel above half of full scale, but some up to "
            f"{pixels.max()}; teeth must be 255 and everything else 0."
        )
    grey = float(((pixels >= GREY.start) & (pixels < GREY.stop)).mean())
    if grey > MOST_GREY:
        raise InputError(
            f"{record.annotation} is no mask: {grey:.0%} of its pixels are neither black nor "
            "white; teeth must be 255 and everything else 0."
        )
    return Annotation((pixels > 127).astype(np.uint8), None, labelled=True)


def _images(folder: Path, setting: str) -> Images:
    if not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder; data.path must hold one named as {setting} says."
        )
    images = list_images(folder)
    if not images.by_name:
        raise InputError(f"{folder} holds no image ({', '.join(SUFFIXES)}).")
    return images
