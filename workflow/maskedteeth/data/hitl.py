"""The paper's dataset [11]: Humans in the Loop (2023), annotated in Supervisely's JSON.

The dataset holds every radiograph twice, beside JSON annotations and beside drawn masks; the
JSON half is read, where each tooth is a polygon of its own.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskedteeth.data.records import Annotation, Record, list_images, natural_order
from maskedteeth.errors import InputError
from maskedteeth.files import read_json

#: Classes of annotated teeth, in Universal numbering. The dataset's stray class "13(polygon)",
#: a line, is not one of them.
TEETH = frozenset(str(number) for number in range(1, 33))


def find_records(root: Path) -> list[Record]:
    """List the radiographs of the dataset at ``root``, each with its annotation file.

    ``root`` is the folder that holds `Teeth Segmentation JSON`, or that folder itself.

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
    files = list_images(images)
    if not files:
        raise InputError(f"{images} holds no radiograph; unpack the dataset again.")
    files.sort(key=lambda file: natural_order(file.stem))
    return [Record(f.stem, f, annotations / f"{f.name}.json") for f in files]


def read_annotation(record: Record, height: int, width: int) -> Annotation:
    """Rasterise the tooth polygons of a radiograph.

    Each polygon is filled, its interior rings are cut out of it, and the teeth are united.
    Polygons of zero area draw nothing that counts and are not counted as teeth. A radiograph
    without any tooth polygon is unlabelled: nobody annotated it.

    Raises:
        InputError: the file is not Supervisely's JSON, or of another size than the radiograph.
    """
    assert record.annotation is not None
    content = read_json(record.annotation)
    try:
        size = content["size"]["height"], content["size"]["width"]
        polygons = [
            _rings(entry["points"])
            for entry in content["objects"]
            if entry["classTitle"] in TEETH and entry["geometryType"] == "polygon"
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{record.annotation} is not a Supervisely annotation ({type(error).__name__}: "
            f"{error}); 'size' and 'objects' with polygons were expected."
        ) from None
    if size != (height, width):
        raise InputError(
            f"{record.annotation} says {size[0]} x {size[1]} pixels, but its radiograph "
            f"{record.image} is {height} x {width}."
        )
    mask = np.zeros((height, width), np.uint8)
    teeth = 0
    for exterior, interiors in polygons:
        if len(exterior) < 3 or cv2.contourArea(exterior.astype(np.float32)) == 0:
            continue
        mask |= rasterise(exterior, interiors, height, width)
        teeth += 1
    return Annotation(mask, teeth, labelled=teeth > 0)


def rasterise(
    exterior: np.ndarray, interiors: list[np.ndarray], height: int, width: int
) -> np.ndarray:
    """Fill a polygon and cut its interior rings out.

    Args:
        exterior: (P, 2) corners as x, y in pixels.
        interiors: rings inside it, likewise.
        height: rows of the result.
        width: columns of the result.

    Returns:
        uint8 (height, width), 1 inside the polygon (its outline included).
    """
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(exterior).astype(np.int32)], 1)
    for ring in interiors:  # one by one: rings filled together would cancel where they overlap
        if len(ring) > 0:
            cv2.fillPoly(mask, [np.rint(ring).astype(np.int32)], 0)
    return mask


def _rings(points: dict[str, Any]) -> tuple[np.ndarray, list[np.ndarray]]:
    exterior = np.asarray(points["exterior"], dtype=np.float64).reshape(-1, 2)
    interiors = [np.asarray(r, dtype=np.float64).reshape(-1, 2) for r in points["interior"]]
    return exterior, interiors
