"""What the values of drawn masks mean, decided once for all masks of a dataset.

Masks are black and white, with teeth 255; or maps, in which each value, index of a palette or
colour is a class and 0 is the background.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskedteeth.data.pixels import COLOUR, Drawing
from maskedteeth.data.teeth import BACKGROUND, FDI_IF, NUMBERINGS, number_classes, refuse_absent
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

#: A picture with more values is no map: 32 teeth, and some classes of other things.
MOST_VALUES = 60

#: In a picture of no more values, each that fills neighbourhoods is a label, however near it is to
#: another one. Soft outlines and JPEG make such values only among 17 or more (masks as above).
FEW_VALUES = 12

#: Pixels of a class.
FEWEST = 16

#: In many toolboxes the value, or colour, of what is to be ignored, such as outlines.
VOID, VOID_COLOUR = 255, "#e0e0c0"

WANTED = "teeth must be 255 and everything else 0"


@dataclass(frozen=True)
class Drawn:
    """What the values of one mask may mean.

    Attributes:
        trouble: why it is not black and white, or None if it is.
        classes: if it is a map, its values but 0, of which each fills whole neighbourhoods. Others
            are soft outlines. None: it has too many values for a map.
    """

    trouble: str | None
    classes: tuple[int, ...] | None


def look_at(drawing: Drawing, file: Path) -> Drawn:
    """Look at the values of a mask from ``file``."""
    found, counts = counted(drawing.values)
    if len(found) > MOST_VALUES:
        return Drawn(_why_not_black_and_white(file, drawing), None)
    together = dict(zip(*counted(drawing.values[_in_blocks(drawing.values)]), strict=True))
    sizes = dict(zip(found, counts, strict=True))
    classes = tuple(
        value for value in found if value and 2 * together.get(value, 0) >= sizes[value]
    )
    further = any(sizes[value] >= FEWEST for value in _beyond_two(classes, sizes, drawing))
    colours = {name_of_value(value): size / drawing.values.size for value, size in sizes.items()}
    trouble = _too_many(file, colours) if further else _why_not_black_and_white(file, drawing)
    return Drawn(trouble, classes)


def number_values(drawn: Sequence[Drawn], layout: Layout, folder: Path) -> dict[int, int] | None:
    """Decide what the values of a dataset's masks mean, and print it unless teeth are 255.

    Of maps, every value is tooth if it is the only one, or if there are too many for anything but
    teeth; and it is the tooth of its FDI number, if all are one and they are many. Everything else
    has to be said in data.numbering or data.classes.

    Args:
        drawn: the masks.
        layout: data.numbering and data.classes.
        folder: of the masks, for sentences.

    Returns:
        For each value the number of the tooth in ``labels.npy``, with 0 for the background; None
        if most masks are black and white, unless data.classes has all values.

    Raises:
        InputError: what a value means is not known, or data.classes names another one.
    """
    there = sorted({value for mask in drawn for value in mask.classes or ()})
    refuse_absent(layout.classes, map(name_of_value, there), folder)
    maps = [mask.classes for mask in drawn if mask.trouble and mask.classes]
    others = [mask.classes for mask in drawn if not mask.trouble and mask.classes != ()]
    all_said = None not in others and all(name_of_value(v) in layout.classes for v in there)
    if not maps or (len(maps) <= len(others) and not all_said):
        return None
    maps += filter(None, others)
    masks_of = Counter(value for classes in maps for value in classes)
    names = {value: name_of_value(value) for value in sorted(masks_of)}
    kind = f"are maps of {len(names)} values"
    if len(names) == 1:
        kind = f"have one value besides 0, {next(iter(names.values()))}"
    title = f"{len(maps):,} masks in {folder} {kind}"
    listing = ", ".join(f"{name} (in {masks_of[value]:,})" for value, name in names.items())
    unsaid = [name for name in names.values() if name not in layout.classes]
    numbering, all_teeth = layout.numbering, layout.numbering == "none"
    if numbering == "auto" and unsaid:
        if len(unsaid) >= FDI_IF and all(_is_fdi(name) for name in unsaid):
            numbering = "fdi"
        elif len(unsaid) == 1 or (len(unsaid) >= FDI_IF and not _has_void(unsaid)):
            all_teeth = True
        else:
            raise InputError(
                f"{title}: {listing}. What they mean is not known: if all are teeth, set "
                "data.numbering to 'none', or to 'universal' or 'fdi' if they are numbers of "
                "teeth. If some are something else, say so in data.classes, such as "
                f"{{'{unsaid[0]}': tooth, '{unsaid[-1]}': ignore}}."
            )
    print(title + ", which is read as tooth" * (all_teeth and len(unsaid) == len(names) == 1))
    meant = layout.classes | (dict.fromkeys(unsaid, "tooth") if all_teeth else {})
    said = layout.model_copy(update={"numbering": numbering, "classes": meant})
    known = number_classes(names.values(), said, None, folder)
    if unknown := [name for name in names.values() if name not in known]:
        raise InputError(
            f"{title}: {listing}. data.numbering does not have {', '.join(unknown)}: say in "
            f"data.classes what they are, such as {{'{unknown[0]}': ignore}}."
        )
    return {BACKGROUND: BACKGROUND} | {value: known[name] for value, name in names.items()}


def name_of_value(value: int) -> str:
    """Return the name of a class in data.classes: a number, or a colour such as #ff0000."""
    return str(value) if value < COLOUR else f"#{value - COLOUR:06x}"


