"""LabelMe: a JSON file a radiograph, with the shapes that are drawn on it."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, TypeAdapter, ValidationError

from maskedteeth.data.folders import files_below
from maskedteeth.data.json_files import Point, decoded, parsed
from maskedteeth.data.listing import Content, Listing
from maskedteeth.data.objects import Object, bitmap, polygons, undrawn
from maskedteeth.data.pixels import read_file
from maskedteeth.data.records import Found
from maskedteeth.errors import InputError
from maskedteeth.settings.config import ClassName
from maskedteeth.settings.sections import Layout

EXPECTED = "a LabelMe annotation", "'shapes' and 'imagePath'"

#: Shapes that enclose nothing: a tooth drawn as one of them is a slip of the pen.
WITHOUT_AREA = frozenset({"line", "linestrip", "point", "points"})

POINTS = TypeAdapter(list[Point])


class _Shape(BaseModel):
    label: ClassName
    points: Any = None
    shape_type: str | None = "polygon"
    mask: str | None = None


class _File(BaseModel):
    shapes: list[_Shape]
    imagePath: str
    imageHeight: int | None = None
    imageWidth: int | None = None


def is_labelme(file: Path) -> bool:
    """Tell whether a JSON file is LabelMe's, whole or not, by the names in it."""
    content = decoded(read_file(file))
    return '"shapes"' in content or '"imagePath"' in content


def find_records(root: Path, layout: Layout) -> Found:
    """List the radiographs below ``root``, each with its shapes.

    A file is of the radiograph that its `imagePath` names or, where that is empty, of the one of
    its own name. Where one of its own name lies beside it, the two must not differ.

    Raises:
        InputError: there is no file of LabelMe.
    """
    listing, count = Listing(root), 0
    for file in files_below(root, ".json"):
        if not is_labelme(file):
            listing.pass_over(file, "it is not an annotation of LabelMe")
            continue
        count += 1
        try:
            content = parsed(file, _File, *EXPECTED)
            image = content.imagePath or file.stem
            if content.imagePath and listing.is_of_another(file, image):
                raise InputError(
                    f"{file} lies beside the radiograph of its name, but its 'imagePath' is "
                    f"{image!r}; correct 'imagePath', or rename or remove the file."
                )
        except InputError as error:
            content, image = error, file.stem
        listing.add(image, file, partial(_read, content, file))
    if not count:
        raise InputError(
            f"{root} holds no annotation of LabelMe, a JSON file with 'shapes' and 'imagePath'; "
            "name the folder that LabelMe saves to in data.path, or set data.source to 'auto'."
        )
    return listing.found()


def _read(content: _File | InputError, file: Path) -> Content:
    if isinstance(content, InputError):
        raise content
    known = content.imageHeight is not None and content.imageWidth is not None
    size = (content.imageHeight, content.imageWidth) if known else None
    return tuple(_object(shape, file) for shape in content.shapes), size


def _object(shape: _Shape, file: Path) -> Object:
    name, kind = shape.label, shape.shape_type
    if kind in WITHOUT_AREA:
        return Object(name, None)
    try:
        points = POINTS.validate_python(shape.points)
    except ValidationError:
        return undrawn(name, "without a list of points, each of an x and a y", file)
    if kind == "polygon":
        return polygons(name, [[np.reshape(points, (-1, 2))]], file)
    if kind == "mask" and points and shape.mask:
        corner = int(points[0][0]), int(points[0][1])
        return bitmap(name, shape.mask, corner, file)
    return undrawn(name, f"drawn as {kind!r}; a polygon or mask was expected", file)
