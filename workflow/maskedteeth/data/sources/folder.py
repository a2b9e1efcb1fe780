"""Radiographs in one folder, drawn masks of the same names in another."""

import itertools
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from maskedteeth.data.folders import folders_named
from maskedteeth.data.masks import Drawn, counted, look_at, name_of_value, number_values
from maskedteeth.data.names import pair_names, without
from maskedteeth.data.pixels import decode_mask, read_file
from maskedteeth.data.records import (
    IGNORED,
    MOST_STRAY,
    Annotation,
    Found,
    Problem,
    Record,
    list_images,
    printable,
    trouble_with,
)
from maskedteeth.data.teeth import BACKGROUND, UNNUMBERED
from maskedteeth.errors import InputError
from maskedteeth.settings.sections import Layout

#: Masks looked at at once.
THREADS = 2

#: These may be missing: then nothing is annotated.
DEFAULT_MASKS = Layout.model_fields["masks"].default

#: What `maskedteeth predict` adds to a radiograph's name: for its mask, and a picture to look at.
PREDICTED, OVERLAY = ".mask", ".overlay"

#: Words in the names of masks that lie among radiographs.
MASK_WORDS = re.compile("mask|label|seg|gt", re.IGNORECASE)

Files = dict[str, list[Path]]


@dataclass(frozen=True)
class Masked(Record):
    """A radiograph and its drawn mask.

    Attributes:
        looks: what the values of the mask may be, or None where it cannot be decoded.
        numbers: what the values of all masks mean, see
            :func:`maskedteeth.data.masks.number_values`.
    """

    looks: Drawn | None = None
    numbers: dict[int, int] | None = None

    def read(self, size: tuple[int, int], numbers: dict[str, int]) -> Annotation:
        """Read the mask. One without any tooth counts as labelled: the patient is edentulous.

        Of a black and white mask every pixel above half of full scale is tooth, of unknown number.

        Raises:
            InputError: the mask is not of the radiograph's size, not readable, neither black and
                white nor a map, or not what the other masks are.
        """
        file = self.annotation
        if file is None:
            return Annotation(np.zeros(size, np.uint8), None, labelled=False)
        drawing = decode_mask(read_file(file), file)
        if drawing.grey.shape != size:
            height, width = drawing.grey.shape
            raise InputError(
                f"{file} is {height} x {width} pixels, but its radiograph {self.image} is "
                f"{size[0]} x {size[1]} as viewers show it; they must have one size: draw or "
                "export the mask again."
            )
        if self.numbers is not None:
            return self._read_map(drawing.values)
        if self.looks and self.looks.trouble:
            raise InputError(self.looks.trouble)
        labels = np.where(drawing.grey > 127, np.uint8(UNNUMBERED), np.uint8(BACKGROUND))
        return Annotation(labels, None, labelled=True)

    def _read_map(self, values: np.ndarray) -> Annotation:
        found, counts = counted(values)
        unknown = [value for value in found if value not in self.numbers]
        if unknown:
            share = sum(n for v, n in zip(found, counts, strict=True) if v in unknown) / values.size
            listing = ", ".join(map(name_of_value, unknown[:4])) + ", ..." * (len(unknown) > 4)
            raise InputError(
                f"{self.annotation} has the values {listing} on {share:.2%} of its pixels, which "
                "are not classes of the other masks: its outlines are smoothed or compressed. "
                "Export it as PNG, without smoothing."
            )
        labels, left_out = np.zeros(values.shape, np.uint8), Counter()
        for value in found:
            labels[values == value] = self.numbers[value]
            if value and self.numbers[value] == BACKGROUND:
                left_out[name_of_value(value), IGNORED] += 1
        numbered = [n for n in map(self.numbers.get, found) if 0 < n < UNNUMBERED]
        return Annotation(labels, len(numbered) or None, labelled=True, left_out=left_out)


