"""Numbers of teeth, and what the classes of annotated objects mean."""

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from maskedteeth.errors import InputError
from maskedteeth.settings.config import Layout

#: What ``labels.npy`` holds besides the teeth of known number, 1 to 32.
BACKGROUND, UNNUMBERED = 0, 99

#: FDI number → Universal number, from the patient's upper right around to the lower right.
UNIVERSAL_OF_FDI = {
    fdi: number
    for number, fdi in enumerate(
        [*range(18, 10, -1), *range(21, 29), *range(38, 30, -1), *range(41, 49)], start=1
    )
}
FDI_OF_UNIVERSAL = {number: fdi for fdi, number in UNIVERSAL_OF_FDI.items()}
#: The 32 teeth, in Universal numbers: 1 to 16 above, 17 to 32 below, each from one wisdom tooth to
#: the other.
TEETH = range(1, 33)
#: By the second digit of FDI numbers, the place of a tooth from the midline.
GROUPS = {
    "incisors": (1, 2),
    "canines": (3,),
    "premolars": (4, 5),
    "molars": (6, 7),
    "wisdom teeth": (8,),
}
#: FDI numbers of milk teeth, which have no number of ours.
DECIDUOUS = {10 * quadrant + tooth for quadrant in range(5, 9) for tooth in range(1, 6)}

#: Numbering → what its numbers are in ``labels.npy``.
NUMBERINGS = {
    "universal": {number: number for number in TEETH},
    "fdi": UNIVERSAL_OF_FDI | dict.fromkeys(DECIDUOUS, UNNUMBERED),
}

#: So many different numbers that, all of them, both numberings know are FDI: they are the teeth of
#: its upper jaw, while Universal knows 14 others besides.
FDI_IF = 8
#: Numbers that only Universal knows, beside as many that only FDI knows, are a mix and no slips.
MIXED_IF = 3

#: Numbers up to this alone may as well be quadrants, or places in one.
MOST_OF_QUADRANT = 8

#: Kinds of teeth, and what else a name says of where a tooth is.
KINDS = "incisors?|canines?|(?:pre[ -]?)?molars?|tooth"
PLACES = (
    "upper|lower|maxilla(?:ry)?|mandib(?:le|ular)|jaw|left|right|central|lateral|first|second|third|"
    "1st|2nd|3rd|wisdom|permanent|adult|deciduous|primary|milk|baby"
)
NUMBER, OF_A_KIND = r"(?:tooth|teeth)?[ _#:-]*(\d{1,2})", rf"\W.*(?:{KINDS})"
#: Names of classes that mean a tooth: with its number, or of unknown number.
NUMBERED = re.compile(
    rf"{NUMBER}(?:(?={OF_A_KIND})(?:[\W_]+(?:{KINDS}|{PLACES}))+\W*)?", re.IGNORECASE
)
#: Names that have other words besides: they may say that the tooth is missing, or an implant.
DOUBTFUL = re.compile(f"{NUMBER}{OF_A_KIND}.*", re.IGNORECASE)
UNNUMBERED_NAMES = ("tooth", "teeth")


def group_of(tooth: int) -> str:
    """Return the group of a tooth, one of :data:`GROUPS`."""
    return next(group for group, places in GROUPS.items() if FDI_OF_UNIVERSAL[tooth] % 10 in places)


def other_side(tooth: int) -> int:
    """Return the same tooth of the other side of the jaw."""
    return (17 if tooth <= 16 else 49) - tooth


def other_jaw(tooth: int) -> int:
    """Return the tooth that bites on this one."""
    return 33 - tooth


#: The classes of a mirrored radiograph's teeth: the background, then the other side's.
MIRRORED = (BACKGROUND, *map(other_side, TEETH))


def in_print(tooth: int, numbers: Literal["universal", "fdi"]) -> str:
    """Return the number of a tooth, or what one of unknown number is called."""
    if tooth == UNNUMBERED:
        return "tooth"
    return str(tooth if numbers == "universal" else FDI_OF_UNIVERSAL[tooth])


def refuse_unnumbered(labels: Any, which: str) -> None:
    """Refuse radiographs without a tooth of known number.

    Args:
        labels: uint8 array or tensor (N, H, W), of ``labels.npy``.
        which: what the N radiographs are for, "train" or "test".

    Raises:
        InputError: none of them has a label of 1 to 32.
    """
    if not ((labels > BACKGROUND) & (labels < UNNUMBERED)).any():
        raise InputError(
            f"None of the {len(labels)} radiographs for {which}ing has a tooth of known number, "
            "which `task: numbering` needs; see data.numbering and data.classes, or set task to "
            "'teeth'."
        )


