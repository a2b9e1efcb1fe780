"""What every source of radiographs has in common."""

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

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
class Problem:
    """Something in the dataset that is not used.

    Attributes:
        id: the radiograph's, or the name of what belongs to none.
        reason: a sentence.
        radiograph: whether it is a radiograph, which counts towards data.most_problems.
    """

    id: str
    reason: str
    radiograph: bool = True


@dataclass(frozen=True)
class Annotation:
    """The teeth of one radiograph.

    Attributes:
        labels: uint8 (H, W) at the radiograph's size: 0 background, 1 to 32 the tooth in Universal
            numbering, 99 a tooth of unknown number.
        teeth: how many are annotated one by one, or None where only a mask is known.
        labelled: whether anybody annotated this radiograph at all.
        classes: how many objects of which class were drawn; empty where only a mask is known.
    """

    labels: np.ndarray
    teeth: int | None
    labelled: bool
    classes: Counter[str] = field(default_factory=Counter)


def natural_order(name: str) -> tuple[int, int | str, str]:
    """Sort key that puts 2 before 10 and numbers before words."""
    return (0, int(name), name) if name.isdecimal() else (1, name, name)


def list_images(folder: Path) -> tuple[dict[str, list[Path]], list[Problem]]:
    """List the image files in a folder by name, in natural order, and the other files as problems.

    Names are without suffix and composed (Unicode NFC). Hidden files and subfolders are none of
    ours.
    """
    by_name: dict[str, list[Path]] = {}
    strays = []
    for file in sorted(folder.iterdir(), key=lambda file: natural_order(file.stem)):
        if file.name.startswith("."):
            continue
        if file.suffix.lower() in SUFFIXES:
            by_name.setdefault(unicodedata.normalize("NFC", file.stem), []).append(file)
        elif not file.is_dir():
            reason = f"{file} is passed over: its suffix is none of {', '.join(SUFFIXES)}."
            strays.append(Problem(file.name, reason, radiograph=False))
    return by_name, strays


def trouble_with(name: str, files: list[Path]) -> str | None:
    """Say why files of one name cannot be used, or return None."""
    if len(files) > 1:
        listing = " and ".join(str(file) for file in files)
        return f"{listing} share the name {name}; remove or rename all but one."
    if any(map(_breaks_lines, name)):
        return (
            f"{files[0]} has a name with control characters or bytes that are not UTF-8; rename it."
        )
    return None


def printable(text: str) -> str:
    """Escape what would break a line or cannot be written as UTF-8."""
    return "".join(c.encode("unicode_escape").decode() if _breaks_lines(c) else c for c in text)


def _breaks_lines(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cs")
