"""Projects of Supervisely, whose every radiograph has a JSON file of objects.

A project holds datasets, each a folder with `img/NAME` and `ann/NAME.json`.
"""

import zlib
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field

from maskedteeth.data.json_files import Point, parsed
from maskedteeth.data.objects import Object, bitmap, fill, undrawn
from maskedteeth.data.pixels import MOST_BYTES_OF_TEXT
from maskedteeth.data.records import Found, Problem, Record, list_images, trouble_with
from maskedteeth.errors import InputError
from maskedteeth.settings.config import ClassName
from maskedteeth.settings.sections import Layout

#: Supervisely's geometries that enclose nothing: a tooth drawn as one of them is a slip of the pen.
WITHOUT_AREA = frozenset({"line", "polyline", "point"})

EXPECTED = "a Supervisely annotation", "'size' and 'objects' with polygons"
Pixel = Annotated[int, Field(strict=True, ge=-(2**16), le=2**16)]


class _Points(BaseModel):
    exterior: list[Point]
    interior: list[list[Point]]


class _Bitmap(BaseModel):
    data: str
    origin: Annotated[list[Pixel], Field(min_length=2, max_length=2)]


class _Figure(BaseModel):
    classTitle: ClassName
    geometryType: str
    points: Annotated[_Points | Any, Field(union_mode="left_to_right")] = None
    bitmap: Annotated[_Bitmap | Any, Field(union_mode="left_to_right")] = None


class _Size(BaseModel):
    height: Annotated[int, Field(strict=True)]
    width: Annotated[int, Field(strict=True)]


class _File(BaseModel):
    size: _Size
    objects: list[_Figure]


def find_records(root: Path, layout: Layout) -> Found:
    """List the radiographs of all datasets below ``root``, each with its annotated objects.

    Of several datasets the radiographs are named `DATASET/NAME`.

    Raises:
        InputError: there is no dataset, or one without a radiograph.
    """
    folders = datasets(root)
    if not folders:
        raise InputError(
            f"{root} holds no dataset of Supervisely, a folder with 'img' and 'ann'; export the "
            "project in Supervisely's format and name its folder in data.path, or set data.source "
            "to 'auto'."
        )
    several = len(folders) > 1
    found = [
        of_dataset(folder, f"{folder.relative_to(root).as_posix()}/" if several else "")
        for folder in folders
    ]
    records = [record for part in found for record in part.records]
    return Found(records, [problem for part in found for problem in part.problems])


def datasets(root: Path) -> list[Path]:
    """List the datasets below a folder: what has `img` and `ann`."""
    return sorted(
        ann.parent
        for ann in root.rglob("ann")
        if (ann.parent / "img").is_dir() and "__MACOSX" not in ann.parts
    )


def of_dataset(folder: Path, prefix: str = "") -> Found:
    """List the radiographs of one dataset, with a prefix before their names.

    Names that two files share, annotations that cannot be read or are of no radiograph, and files
    that are no images are problems.

    Raises:
        InputError: it holds no radiograph.
    """
    images, annotations = folder / "img", folder / "ann"
    found, strays = list_images(images)
    if not found:
        raise InputError(f"{images} holds no radiograph; export or unpack the dataset again.")
    records, problems = [], []
    for name, files in found.items():
        annotation = annotations / f"{files[0].name}.json"
        try:
            if trouble := trouble_with(name, files):
                raise InputError(trouble)
            content = parsed(annotation, _File, *EXPECTED)
        except InputError as error:
            problems.append(Problem(f"{prefix}{name}", str(error)))
            continue
        objects = tuple(_object(annotation, figure) for figure in content.objects)
        size = content.size.height, content.size.width
        records.append(Record(f"{prefix}{name}", files[0], annotation, objects, size))
    expected = {f"{file.name}.json" for files in found.values() for file in files}
    reason = "is an annotation without a radiograph of its name."
    problems += [
        Problem(file.name, f"{file} {reason}", radiograph=False)
        for file in sorted(annotations.glob("[!.]*"))
        if file.name not in expected
    ]
    return Found(records, problems + strays)


def _object(file: Path, figure: _Figure) -> Object:
    name, kind, drawing = figure.classTitle, figure.geometryType, figure.points
    if kind in WITHOUT_AREA:
        return Object(name, None)
    if kind == "polygon" and isinstance(drawing, _Points):
        rings = [np.array(ring, np.float64) for ring in (drawing.exterior, *drawing.interior)]
        # Cut at the border, as in the paper's dataset: the file states the radiograph's size.
        pieces = [[ring.reshape(-1, 2) for ring in rings]]
        return Object(name, partial(fill, pieces))
    if kind == "bitmap" and isinstance(figure.bitmap, _Bitmap):
        return bitmap(name, figure.bitmap.data, figure.bitmap.origin, file, _unpacked)
    found = {
        "polygon": "whose 'exterior' and 'interior' are not lists of corners, each of an x "
        "and a y within 65,536 pixels",
        "bitmap": "without a 'bitmap' of 'data' and an 'origin' of x and y",
    }
    return undrawn(
        name, found.get(kind, f"drawn as {kind!r}; a polygon or bitmap was expected"), file
    )


def _unpacked(content: bytes) -> bytes:
    return zlib.decompressobj().decompress(content, MOST_BYTES_OF_TEXT)
