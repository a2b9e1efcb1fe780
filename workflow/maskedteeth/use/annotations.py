"""Masks as annotations that a person corrects: COCO, LabelMe and YOLO.

A region, which is what hangs together of one label, becomes one polygon. None of these formats, and
few of the tools that read them, know holes in a polygon, so a hole is cut out along a seam: the
outline runs to the hole, around it and back the same way.

A polygon runs a quarter of a pixel inside its region, on the scale where the first pixel reaches
from 0 to 1. So a tool that fills pixels by their middles draws the same region as one that rounds
points down and fills up to them.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import yaml
from pycocotools import mask as coco_mask

from maskedteeth.data.objects import fill
from maskedteeth.data.records import printable
from maskedteeth.files import write_json, write_text

#: What a polygon and its region share must be at least this part of what they cover together.
LEAST_IOU = 0.99
#: Pixels by which a simplified outline may be off; the first that is good enough is taken.
TOLERANCES = (2.0, 1.5, 1.0, 0.75, 0.5, 0.0)

#: A label and its polygon, float64 (P, 2): x and y of points, in pixels.
Region = tuple[int, np.ndarray]


def regions_of(labels: np.ndarray) -> list[Region]:
    """Outline all regions of a label map.

    Args:
        labels: uint8 (H, W), 0 = background.

    Returns:
        Labels and polygons, each with an IoU of at least :data:`LEAST_IOU` with its region, as
        pycocotools and as this package fill it.
    """
    found = []
    for label in np.unique(labels[labels > 0]):
        of_label = (labels == label).astype(np.uint8)
        _, numbered, boxes, _ = cv2.connectedComponentsWithStats(of_label)
        for number, (x, y, width, height, _) in enumerate(boxes[1:], start=1):
            region = numbered[y : y + height, x : x + width] == number
            found.append((int(label), _polygon(region.astype(np.uint8)) + (x, y)))
    return found


def _polygon(region: np.ndarray) -> np.ndarray:
    # Outlines run through the middles of pixels, here of half the size.
    doubled = region.repeat(2, axis=0).repeat(2, axis=1)
    rings, _ = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    for tolerance in TOLERANCES:
        simple = [cv2.approxPolyDP(ring, 2 * tolerance, closed=True)[:, 0] for ring in rings]
        outer, *holes = simple
        if len(outer) > 2:
            polygon = _with_holes(outer, [hole for hole in holes if len(hole) > 2])
            polygon = (polygon + 0.5) / 2
            if _iou(polygon, region) >= LEAST_IOU:
                break
    return polygon


def _with_holes(outline: np.ndarray, holes: list[np.ndarray]) -> np.ndarray:
    """Join holes to an outline, each by a seam from its first point to the nearest."""
    for hole in holes:
        near = ((outline - hole[0]) ** 2).sum(axis=1).argmin()
        outline = np.concatenate([outline[: near + 1], hole, hole[:1], outline[near:]])
    return outline


def _iou(polygon: np.ndarray, region: np.ndarray) -> float:
    runs = coco_mask.frPyObjects([polygon.ravel().tolist()], *region.shape)
    filled = coco_mask.decode(runs)[..., 0], fill([[polygon]], region.shape)
    return min((region & found).sum() / (region | found).sum() for found in filled)


@dataclass(frozen=True)
class Segmented:
    """A radiograph with what was found in it.

    Attributes:
        name: of its results: that of its file without suffix, in a folder with the way to it.
        file: the radiograph.
        size: its height and width, in pixels.
        regions: of :func:`regions_of`.
    """

    name: str
    file: Path
    size: tuple[int, int]
    regions: list[Region]

    @property
    def image(self) -> str:
        """The way to the radiograph in the folder that the user named."""
        return Path(self.name).with_name(self.file.name).as_posix()


def write_coco(radiographs: list[Segmented], names: dict[int, str], out: Path) -> None:
    """Write `annotations.coco.json`; radiographs go by their way in the user's folder."""
    images, annotations = [], []
    for number, radiograph in enumerate(radiographs, start=1):
        height, width = radiograph.size
        image = {"id": number, "file_name": radiograph.image}
        images.append({**image, "height": height, "width": width})
        for label, polygon in radiograph.regions:
            low, high = polygon.min(axis=0), polygon.max(axis=0)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": label,
                    "segmentation": [polygon.ravel().tolist()],
                    "area": float(cv2.contourArea(polygon.astype(np.float32))),
                    "bbox": [*low.tolist(), *(high - low).tolist()],
                    "iscrowd": 0,
                }
            )
    categories = [{"id": label, "name": name} for label, name in names.items()]
    content = {"images": images, "annotations": annotations, "categories": categories}
    write_text(out / "annotations.coco.json", json.dumps(content) + "\n")


def write_labelme(radiographs: list[Segmented], names: dict[int, str], out: Path) -> None:
    """Write `NAME.json` for each radiograph, with the way from there to its file."""
    for radiograph in radiographs:
        path = out.resolve() / f"{radiograph.name}.json"
        shapes = [
            {
                "label": names[label],
                "points": polygon.tolist(),
                "group_id": None,
                "shape_type": "polygon",
                "flags": {},
            }
            for label, polygon in radiograph.regions
        ]
        content = {
            "version": "5.5.0",
            "flags": {},
            "shapes": shapes,
            "imagePath": os.path.relpath(radiograph.file.resolve(), path.parent),
            "imageData": None,
            "imageHeight": radiograph.size[0],
            "imageWidth": radiograph.size[1],
        }
        write_json(path, content)


def write_yolo(radiographs: list[Segmented], names: dict[int, str], out: Path) -> None:
    """Write `labels/train/NAME.txt` for each radiograph, `train.txt` and `data.yaml`."""
    classes = {label: number for number, label in enumerate(names)}
    for radiograph in radiographs:
        lines = []
        for label, polygon in radiograph.regions:
            points = (polygon / radiograph.size[::-1]).ravel()
            lines.append(f"{classes[label]} {' '.join(f'{value:.7f}' for value in points)}\n")
        write_text(out / "labels" / "train" / f"{radiograph.name}.txt", "".join(lines))
    images = [f"./images/train/{printable(radiograph.image)}\n" for radiograph in radiographs]
    write_text(out / "train.txt", "".join(images))
    about = {"path": ".", "train": "train.txt", "names": dict(enumerate(names.values()))}
    write_text(out / "data.yaml", yaml.safe_dump(about, sort_keys=False))


WRITERS = {"labelme": write_labelme, "yolo": write_yolo, "coco": write_coco}