def number_classes(
    names: Iterable[str],
    layout: Layout,
    usual: Literal["universal", "fdi"] | None,
    raw: Path,
) -> dict[str, int]:
    """Decide once for a whole dataset which tooth each class of objects is, and print it.

    Args:
        names: of all classes.
        layout: data.numbering and data.classes.
        usual: the numbering where the numbers alone do not tell.
        raw: folder of the dataset, for sentences.

    Returns:
        For each class of teeth its number in ``labels.npy``; 0 for a class that data.classes says
        to ignore. What is not in it is no tooth.

    Raises:
        InputError: no class is a tooth, one may be or not, both numberings fit, or data.classes
            names another class.
    """
    names = sorted(names)
    if names:  # drawn masks have none: see maskedteeth.data.masks
        refuse_absent(layout.classes, names, raw)
    words = {name: layout.classes.get(name, name).strip() for name in names}
    numbers = {name: BACKGROUND for name in names if layout.classes.get(name) == "ignore"}
    unnumbered = [name for name in names if words[name].lower() in UNNUMBERED_NAMES]
    matches = {name: NUMBERED.fullmatch(words[name]) for name in names}
    values = {name: int(match[1]) for name, match in matches.items() if match}
    unread = [name for name in names if not matches[name] and name not in layout.classes]
    if doubtful := [name for name in unread if DOUBTFUL.fullmatch(name)]:
        raise InputError(
            f"{raw} has objects of {_listing(doubtful)}: each may be a tooth, or say that there is "
            f"none. Say in data.classes what it is, such as {{{doubtful[0]!r}: ignore}} or its "
            "number."
        )
    numbering = layout.numbering
    if numbering == "auto":
        numbering = _recognised(set(values.values()), usual, raw)
    if numbering == "none":
        known = NUMBERINGS["universal"] | NUMBERINGS["fdi"]
        unnumbered += [name for name, value in values.items() if value in known]
    else:
        table = NUMBERINGS[numbering]
        numbered = {name: table[value] for name, value in values.items() if value in table}
        unnumbered += [name for name, number in numbered.items() if number == UNNUMBERED]
        numbers |= numbered
    numbers |= dict.fromkeys(unnumbered, UNNUMBERED)
    told = sorted({values[n] for n in numbers if 0 < numbers[n] < UNNUMBERED})
    if names and not any(numbers.values()):
        raise InputError(
            f"{raw} has objects of {_listing(names)}, none of which is known as a tooth; say in "
            "data.classes which are, such as {molar: tooth} or {front left: 21}."
        )
    if told:
        title = {"universal": "Universal", "fdi": "FDI"}[numbering]
        print(f"{len(told)} classes, {told[0]} to {told[-1]}, are {title} numbers (data.numbering)")
    if unnumbered:
        print(f"{_listing(unnumbered)}: teeth of unknown number")
    return numbers


def refuse_absent(said: Iterable[str], names: Iterable[str], raw: Path) -> None:
    """Refuse what data.classes says of a class that is not in the dataset: it may be misspelt.

    Args:
        said: keys of data.classes.
        names: of all classes.
        raw: folder of the dataset, for sentences.
    """
    names = list(names)
    for name in said:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            known = f"it has {_listing(names) if names else 'none'}."
            hint = f"did you mean {near[0]!r}?" if near else known
            raise InputError(
                f"data.classes names {name!r}, a class that {raw} does not have; {hint}"
            )


def _recognised(
    values: set[int], usual: Literal["universal", "fdi"] | None, raw: Path
) -> Literal["universal", "fdi", "none"]:
    """Tell the numbering by the numbers that just one of the two knows."""
    universal, fdi = (values & NUMBERINGS[name].keys() for name in ("universal", "fdi"))
    if not values:
        return "none"
    only = [sorted(universal - fdi), sorted(fdi - universal)]
    if min(map(len, only)) >= MIXED_IF:
        known, others = (_listing(map(str, numbers)) for numbers in only)
        raise InputError(
            f"{raw} has {known}, which are Universal numbers, and {others}, which are FDI numbers: "
            "two numberings are mixed. Use one for all teeth, or say in data.numbering which to "
            "use and in data.classes what the other numbers are."
        )
    for name, fits, others in (("universal", universal, fdi), ("fdi", fdi, universal)):
        more = len(fits - others) > len(others - fits) and 2 * len(fits) > len(values)
        if more and max(values) > MOST_OF_QUADRANT:
            return name
    if universal == fdi == values and len(values) >= FDI_IF:
        return "fdi"
    if usual and (universal == fdi == values or max(values) <= MOST_OF_QUADRANT):
        return usual
    raise InputError(
        f"{raw} has {_listing(map(str, sorted(values)))}, which may be Universal numbers (1 to 32) "
        "or FDI numbers (11 to 48); say in data.numbering which it is: 'universal', 'fdi', or "
        "'none' to leave teeth without numbers."
    )


def _listing(names: Iterable[str]) -> str:
    names = list(names)
    shown = ", ".join(repr(name) for name in names[:8]) + ", ..." * (len(names) > 8)
    return f"the class{'es' * (len(names) > 1)} {shown}"
