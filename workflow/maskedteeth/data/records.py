"""What every source of radiographs has in common."""

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Literal

import numpy as np

from maskedteeth.data.dicom import is_dicom
from maskedteeth.data.folders import OTHER_SUFFIXES, files_below, has_suffix
from maskedteeth.data.objects import Object
from maskedteeth.data.pixels import BEGINNINGS
from maskedteeth.data.teeth import BACKGROUND
from maskedteeth.errors import InputError

#: Share of the masks, or of a file's annotations, without a radiograph that stops the run.
MOST_STRAY = 0.5

#: Why an object was left out.
UNKNOWN = "if they are teeth, say so in data.classes"
IGNORED = "data.classes says so"
EMPTY = "they enclose nothing inside the radiograph"


@dataclass(frozen=True)
class Annotation:
    """The teeth of one radiograph.

    Attributes:
        labels: uint8 (H, W) at the radiograph's size: 0 background, 1 to 32 the tooth in Universal
            numbering, 99 a tooth of unknown number.
        teeth: how many are annotated one by one, or None where only a mask is known.
        labelled: whether anybody annotated this radiograph at all.
        left_out: how many objects of a class were left out, by class and reason.
    """

    labels: np.ndarray
    teeth: int | None
    labelled: bool
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True)
class Record:
    """A radiograph and its annotation.

    Attributes:
        id: name that is unique in the dataset.
        image: file of the radiograph.
        annotation: file that its annotation is in, or None where there is none.
        objects: what is annotated on it, teeth and others; one drawn later covers earlier ones.
        size: height and width of the radiograph as the annotation says, or None.
    """

    id: str
    image: Path
    annotation: Path | None
    objects: tuple[Object, ...] = ()
    size: tuple[int, int] | None = None

    def read(self, size: tuple[int, int], numbers: dict[str, int]) -> Annotation:
        """Draw the teeth. A radiograph on which no object is a tooth is unlabelled.

        Args:
            size: height and width of the radiograph, upright.
            numbers: what :func:`maskedteeth.data.teeth.number_classes` returns.

        Raises:
            InputError: the annotation is of another size, a tooth cannot be drawn, or all objects
                are of unknown classes, so that nobody knows whether teeth were looked for.
        """
        if self.size not in (None, size):
            raise InputError(
                f"{self.annotation} says {self.size[0]} x {self.size[1]} pixels, but its "
                f"radiograph {self.image} is {size[0]} x {size[1]} as viewers show it; annotate it "
                "again or restore the radiograph."
            )
        drawn = {entry.name for entry in self.objects if entry.draw}
        if drawn and not drawn & numbers.keys():
            listing = ", ".join(map(repr, sorted(drawn)[:3])) + ", ..." * (len(drawn) > 3)
            raise InputError(
                f"{self.annotation} has, for {self.image}, only objects of the classes {listing}, "
                "none of which is known as a tooth. Say in data.classes what they are, or remove "
                "them."
            )
        labels, teeth, left_out = np.zeros(size, np.uint8), 0, Counter()
        for entry in self.objects:
            number = numbers.get(entry.name)
            if number == BACKGROUND:
                left_out[entry.name, IGNORED] += 1
            elif entry.draw and number is None:
                left_out[entry.name, UNKNOWN] += 1
            elif entry.draw and (covered := entry.draw(size)).any():
                np.copyto(labels, number, where=covered.astype(bool))
                teeth += 1
            else:
                left_out[entry.name, EMPTY] += 1
        return Annotation(labels, teeth, teeth > 0, left_out)


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
class Found:
    """What a source finds in a folder.

    Attributes:
        records: of the radiographs.
        problems: what cannot be used.
        numbering: `universal` or `fdi`, of teeth whose numbers fit both; None: the user has to say.
    """

    records: list[Record]
    problems: list[Problem]
    numbering: Literal["universal", "fdi"] | None = None


def natural_order(name: str) -> tuple[int, int | str, str]:
    """Sort key that puts 2 before 10 and numbers before words."""
    return (0, int(name), name) if name.isdecimal() else (1, name, name)


def list_images(folder: Path) -> tuple[dict[str, list[Path]], list[Problem]]:
    """List the image files below a folder by name, in natural order, and the others as problems.

    Images are told by their suffix or by how they begin. Names are without a suffix of images,
    with the subfolders that lead to them (`train/1`), and composed (Unicode NFC). Hidden files and
    folders are none of ours.

    Raises:
        InputError: a folder cannot be read.
    """
    by_name: dict[str, list[Path]] = {}
    strays = []
    files = [(file.relative_to(folder), file) for file in files_below(folder)]
    for place, file in sorted(files, key=lambda f: (f[0].parent.parts, natural_order(f[0].stem))):
        unread = file.suffix.lower() in OTHER_SUFFIXES
        if unread or is_radiograph(file):
            name = place.with_suffix("").as_posix() if unread else name_of(place)
            by_name.setdefault(unicodedata.normalize("NFC", name), []).append(file)
        else:
            reason = (
                f"{file} is passed over: neither its suffix nor its content is one of JPEG, PNG, "
                "TIFF, BMP or DICOM."
            )
            strays.append(Problem(file.name, reason, radiograph=False))
    for name, files in by_name.items():
        read = [file for file in files if file.suffix.lower() not in OTHER_SUFFIXES]
        for file in [file for file in files if read and file not in read]:
            reason = f"{file} is passed over: {read[0]} has the same name, and can be read."
            strays.append(Problem(file.name, reason, radiograph=False))
        by_name[name] = read or files
    return by_name, strays


def name_of(file: PurePath | str) -> str:
    """Name a radiograph by its file, without a suffix that is one."""
    file = PurePath(file)
    return (file.with_suffix("") if has_suffix(file) else file).as_posix()


def is_radiograph(file: Path) -> bool:
    """Tell an image by its suffix or by how it begins."""
    if has_suffix(file):
        return True
    try:
        if not file.is_file():  # reading a pipe would wait for ever
            return False
        with file.open("rb") as opened:
            start = opened.read(132)
            return is_dicom(start) or bool(BEGINNINGS.match(start))
    except OSError:
        return False


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
