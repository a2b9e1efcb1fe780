"""The paper's dataset [11]: Humans in the Loop (2023), annotated in Supervisely's JSON.

The dataset holds every radiograph twice, beside JSON annotations and beside drawn masks; the
JSON half is read, where each tooth is a polygon of its own.
"""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from maskedteeth.data.objects import Object, polygons
from maskedteeth.data.pixels import read_file
from maskedteeth.data.records import Found, Problem, Record, list_images, trouble_with
from maskedteeth.errors import InputError
from maskedteeth.settings.sections import Layout

#: The folder that is read, of those in the publisher's zip.
DATASET = "Teeth Segmentation JSON"

#: Supervisely's geometries that enclose nothing: a tooth drawn as one of them is a slip of the pen.
WITHOUT_AREA = frozenset({"line", "polyline", "point"})

#: More bytes are no annotation of 32 teeth, and corners further out no pixels.
MOST_BYTES = 2**22
Coordinate = Annotated[float, Field(strict=True, ge=-(2**16), le=2**16)]
Ring = list[Annotated[list[Coordinate], Field(min_length=2, max_length=2)]]


class _Points(BaseModel):
    exterior: Ring
    interior: list[Ring]


class _Figure(BaseModel):
    classTitle: str
    geometryType: str
    points: Annotated[_Points | Any, Field(union_mode="left_to_right")] = None


class _Size(BaseModel):
    height: Annotated[int, Field(strict=True)]
    width: Annotated[int, Field(strict=True)]


class _File(BaseModel):
    size: _Size
    objects: list[_Figure]


def find_records(root: Path, layout: Layout) -> Found:
    """List the radiographs of the dataset at ``root``, each with its annotated objects.

    ``root`` is the folder `Teeth Segmentation JSON`, or one that holds it, however deep. Names that
    two files share, annotations that cannot be read or are of no radiograph, and files that are no
    images are problems. Where numbers of teeth leave it open they are Universal.

    Raises:
        InputError: the dataset's layout is not there, or holds no radiograph.
    """
    nearest = sorted(root.rglob(DATASET), key=lambda folder: len(folder.parts))  # to root
    bases = (folder / "d2" for folder in (root, *nearest))
    base = next((b for b in bases if (b / "img").is_dir() and (b / "ann").is_dir()), None)
    if base is None:
        raise InputError(
            f"{root} does not hold the dataset: '{DATASET}/d2/img' and '.../d2/ann' were expected. "
            "Unpack it again, or name its folder in data.path."
        )
    images, annotations = base / "img", base / "ann"
    found, strays = list_images(images)
    if not found:
        raise InputError(f"{images} holds no radiograph; unpack the dataset again.")
    records, problems = [], []
    for name, files in found.items():
        if trouble := trouble_with(name, files):
            problems.append(Problem(name, trouble))
        else:
            annotation = annotations / f"{files[0].name}.json"
            try:
                records.append(_record(name, files[0], annotation))
            except InputError as error:
                problems.append(Problem(name, str(error)))
    expected = {f"{file.name}.json" for files in found.values() for file in files}
    problems += [
        Problem(
            file.name,
            f"{file} is an annotation without a radiograph of its name.",
            radiograph=False,
        )
        for file in sorted(annotations.glob("[!.]*"))
        if file.name not in expected
    ]
    return Found(records, problems + strays, "universal")


def _record(name: str, image: Path, annotation: Path) -> Record:
    content = _parsed(annotation)
    objects = tuple(_object(annotation, figure) for figure in content.objects)
    return Record(name, image, annotation, objects, (content.size.height, content.size.width))


def _object(file: Path, figure: _Figure) -> Object:
    name, kind, points = figure.classTitle, figure.geometryType, figure.points
    if kind in WITHOUT_AREA:
        return Object(name, None)
    if kind == "polygon" and isinstance(points, _Points):
        rings = (points.exterior, *points.interior)
        return polygons(name, [[np.array(ring, np.float64).reshape(-1, 2) for ring in rings]])

    def refuse(size: tuple[int, int]) -> np.ndarray:
        if kind != "polygon":
            raise InputError(
                f"{file} has tooth {name} drawn as {kind!r}; only polygons are read: export it as "
                "one, or remove it."
            )
        raise InputError(
            f"{file} has tooth {name} whose 'exterior' and 'interior' are not lists of corners, "
            "each of an x and a y within 65,536 pixels. Restore or remove it."
        )

    return Object(name, refuse)


def _parsed(file: Path) -> _File:
    try:
        return _File.model_validate_json(read_file(file, MOST_BYTES).removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = "".join(f"{part}: " for part in first["loc"])
        raise InputError(
            f"{file} is not a Supervisely annotation ({place}{first['msg']}); 'size' and 'objects' "
            "with polygons were expected. Restore or remove it."
        ) from None
