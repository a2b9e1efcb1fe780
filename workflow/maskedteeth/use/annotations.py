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
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import yaml
from pycocotools import mask as coco_mask

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
        pycocotools fills it.
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
        outer, *holes = (ring for ring in simple if len(ring) > 2)
        polygon = (_with_holes(outer, holes) + 0.5) / 2
        if _iou(polygon, region) >= LEAST_IOU:
            break
    return polygon


def _with_holes(outline: np.ndarray, holes: list[np.ndarray]) -> np.ndarray:
    """Join holes to an outline, each by a seam between the points that are nearest."""
    for hole in holes:
        squared = ((outline[:, None] - hole) ** 2).sum(axis=2)
        here, there = np.unravel_index(squared.argmin(), squared.shape)
        around = np.concatenate([hole[there:], hole[: there + 1]])
        outline = np.concatenate([outline[: here + 1], around, outline[here:]])
    return outline


def _iou(polygon: np.ndarray, region: np.ndarray) -> float:
    (filled,) = coco_mask.frPyObjects([polygon.ravel().tolist()], *region.shape)
    both = coco_mask.decode(filled) + region
    return np.count_nonzero(both == 2) / np.count_nonzero(both)


class Format(Protocol):
    """Annotations of several radiographs in one format."""

    def __init__(self, out: Path, names: dict[int, str]) -> None:
        """Take the folder to write to, and the names of the labels."""

    def add(self, name: str, file: Path, size: tuple[int, int], regions: list[Region]) -> None:
        """Take a radiograph: name of its results, file, (H, W) and what was found."""

    def finish(self) -> None:
        """Write what is about all radiographs."""


class Coco:
    """`annotations.coco.json` with all radiographs, by their names in the user's folder."""

    def __init__(self, out: Path, names: dict[int, str]) -> None:
        self.file = out / "annotations.coco.json"
        categories = [{"id": label, "name": name} for label, name in names.items()]
        self.images, self.annotations = [], []
        self.content = {"images": self.images, "annotations": self.annotations}
        self.content["categories"] = categories

    def add(self, name: str, file: Path, size: tuple[int, int], regions: list[Region]) -> None:
        image = {"id": len(self.images) + 1, "file_name": _image(name, file)}
        self.images.append(image | {"height": size[0], "width": size[1]})
        for label, polygon in regions:
            low, high = polygon.min(axis=0), polygon.max(axis=0)
            self.annotations.append(
                {
                    "id": len(self.annotations) + 1,
                    "image_id": image["id"],
                    "category_id": label,
                    "segmentation": [polygon.ravel().tolist()],
                    "area": float(cv2.contourArea(polygon.astype(np.float32))),
                    "bbox": [*low.tolist(), *(high - low).tolist()],
                    "iscrowd": 0,
                }
            )

    def finish(self) -> None:
        write_text(self.file, json.dumps(self.content) + "\n")


class LabelMe:
    """`NAME.json` for each radiograph, with the way to it."""

    def __init__(self, out: Path, names: dict[int, str]) -> None:
        self.out, self.names = out.resolve(), names

    def add(self, name: str, file: Path, size: tuple[int, int], regions: list[Region]) -> None:
        path = self.out / f"{name}.json"
        shapes = [
            {
                "label": self.names[label],
                "points": polygon.tolist(),
                "group_id": None,
                "shape_type": "polygon",
                "flags": {},
            }
            for label, polygon in regions
        ]
        content = {"version": "5.5.0", "flags": {}, "shapes": shapes}
        content |= {"imagePath": os.path.relpath(file.resolve(), path.parent), "imageData": None}
        write_json(path, content | {"imageHeight": size[0], "imageWidth": size[1]})

    def finish(self) -> None:
        pass


class Yolo:
    """`labels/train/NAME.txt` for each radiograph, `train.txt` and `data.yaml`."""

    def __init__(self, out: Path, names: dict[int, str]) -> None:
        self.out, self.images = out, []
        self.classes = {label: number for number, label in enumerate(names)}
        self.about = {"path": ".", "train": "train.txt"}
        self.about["names"] = dict(enumerate(names.values()))

    def add(self, name: str, file: Path, size: tuple[int, int], regions: list[Region]) -> None:
        lines = []
        for label, polygon in regions:
            points = (polygon / size[::-1]).ravel()
            lines.append(f"{self.classes[label]} {' '.join(f'{value:.7f}' for value in points)}\n")
        write_text(self.out / "labels" / "train" / f"{name}.txt", "".join(lines))
        self.images.append(f"./images/train/{printable(_image(name, file))}\n")

    def finish(self) -> None:
        write_text(self.out / "train.txt", "".join(self.images))
        write_text(self.out / "data.yaml", yaml.safe_dump(self.about, sort_keys=False))


def _image(name: str, file: Path) -> str:
    """Return the way to a radiograph in the folder that the user named."""
    return Path(name).with_name(file.name).as_posix()


FORMATS: dict[str, type[Format]] = {"labelme": LabelMe, "yolo": Yolo, "coco": Coco}
