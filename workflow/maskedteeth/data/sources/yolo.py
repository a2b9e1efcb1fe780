"""YOLO for segmentation: a text file a radiograph, with a line a tooth.

A line is the number of a class and the corners of an outline, as shares of width and height.
Text files lie in folders `labels`, and radiographs, in the same order, in folders `images`. The
names of the classes are in a YAML file, or a line each in `classes.txt`.
"""

from functools import partial
from pathlib import Path

import numpy as np
import yaml
from pydantic import BaseModel

from maskedteeth.data.folders import files_below
from maskedteeth.data.listing import Content, Listing
from maskedteeth.data.objects import Object, fill, leaves, undrawn
from maskedteeth.data.pixels import MOST_BYTES_OF_TEXT, read_file
from maskedteeth.data.records import Found
from maskedteeth.errors import InputError
from maskedteeth.settings.config import ClassName
from maskedteeth.settings.sections import Layout

#: Names classes, one a line.
LIST = "classes.txt"


class _About(BaseModel):
    names: list[ClassName] | dict[int, ClassName]


def find_records(root: Path, layout: Layout) -> Found:
    """List the radiographs below ``root``, each with its outlines.

    Raises:
        InputError: there is no folder `labels` with text files, or not one list of classes.
    """
    files = label_files(root)
    if not files:
        raise InputError(
            f"{root} has no text file in a folder 'labels'; export the dataset as YOLO for "
            "segmentation and name its folder in data.path, or set data.source to 'auto'."
        )
    listing, names = Listing(root), _names_of_classes(root)
    for file in files:
        parts = file.relative_to(root).parts
        image = Path(*("images" if part == "labels" else part for part in parts))
        listing.add(str(image), file, partial(_read, file, names))
    return listing.found("images")


def label_files(root: Path) -> list[Path]:
    """List the text files in folders `labels`, but for a list of classes."""
    files = [file for file in files_below(root, ".txt") if file.name != LIST]
    return [file for file in files if "labels" in file.relative_to(root).parts[:-1]]


def _lines(file: Path) -> list[str]:
    content = read_file(file, MOST_BYTES_OF_TEXT)
    return content.decode("utf-8-sig", errors="replace").splitlines()


def _names_of_classes(root: Path) -> dict[int, str]:
    found = {}
    for file in files_below(root, ".yaml", ".yml"):
        try:  # the base loader leaves 011 and no as they are
            content = yaml.load(read_file(file, MOST_BYTES_OF_TEXT), yaml.BaseLoader)
            if isinstance(content, dict) and "names" in content:
                names = _About.model_validate(content).names
                found[file] = names if isinstance(names, dict) else dict(enumerate(names))
        except (yaml.YAMLError, ValueError, RecursionError):
            raise InputError(
                f"{file} does not name classes as YOLO does, 'names: [11, 12]'; correct or remove "
                "it."
            ) from None
    for file in files_below(root, ".txt"):
        if file.name == LIST:
            found[file] = dict(enumerate(line.strip() for line in _lines(file)))
    lists = list(found.values())
    if not lists or any(names != lists[0] for names in lists):
        listing = " and ".join(map(str, found)) or "no file"
        raise InputError(
            f"{root} has {listing} that names classes, but one list of them was expected: "
            "'names: [11, 12]' in data.yaml, or one class per line in classes.txt. Add it, or "
            "remove the others."
        )
    return lists[0]


def _read(file: Path, names: dict[int, str]) -> Content:
    return tuple(_object(line, names, file) for line in _lines(file) if line.strip()), None


def _object(line: str, names: dict[int, str], file: Path) -> Object:
    number, *values = line.split()
    try:
        name = names[int(number)]
        corners = np.array(values, float).reshape(-1, 2)
        if leaves(corners, (1, 1)):
            raise ValueError
    except (ValueError, KeyError):
        raise InputError(
            f"{file} has the line {line[:40]!r}; the number of one of {len(names)} classes, then "
            "pairs of numbers from 0 to 1 were expected. Export it again."
        ) from None
    if len(corners) < 3:
        return undrawn(name, "drawn as a box; an outline was expected", file)

    def draw(size: tuple[int, int]) -> np.ndarray:
        pixels = np.round(corners * size[::-1], 2)  # whole ones come with few digits
        return fill([[pixels]], size)

    return Object(name, draw)
