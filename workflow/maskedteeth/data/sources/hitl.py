"""The paper's dataset [11]: Humans in the Loop (2023), annotated in Supervisely's JSON.

The dataset holds every radiograph twice, beside JSON annotations and beside drawn masks; the
JSON half is read, where each tooth is a polygon of its own.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
from pydantic import BaseModel, Field, ValidationError

from maskedteeth.data.pixels import read_file
from maskedteeth.data.records import Annotation, Problem, Record, list_images, trouble_with
from maskedteeth.data.teeth import UNIVERSAL
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


def find_records(root: Path, layout: Layout) -> tuple[list[Record], list[Problem]]:
    """List the radiographs of the dataset at ``root``, each with its annotation file.

    ``root`` is the folder `Teeth Segmentation JSON`, or one that holds it, however deep. Names that
    two files share, annotations without a radiograph and files that are no images are problems.

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
            records.append(Record(name, files[0], annotations / f"{files[0].name}.json"))
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
    return records, problems + strays


def read_annotation(record: Record, height: int, width: int) -> Annotation:
    """Rasterise the tooth polygons of a radiograph.

    Each polygon is filled, its interior rings are cut out of it, and a tooth covers those
    drawn before it.
    Polygons that enclose nothing draw nothing and are not counted as teeth. A radiograph without
    any tooth polygon is unlabelled: nobody annotated it.

    Raises:
        InputError: the file is not Supervisely's JSON, of another size than the radiograph, or
            its teeth are drawn as something else than polygons, or are all of other classes.
    """
    assert record.annotation is not None
    file, content = record.annotation, _parsed(record.annotation)
    size = content.size.height, content.size.width
    if size != (height, width):
        raise InputError(
            f"{file} says {size[0]} x {size[1]} pixels, but its radiograph {record.image} is "
            f"{height} x {width} as viewers show it; annotate it anew or restore the radiograph."
        )
    drawn = [figure for figure in content.objects if figure.geometryType not in WITHOUT_AREA]
    labels = np.zeros((height, width), np.uint8)
    teeth = 0
    for figure in _teeth(file, drawn):
        exterior, *interiors = (
            np.array(ring, np.float64).reshape(-1, 2)
            for ring in (figure.points.exterior, *figure.points.interior)
        )
        if len(exterior) < 3 or np.linalg.matrix_rank(exterior - exterior[0]) < 2:
            continue  # all corners on one line
        tooth = _filled(exterior, interiors, (height, width))
        labels[tooth > 0] = int(figure.classTitle)
        teeth += 1
    classes = Counter(figure.classTitle for figure in drawn)
    return Annotation(labels, teeth, teeth > 0, classes)


def _filled(exterior: np.ndarray, interiors: list[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """Fill a polygon (P, 2) of x, y and its outline by the even-odd rule, as Supervisely does.

    Interior rings are cut out one by one: filled together they would cancel where they overlap.
    """
    mask = np.zeros(size, np.uint8)
    for value, ring in [(1, exterior), *((0, ring) for ring in interiors if len(ring))]:
        cv2.fillPoly(mask, [np.rint(ring).astype(np.int32)], value)
    return mask


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


def _teeth(file: Path, drawn: list[_Figure]) -> list[_Figure]:
    teeth = [figure for figure in drawn if figure.classTitle in UNIVERSAL]
    for figure in teeth:
        if figure.geometryType != "polygon":
            raise InputError(
                f"{file} has tooth {figure.classTitle} drawn as {figure.geometryType!r}; only "
                "polygons are read: export it as one, or remove it."
            )
        if not isinstance(figure.points, _Points):
            raise InputError(
                f"{file} has tooth {figure.classTitle} whose 'exterior' and 'interior' are not "
                "lists of corners, each of an x and a y within 65,536 pixels. Restore or remove it."
            )
    if drawn and not teeth:
        classes = sorted({figure.classTitle for figure in drawn})
        listing = ", ".join(repr(name) for name in classes[:3]) + ", ..." * (len(classes) > 3)
        raise InputError(
            f"{file} has figures of the classes {listing} alone; teeth are '1' to '32'. Rename the "
            "classes, or remove the figures."
        )
    return teeth
