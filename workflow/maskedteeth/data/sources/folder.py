"""Radiographs in one folder, masks of the same names in another."""

import itertools
from pathlib import Path

import cv2
import numpy as np

from maskedteeth.data.pixels import decode_mask, read_file
from maskedteeth.data.records import (
    SUFFIXES,
    Annotation,
    Found,
    Problem,
    Record,
    list_images,
    trouble_with,
)
from maskedteeth.data.teeth import BACKGROUND, UNNUMBERED
from maskedteeth.errors import InputError
from maskedteeth.settings.sections import Layout

#: Grey values between black and white, and the share of them up to which a picture is a mask:
#: smooth outlines and JPEG make some, a radiograph in a mask's place nearly all.
GREY = range(32, 224)
MOST_GREY = 0.25

#: A plateau is a colour that fills whole neighbourhoods, on this share of the pixels together. A
#: mask has one dark and one bright plateau. Further ones are other labels, and smooth outlines,
#: resizing and JPEG make hardly any: measured on 4 masks (Abdi et al. 2015) at an eighth to twice
#: the size, with five interpolations and JPEG down to quality 10, up to 1 % of what is not
#: background, and up to 14 % within CLOSE grey values of the two. In maps of labels, also as JPEG,
#: it is 56 % and more, in those of 0, 1 and 255 97 %.
PLATEAU = 0.001
CLOSE = 8
MOST_FAR, MOST_CLOSE = 0.03, 0.25

WANTED = "teeth must be 255 and everything else 0"


def find_records(root: Path, layout: Layout) -> Found:
    """List the radiographs below ``root``, each with its mask.

    A mask belongs to the radiograph whose file name it shares up to the suffix. A radiograph
    without a mask is unlabelled: it takes part in the pretext only. Names that two files share,
    masks without a radiograph and files that are no images are problems.

    Raises:
        InputError: a folder is missing or holds no image.
    """
    found, strays = _images(root / layout.images, "data.images")
    drawn, other_strays = _images(root / layout.masks, "data.masks")
    records, problems = [], []
    for name, files in found.items():
        masks = drawn.pop(name, [])
        if trouble := trouble_with(name, files) or trouble_with(name, masks):
            problems.append(Problem(name, trouble))
        else:
            records.append(Masked(name, files[0], masks[0] if masks else None))
    problems += [
        Problem(mask.stem, f"{mask} is a mask without a radiograph of its name.", radiograph=False)
        for mask in sorted(itertools.chain.from_iterable(drawn.values()))
    ]
    return Found(records, problems + strays + other_strays)


class Masked(Record):
    """A radiograph and its mask file."""

    def read(self, size: tuple[int, int], numbers: dict[str, int]) -> Annotation:
        """Read the mask; every pixel above half of full scale is tooth, of unknown number.

        A mask without any tooth pixel counts as labelled: the patient is edentulous.

        Raises:
            InputError: the mask is not of the radiograph's size, not readable, of other grey values
                (0 and 1, say), of more than two colours, partly transparent, or mostly neither
                black nor white.
        """
        file = self.annotation
        if file is None:
            return Annotation(np.zeros(size, np.uint8), None, labelled=False)
        pixels, colours = decode_mask(read_file(file), file)
        if pixels.shape != size:
            raise InputError(
                f"{file} is {pixels.shape[0]} x {pixels.shape[1]} pixels, but its radiograph "
                f"{self.image} is {size[0]} x {size[1]} as viewers show it; they must be of one "
                "size: draw or export the mask again."
            )
        if 0 < pixels.max() <= 127:
            raise InputError(
                f"{file} has no pixel above half of full scale, but some up to {pixels.max()}; "
                f"{WANTED}."
            )
        _refuse_labels(file, colours)
        grey = float(((pixels >= GREY.start) & (pixels < GREY.stop)).mean())
        if grey > MOST_GREY:
            raise InputError(
                f"{file} is no mask: {grey:.0%} of its pixels are neither black nor white; "
                f"{WANTED}."
            )
        labels = np.where(pixels > 127, np.uint8(UNNUMBERED), np.uint8(BACKGROUND))
        return Annotation(labels, None, labelled=True)


def _images(folder: Path, setting: str) -> tuple[dict[str, list[Path]], list[Problem]]:
    if not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder; data.path must hold one named as {setting} says."
        )
    by_name, strays = list_images(folder)
    if not by_name:
        raise InputError(f"{folder} holds no image ({', '.join(SUFFIXES)}).")
    return by_name, strays


def _refuse_labels(file: Path, colours: np.ndarray) -> None:
    """Refuse a map of labels, whose half of full scale means nothing; see :data:`PLATEAU`.

    Args:
        file: of the mask.
        colours: uint8 (H, W) or (H, W, 3).
    """
    around = np.ones((max(3, round(min(colours.shape[:2]) / 150) | 1),) * 2, np.uint8)
    flat = np.atleast_3d(cv2.erode(colours, around) == cv2.dilate(colours, around)).all(axis=2)
    channels = np.atleast_3d(colours).astype(np.int32)
    places = 256 ** np.arange(channels.shape[2], dtype=np.int32)
    codes = channels @ places
    found, counts = np.unique(codes[flat], return_counts=True)
    real = counts >= PLATEAU * codes.size
    found, counts = found[real], counts[real]
    values = found[:, None] // places % 256
    bright = values.mean(axis=1) > 127
    sides = [np.flatnonzero(side) for side in (~bright, bright) if side.any()]
    largest = [side[counts[side].argmax()] for side in sides]
    if len(largest) == len(found):
        return
    distance = np.abs(values[:, None] - values[largest]).max(axis=2).min(axis=1)
    others = counts.sum() - counts[largest[0]]  # all but the background
    close = counts[(distance > 0) & (distance <= CLOSE)].sum() / others
    if counts[distance > CLOSE].sum() / others > MOST_FAR or close > MOST_CLOSE:
        names = ["#" + "".join(f"{v:02x}" for v in c) if len(c) > 1 else str(*c) for c in values]
        shown = np.argsort(counts)[::-1][:4]
        listing = ", ".join(f"{names[i]} ({(codes == found[i]).mean():.1%})" for i in shown)
        raise InputError(
            f"{file} has {len(found)} colours: {listing}{', ...' * (len(found) > 4)}; a mask has "
            "two. Teeth must be 255 and everything else 0: if its values are labels, export it "
            "again with 255 for every tooth."
        )
