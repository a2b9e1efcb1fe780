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
from maskedteeth.errors import InputError

#: Classes of annotated teeth, in Universal numbering. The dataset's stray class "13(polygon)",
#: a line, is not one of them.
TEETH = frozenset(str(number) for number in range(1, 33))

#: Supervisely's geometries that enclose nothing: a tooth drawn as one of them is a slip of the pen.
WITHOUT_AREA = frozenset({"line", "polyline", "point"})

#: More is no annotation of 32 teeth, and would take minutes to draw: bytes of a file, corners of a
#: ring and of a file. A tooth has some dozens.
MOST_BYTES = 2**25
MOST_CORNERS = 5_000, 100_000

Coordinate = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Ring = list[Annotated[list[Coordinate], Field(min_length=2, max_length=2)]]


class _Points(BaseModel):
    exterior: Ring
    interior: list[Ring]


class _Figure(BaseModel):
    classTitle: str
    geometryType: str
    points: Any = None


class _Size(BaseModel):
    height: Annotated[int, Field(strict=True)]
    width: Annotated[int, Field(strict=True)]


class _File(BaseModel):
    size: _Size
    objects: list[_Figure]


def find_records(root: Path) -> tuple[list[Record], list[Problem]]:
    """List the radiographs of the dataset at ``root``, each with its annotation file.

    ``root`` is the folder that holds `Teeth Segmentation JSON`, or that folder itself. Names that
    two files share, annotations without a radiograph and files that are no images are problems.

    Raises:
        InputError: the dataset's layout is not there, or holds no radiograph.
    """
    for base in (root / "Teeth Segmentation JSON", root):
        images, annotations = base / "d2" / "img", base / "d2" / "ann"
        if images.is_dir() and annotations.is_dir():
            break
    else:
        raise InputError(
            f"{root} does not hold the dataset: 'Teeth Segmentation JSON/d2/img' and "
            "'.../d2/ann' were expected. Unpack it again, or name its folder in data.path."
        )
    found = list_images(images)
    if not found.by_name:
        raise InputError(f"{images} holds no radiograph; unpack the dataset again.")
    records, problems = [], []
    for name, files in found.by_name.items():
        if trouble := trouble_with(name, files):
            problems.append(Problem(name, trouble))
        else:
            records.append(Record(name, files[0], annotations / f"{files[0].name}.json"))
    expected = {f"{file.name}.json" for files in found.by_name.values() for file in files}
    problems += [
        Problem(
            file.name,
            f"{file} is an annotation without a radiograph of its name.",
            radiograph=False,
        )
        for file in sorted(annotations.glob("[!.]*"))
        if file.name not in expected
    ]
    return records, problems + found.strays