def _is_fdi(name: str) -> bool:
    return name.isdecimal() and int(name) in NUMBERINGS["fdi"]


def _has_void(names: list[str]) -> bool:
    """Tell whether one value may be no tooth, but what a toolbox shall ignore."""
    numbers = [int(name) for name in names if name.isdecimal()]
    return VOID_COLOUR in names or (VOID in numbers and sorted(numbers)[-2:][0] < VOID // 2)


def counted(values: np.ndarray) -> tuple[list[int], list[int]]:
    """Return the different values, of int32 (...) from 0 on, and how often each is there."""
    if values.size and values.max() < COLOUR:  # many times faster
        counts = np.bincount(values.ravel())
        found = np.flatnonzero(counts)
        return found.tolist(), counts[found].tolist()
    found, counts = np.unique(values, return_counts=True)
    return found.tolist(), counts.tolist()


def _in_blocks(values: np.ndarray) -> np.ndarray:
    """Return which pixels lie in a square of 2 x 2 of one value: bool, as ``values`` (H, W)."""
    down = values[1:] == values[:-1]
    across = values[1:, 1:] == values[1:, :-1]
    blocks, found = down[:, 1:] & down[:, :-1] & across, np.zeros(values.shape, bool)
    for vertical in (slice(1, None), slice(None, -1)):
        for horizontal in (slice(1, None), slice(None, -1)):
            found[vertical, horizontal] |= blocks
    return found


def _beyond_two(classes: tuple[int, ...], sizes: dict[int, int], drawing: Drawing) -> Iterator[int]:
    """Yield the classes that are neither the background nor as good as one colour of teeth."""
    coloured = drawing.colours.ndim == 3 and (drawing.colours[:, :, 0] != drawing.values).any()
    dark = max((v for v in sizes if v <= 127), key=sizes.get, default=0)
    largest = max(classes, key=sizes.get, default=0)
    bright = max((v for v in sizes if v > 127), key=sizes.get, default=largest)
    if coloured:
        dark, bright = 0, largest
    reach = 0 if coloured or len(sizes) <= FEW_VALUES else CLOSE
    return (v for v in classes if abs(v - dark) > reach and abs(v - bright) > reach)


def _why_not_black_and_white(file: Path, drawing: Drawing) -> str | None:
    grey, brightest = drawing.grey, drawing.grey.max()
    if 0 < brightest <= 127:
        return (
            f"{file} has no pixel above half of full scale, but some up to {brightest}; {WANTED}, "
            "as in other masks. Export it again, or say in data.classes what the values of all "
            "masks are."
        )
    if trouble := _further_plateaus(file, drawing.colours):
        return trouble
    share = float(((grey >= GREY.start) & (grey < GREY.stop)).mean())
    if share > MOST_GREY:
        neither = f"{share:.0%} of its pixels are neither black nor white"
        return f"{file} is no mask: {neither}; {WANTED}."
    return None


def _further_plateaus(file: Path, colours: np.ndarray) -> str | None:
    """Say which plateaus there are besides a dark and a bright one; see :data:`PLATEAU`."""
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
        return None
    distance = np.abs(values[:, None] - values[largest]).max(axis=2).min(axis=1)
    others = counts.sum() - counts[largest[0]]  # all but the background
    close = counts[(distance > 0) & (distance <= CLOSE)].sum() / others
    far = counts[distance > CLOSE].sum() / others
    if far <= MOST_FAR and close <= MOST_CLOSE:
        return None
    names = ["#" + "".join(f"{v:02x}" for v in c) if len(c) > 1 else str(*c) for c in values]
    return _too_many(file, dict(zip(names, counts / codes.size, strict=True)))


def _too_many(file: Path, shares: dict[str, float]) -> str:
    shown = sorted(shares, key=shares.get, reverse=True)[:4]
    listing = ", ".join(f"{name} ({shares[name]:.1%})" for name in shown)
    return (
        f"{file} has {len(shares)} colours: {listing}{', ...' * (len(shares) > 4)}; a black and "
        f"white mask has two: {WANTED}. If they are classes, export all masks so, as PNG, without "
        "smoothing."
    )