def find_records(root: Path, layout: Layout) -> Found:
    """List the radiographs below ``root``, each with its mask.

    Radiographs are in `images`, or in `train/images`, `valid/images`, and so on; masks likewise.
    Both may have subfolders, be one in the other, or the same; no mask is a radiograph. How masks
    are named after radiographs is recognised (:func:`maskedteeth.data.names.pair_names`). A
    radiograph without a mask is unlabelled: it takes part in the pretext only. Names that two files
    share, masks without a radiograph and files that are no images are problems.

    Raises:
        InputError: a folder is missing or holds no image, most masks belong to no radiograph, it
            is not known what their values mean, or which files are masks.
    """
    radiographs, problems = _images(root, layout.images, "data.images")
    masks: Files = {}
    if layout.masks == DEFAULT_MASKS and not folders_named(root, layout.masks):
        _refuse_masks_among(radiographs, root, layout)
        print(f"{root / layout.masks} is not there: no radiograph has a mask (data.masks)")
    else:
        masks, strays = _images(root, layout.masks, "data.masks")
        radiographs, masks = _parted(radiographs, masks, layout)
        problems = [*dict.fromkeys(problems + strays)]
    for name in [name for name in masks if name.endswith(OVERLAY)]:
        if name.removesuffix(OVERLAY) + PREDICTED in masks:
            del masks[name]
    drawn, orphans = _paired(radiographs, masks, layout)
    records = []
    for name, files in radiographs.items():
        if trouble := trouble_with(name, files) or trouble_with(name, drawn[name]):
            problems.append(Problem(name, trouble))
        else:
            records.append(Masked(name, files[0], next(iter(drawn[name]), None)))
    with ThreadPoolExecutor(THREADS) as pool:
        looks = list(pool.map(_look, [record.annotation for record in records]))
    numbers = number_values([each for each in looks if each], layout, root / layout.masks)
    pairs = zip(records, looks, strict=True)
    return Found([replace(r, looks=each, numbers=numbers) for r, each in pairs], orphans + problems)


def _look(mask: Path | None) -> Drawn | None:
    try:
        return look_at(decode_mask(read_file(mask), mask), mask) if mask else None
    except InputError:  # which it says again when the mask is read
        return None


def _images(root: Path, name: str, setting: str) -> tuple[Files, list[Problem]]:
    folders, found, strays = folders_named(root, name), {}, []
    if not folders:
        raise InputError(
            f"{root / name} is not a folder; data.path must hold one named as {setting} says."
        )
    for before, folder in folders.items():
        files, others = list_images(folder)
        found |= {f"{before}{name}": each for name, each in files.items()}
        strays += others
    if not found:
        places = " and ".join(map(str, folders.values()))
        raise InputError(
            f"There is no image in {places}; put some there, or name another folder in {setting}."
        )
    return found, strays


def _parted(radiographs: Files, masks: Files, layout: Layout) -> tuple[Files, Files]:
    """Part radiographs and masks where the folder of the ones holds the others, too."""
    images, drawn = ({*itertools.chain(*files.values())} for files in (radiographs, masks))
    if images == drawn:
        pattern = layout.mask_name or "{name}"
        named = [files for name, files in masks.items() if without(pattern, name)]
        drawn = {*itertools.chain(*named)}
        if drawn in (set(), images):
            raise InputError(
                f"data.images and data.masks are one folder, {layout.masks!r}; say in "
                "data.mask_name how its masks are named, such as '{name}_mask'."
            )
        masks = _less(masks, images - drawn)
    if images < drawn:
        return radiographs, _less(masks, images)
    return _less(radiographs, drawn), masks


def _less(files: Files, others: set[Path]) -> Files:
    kept = {name: [file for file in each if file not in others] for name, each in files.items()}
    return {name: each for name, each in kept.items() if each}


def _refuse_masks_among(radiographs: Files, root: Path, layout: Layout) -> None:
    """Stop where most radiographs have files that are named like their masks beside them."""
    likely = [name for name in radiographs if MASK_WORDS.search(name)]
    others = radiographs.keys() - likely
    pairs, pattern = pair_names(others, likely, None)
    if len(pairs) > len(others) / 2:
        mask, name = next(iter(pairs.items()))
        file = radiographs[mask][0]
        parts = file.parent.relative_to(root).parts
        home = Path(*parts[0 if (root / layout.images).is_dir() else 1 :]).as_posix()
        raise InputError(
            f"{file} seems to be the mask of {radiographs[name][0]}. If so, set data.masks to "
            f"{home!r} and data.mask_name to {pattern!r}; otherwise rename it."
        )


def _paired(radiographs: Files, masks: Files, layout: Layout) -> tuple[Files, list[Problem]]:
    """Return the masks of each radiograph, and those that belong to none."""
    radiograph_of, pattern = pair_names(radiographs, masks, layout.mask_name)
    drawn: Files = {name: [] for name in radiographs}
    for mask, name in radiograph_of.items():
        drawn[name] += masks[mask]
    others = {mask: files for mask, files in masks.items() if mask not in radiograph_of}
    if len(others) > MOST_STRAY * len(masks):
        raise InputError(
            f"{len(others)} of {len(masks)} masks belong to no radiograph: {next(iter(others))}, "
            f"for example, while radiographs have names such as {next(iter(radiographs))}. Say in "
            "data.mask_name how masks are named, such as '{name}_mask', or rename them."
        )
    if example := next((pair for pair in radiograph_of.items() if pair[0] != pair[1]), None):
        mask, name = map(printable, example)
        print(f"masks are named {printable(pattern)}: {mask} is that of {name} (data.mask_name)")
    reason = "is a mask without a radiograph of its name."
    return drawn, [
        Problem(file.stem, f"{file} {reason}", radiograph=False)
        for file in sorted(itertools.chain.from_iterable(others.values()))
    ]