def read_annotation(record: Record, height: int, width: int) -> Annotation:
    """Rasterise the tooth polygons of a radiograph.

    Each polygon is filled, its interior rings are cut out of it, and the teeth are united.
    Polygons that enclose nothing draw nothing and are not counted as teeth. A radiograph without
    any tooth polygon is unlabelled: nobody annotated it.

    Raises:
        InputError: the file is not Supervisely's JSON, of another size than the radiograph, or
            not to be understood: teeth drawn as something else than polygons, polygons of other
            classes alone, corners far outside, more of them than 32 teeth have.
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
    classes = Counter(figure.classTitle for figure in drawn)
    unknown = Counter({name: count for name, count in classes.items() if name not in TEETH})
    polygons = [_rings(file, figure) for figure in _tooth_polygons(file, drawn)]
    rings = [ring for exterior, interiors in polygons for ring in (exterior, *interiors)]
    corners = [len(ring) for ring in rings]
    for found, most in zip((max(corners, default=0), sum(corners)), MOST_CORNERS, strict=True):
        if found > most:
            raise InputError(
                f"{file} has {found:,} corners in one polygon or in all; at most {most:,} were "
                "expected. Simplify the polygons, restore the file or remove it."
            )
    for ring in rings:
        _refuse_far_outside(file, ring, height, width)
    mask = np.zeros((height, width), np.uint8)
    teeth = 0
    for exterior, interiors in polygons:
        if not _encloses(exterior):
            continue
        mask |= rasterise(exterior, interiors, height, width)
        teeth += 1
    return Annotation(mask, teeth, teeth > 0, classes, unknown)


def rasterise(
    exterior: np.ndarray, interiors: list[np.ndarray], height: int, width: int
) -> np.ndarray:
    """Fill a polygon by the even-odd rule, as Supervisely does, and cut its interior rings out.

    Args:
        exterior: (P, 2) corners as x, y in pixels.
        interiors: rings inside it, likewise.
        height: rows of the result.
        width: columns of the result.

    Returns:
        uint8 (height, width), 1 inside the polygon (its outline included); what lies outside the
        picture is cut off.
    """
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(exterior).astype(np.int32)], 1)
    for ring in interiors:  # one by one: rings filled together would cancel where they overlap
        if len(ring) > 0:
            cv2.fillPoly(mask, [np.rint(ring).astype(np.int32)], 0)
    return mask


def _parsed(file: Path) -> _File:
    try:
        return _File.model_validate_json(read_file(file, MOST_BYTES).removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        raise _not_supervisely(file, error) from None


def _not_supervisely(file: Path, error: ValidationError, *where: str) -> InputError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in (*where, *first["loc"]))
    reason = f"{place}: {first['msg']}" if place else first["msg"]
    return InputError(
        f"{file} is not a Supervisely annotation ({reason}); 'size' and 'objects' with polygons "
        "were expected. Restore or remove it."
    )


def _tooth_polygons(file: Path, drawn: list[_Figure]) -> list[_Figure]:
    teeth = [figure for figure in drawn if figure.classTitle in TEETH]
    for figure in teeth:
        if figure.geometryType != "polygon":
            raise InputError(
                f"{file} has tooth {figure.classTitle} drawn as {figure.geometryType!r}; only "
                "polygons are read: export it as one, or remove it."
            )
    if drawn and not teeth:
        classes = sorted({figure.classTitle for figure in drawn})
        listing = ", ".join(repr(name) for name in classes[:3]) + ", ..." * (len(classes) > 3)
        raise InputError(
            f"{file} has figures of the classes {listing} alone; teeth are '1' to '32'. Rename the "
            "classes, or remove the figures."
        )
    return teeth


def _rings(file: Path, figure: _Figure) -> tuple[np.ndarray, list[np.ndarray]]:
    try:
        points = _Points.model_validate(figure.points)
    except ValidationError as error:
        where = f"points of tooth {figure.classTitle}"
        raise _not_supervisely(file, error, where) from None
    rings = [np.array(r, np.float64).reshape(-1, 2) for r in (points.exterior, *points.interior)]
    return rings[0], rings[1:]


def _refuse_far_outside(file: Path, ring: np.ndarray, height: int, width: int) -> None:
    """Refuse corners further outside than the longer side of the radiograph."""
    margin = max(height, width)
    far = ring[((ring < -margin) | (ring > [width + margin, height + margin])).any(axis=1)]
    if len(far):
        raise InputError(
            f"{file} has a tooth with a corner at x = {far[0, 0]:g}, y = {far[0, 1]:g}, far "
            f"outside its radiograph of {height} x {width} pixels. Restore or remove it."
        )


def _encloses(ring: np.ndarray) -> bool:
    """Tell whether a polygon encloses anything; the lobes of one that crosses itself count."""
    if len(ring) < 3:
        return False
    if cv2.contourArea(ring.astype(np.float32)) > 0:
        return True
    corners = np.rint(ring - ring.min(axis=0)).astype(np.int32)  # lobes may cancel to 0
    drawn = np.zeros(corners.max(axis=0)[::-1] + 1, np.uint8)
    cv2.fillPoly(drawn, [corners], 1)
    cv2.polylines(drawn, [corners], isClosed=True, color=0)
    return bool(drawn.any())
