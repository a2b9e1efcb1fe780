"""The same dataset in every format of annotations, written in a few lines each."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml


class Drawn(NamedTuple):
    """A radiograph: the name of its file, its size, and objects: class and outline, (P, 2)."""

    image: str
    size: tuple[int, int]
    objects: list[tuple[str, np.ndarray]]


def write_coco(root: Path, drawn: list[Drawn], classes: list[str]) -> None:
    images, annotations = [], []
    for number, (image, (height, width), objects) in enumerate(drawn):
        images.append({"id": number, "file_name": image, "height": height, "width": width})
        for name, outline in objects:
            about = {"id": len(annotations), "image_id": number, "iscrowd": 0}
            about |= {
                "category_id": classes.index(name),
                "segmentation": [outline.ravel().tolist()],
            }
            annotations.append(about)
    categories = [{"id": number, "name": name} for number, name in enumerate(classes)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    write(root / "annotations.json", json.dumps(content))


def write_labelme(root: Path, drawn: list[Drawn], classes: list[str]) -> None:
    for image, (height, width), objects in drawn:
        shapes = [
            {"label": name, "points": outline.tolist(), "shape_type": "polygon"}
            for name, outline in objects
        ]
        content = {"version": "5.5.0", "flags": {}, "shapes": shapes, "imageData": None}
        content |= {"imagePath": f"../images/{image}", "imageHeight": height, "imageWidth": width}
        write(root / "labelme" / f"{Path(image).stem}.json", json.dumps(content))


def write_yolo(root: Path, drawn: list[Drawn], classes: list[str]) -> None:
    for image, (height, width), objects in drawn:
        shares = [(name, (outline / (width, height)).ravel()) for name, outline in objects]
        lines = [
            " ".join([str(classes.index(name)), *(f"{value:.6f}" for value in values)])
            for name, values in shares
        ]
        write(root / "labels" / f"{Path(image).stem}.txt", "\n".join(lines))
    write(root / "data.yaml", yaml.safe_dump({"names": classes}))


def write_supervisely(root: Path, drawn: list[Drawn], classes: list[str]) -> None:
    (root / "images").rename(root / "img")
    for image, (height, width), objects in drawn:
        figures = [
            {
                "classTitle": name,
                "geometryType": "polygon",
                "points": {"exterior": outline.tolist(), "interior": []},
            }
            for name, outline in objects
        ]
        content = {"size": {"height": height, "width": width}, "objects": figures}
        write(root / "ann" / f"{image}.json", json.dumps(content))


WRITERS = {
    "coco": write_coco,
    "labelme": write_labelme,
    "yolo": write_yolo,
    "supervisely": write_supervisely,
}


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
