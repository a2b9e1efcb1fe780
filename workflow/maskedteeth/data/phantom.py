"""A digital phantom of panoramic dental radiographs, in the layout of the paper's dataset.

Everything is drawn from a seed, so teeth and injected annotation errors are known exactly. Numbers
measured on phantoms are evidence about the code and never about the paper.
"""

import colorsys
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskedteeth.data.phantom_anatomy import Anatomy, ToothShape, grow
from maskedteeth.data.phantom_drawing import expose
from maskedteeth.files import replacing_folder, write_json
from maskedteeth.settings.config import Phantom

#: Radiographs (numbers of their files) that carry the traps of the real dataset.
TRAPS = {
    "stray_line": 2,  # an object of the line class "13(polygon)"
    "unlabelled": 3,  # teeth to be seen, none annotated
    "zero_area": 4,  # a polygon whose points lie on one line
    "interior_ring": 6,  # the largest tooth is annotated with a hole
    "duplicate": 8,  # the pixels of DUPLICATED, outlines moved by up to one pixel
}
DUPLICATED = 5

ERROR_KINDS = ("omitted", "shifted", "resized", "invented")

_LINE_CLASS = "13(polygon)"
_CLASSES = (*(str(number) for number in range(1, 33)), _LINE_CLASS)
_TIME = "2023-05-15T09:00:00.000Z"  # a constant: the dataset depends on its settings only
_JPEG_QUALITY = 92


@dataclass(frozen=True)
class Tooth:
    """The outline of a tooth, crown and roots, in pixels."""

    number: int  # Universal numbering, 1..32
    exterior: NDArray[np.int32]  # (P, 2): x, y; no point twice in a row
    interiors: tuple[NDArray[np.int32], ...] = ()  # (Q, 2) each: bone seen between roots


@dataclass(frozen=True)
class Radiograph:
    """A phantom radiograph and what stands in it."""

    pixels: NDArray[np.uint8]  # (H, W)
    teeth: tuple[Tooth, ...]  # natural teeth only: implants are not annotated
    gaps: tuple[Tooth, ...]  # where missing teeth would stand, implants left out


@dataclass(frozen=True)
class _Error:
    """An injected annotation error."""

    kind: str
    tooth: int
    bbox: list[int]  # x0, y0, x1, y1 around the true and the written outline


# --- Drawing -----------------------------------------------------------------------------------


def draw(seed: int, number: int, height: int) -> Radiograph:
    """Draw one radiograph.

    Equal arguments give equal pixels, whatever else is drawn. The height changes the sampling
    and the noise only: the anatomy belongs to ``seed`` and ``number``.

    Args:
        seed: of the dataset, >= 0.
        number: of the radiograph in the dataset, >= 0.
        height: in pixels, >= 64; the width is 1.9 to 2.06 times that, mostly 2041 / 1024.

    Returns:
        Pixels, uint8 (height, width), and outlines whose points all lie on pixels.

    Raises:
        ValueError: ``seed`` or ``number`` is negative.
    """
    rng = np.random.default_rng([seed, number])
    anatomy = grow(rng)
    pixels = expose(anatomy, height, rng)
    present = [site for site in anatomy.sites if site.is_present]
    absent = [site for site in anatomy.sites if site.treatment == "gap"]
    return Radiograph(
        pixels,
        teeth=tuple(_trace(site, anatomy, height) for site in present),
        gaps=tuple(_trace(site, anatomy, height) for site in absent),
    )


def _trace(site: ToothShape, anatomy: Anatomy, height: int) -> Tooth:
    width = round(height * anatomy.aspect)
    rings = [
        _on_pixels(ring * height + [width / 2, 0], (height, width))
        for ring in (site.outline, *site.interiors)
    ]
    return Tooth(site.number, rings[0], tuple(ring for ring in rings[1:] if len(ring) > 2))


def _on_pixels(points: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Round to pixels inside the image and drop points that repeat their predecessor."""
    limit = np.array([shape[1] - 1, shape[0] - 1])
    rounded = np.minimum(np.maximum(np.rint(points), 0), limit).astype(np.int32)
    previous = np.concatenate([rounded[-1:], rounded[:-1]])
    return rounded[(rounded != previous).any(axis=1)]


# --- Annotation errors -------------------------------------------------------------------------


def _inject_error(
    radiograph: Radiograph, rng: np.random.Generator
) -> tuple[tuple[Tooth, ...], _Error]:
    """Return the teeth as a mistaken annotator would give them, and the mistake."""
    teeth, shape = radiograph.teeth, radiograph.pixels.shape
    kinds = ERROR_KINDS if radiograph.gaps else ERROR_KINDS[:-1]
    kind = str(rng.choice(kinds))
    if kind == "invented":
        wrong = radiograph.gaps[rng.integers(len(radiograph.gaps))]
        return (*teeth, wrong), _Error(kind, wrong.number, _bbox(wrong.exterior))
    index = int(rng.integers(len(teeth)))
    true = teeth[index]
    if kind == "omitted":
        return teeth[:index] + teeth[index + 1 :], _Error(kind, true.number, _bbox(true.exterior))
    wrong = _misdraw(true, kind, shape, rng)
    bbox = _bbox(np.vstack([true.exterior, wrong.exterior]))
    return (*teeth[:index], wrong, *teeth[index + 1 :]), _Error(kind, true.number, bbox)


def _misdraw(tooth: Tooth, kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> Tooth:
    """Return a tooth that is shifted by about its width, or much too big or small."""
    centre = tooth.exterior.mean(axis=0)
    if kind == "shifted":
        factor, angle = 1.0, rng.uniform(0, 2 * np.pi)
        distance = rng.uniform(0.7, 1.2) * np.ptp(tooth.exterior[:, 0])
        shift = distance * np.array([np.cos(angle), np.sin(angle)])
    else:
        factor = rng.uniform(0.45, 0.65) if rng.random() < 0.5 else rng.uniform(1.5, 1.8)
        shift = np.zeros(2)
    rings = [
        _on_pixels((ring - centre) * factor + centre + shift, shape)
        for ring in (tooth.exterior, *tooth.interiors)
    ]
    return Tooth(tooth.number, rings[0], tuple(rings[1:]))


def _bbox(points: NDArray[np.int32]) -> list[int]:
    return [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]


# --- Dataset -----------------------------------------------------------------------------------


def draw_dataset(phantom: Phantom, *, raw: Path) -> None:
    """Stage `phantom`: draw a dataset as settings ask for, see :func:`write_dataset`.

    Args:
        phantom: number, size and errors of the radiographs.
        raw: folder to make; it appears when it is complete.
    """
    with replacing_folder(raw) as folder:
        write_dataset(folder, **phantom.model_dump())


def write_dataset(
    folder: Path,
    *,
    images: int,
    seed: int,
    height: int,
    error_rate: float,
    traps: bool = True,
) -> None:
    """Write a phantom dataset, laid out like the paper's (Supervisely, both of its folders).

    Beside the two folders lies ``injected_errors.json``: for every radiograph, by its number, a
    list of ``{"kind", "tooth", "bbox"}``, mostly empty. Kinds are `ERROR_KINDS`: a tooth
    left out, outlined beside its place, outlined much too big or small, or outlined in a gap.
    The bbox ``[x0, y0, x1, y1]`` holds the true and the written outline.

    Args:
        folder: where to write; made if missing.
        images: radiographs, numbered from 1.
        seed: of all drawing and all errors.
        height: in pixels.
        error_rate: share of the radiographs, 0..1, whose annotation gets one error: exactly
            ``round(images * error_rate)``, but none that is unlabelled or a duplicate.
        traps: whether to set the `TRAPS`, as far as there are enough images. They are not
            listed as errors.
    """
    folder = Path(folder)
    for part in ("JSON/d2/img", "JSON/d2/ann", "PNG/d2/img", "PNG/d2/masks_machine"):
        (folder / f"Teeth Segmentation {part}").mkdir(parents=True, exist_ok=True)
    _write_classes(folder / "Teeth Segmentation JSON")
    rng = np.random.default_rng([seed, 0])  # number 0 is no radiograph
    wrong = _choose_for_errors(rng, images, error_rate, traps)
    errors: dict[str, list[dict[str, Any]]] = {}
    for number in range(1, images + 1):
        trap = next((name for name, n in TRAPS.items() if n == number), "") if traps else ""
        radiograph = draw(seed, DUPLICATED if trap == "duplicate" else number, height)
        choice = np.random.default_rng([seed, number, 1])  # apart from what drew the pixels
        teeth, found = radiograph.teeth, []
        if number in wrong:
            teeth, error = _inject_error(radiograph, choice)
            found = [asdict(error)]
        errors[str(number)] = found
        objects = _annotate(teeth, number)
        _set_trap(objects, trap, radiograph.pixels.shape, choice)
        _write_radiograph(folder, number, radiograph.pixels, objects, trap == "duplicate")
    write_json(folder / "injected_errors.json", errors)


def _choose_for_errors(
    rng: np.random.Generator, images: int, error_rate: float, traps: bool
) -> set[int]:
    barred = {TRAPS["unlabelled"], TRAPS["duplicate"]} if traps else set()
    allowed = [number for number in range(1, images + 1) if number not in barred]
    return set(rng.permutation(allowed)[: round(images * error_rate)].tolist())


def _annotate(teeth: tuple[Tooth, ...], image: int) -> list[dict[str, Any]]:
    """Return Supervisely objects of the teeth."""
    return [
        _supervisely_object(
            image, place, str(tooth.number), tooth.exterior.tolist(), _lists(tooth.interiors)
        )
        for place, tooth in enumerate(teeth)
    ]


def _lists(rings: tuple[NDArray[np.int32], ...]) -> list[list[list[int]]]:
    return [ring.tolist() for ring in rings]


def _supervisely_object(
    image: int,
    place: int,
    title: str,
    exterior: list[list[int]],
    interior: list[list[list[int]]],
) -> dict[str, Any]:
    return {
        "id": 100 * image + place,
        "classId": _class_id(title),
        "description": "",
        "geometryType": "line" if title == _LINE_CLASS else "polygon",
        "labelerLogin": "phantom",
        "createdAt": _TIME,
        "updatedAt": _TIME,
        "tags": [],
        "classTitle": title,
        "points": {"exterior": exterior, "interior": interior},
    }


def _set_trap(
    objects: list[dict[str, Any]],
    trap: str,
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> None:
    """Change the objects of a radiograph that carries a trap."""
    if trap == "unlabelled":
        objects.clear()
    elif trap in ("stray_line", "zero_area"):
        image, place = divmod(objects[-1]["id"] + 1, 100)
        title = _LINE_CLASS if trap == "stray_line" else objects[0]["classTitle"]
        x, y = objects[0]["points"]["exterior"][0]
        line = [[x, y], [x, y + 2], [x, y + 4]]
        objects.append(_supervisely_object(image, place, title, line, []))
    elif trap == "interior_ring":
        points = max((item["points"] for item in objects), key=_area)
        points["interior"].append(_ring_inside(points, shape))
    elif trap == "duplicate":
        for item in objects:
            points, shift = item["points"], rng.integers(-1, 2, 2)
            points["exterior"] = _move(points["exterior"], shift, shape)
            points["interior"] = [_move(ring, shift, shape) for ring in points["interior"]]


def _area(points: dict[str, Any]) -> float:
    return cv2.contourArea(np.array(points["exterior"], np.int32))


def _move(ring: list[list[int]], shift: NDArray[np.int64], shape: tuple[int, ...]) -> list:
    return _on_pixels(np.array(ring, float) + shift, shape).tolist()


def _ring_inside(points: dict[str, Any], shape: tuple[int, ...]) -> list[list[int]]:
    """Return a small square around the pixel that is farthest from the outline."""
    rings = [np.array(ring, np.int32) for ring in (points["exterior"], *points["interior"])]
    filled = cv2.fillPoly(np.zeros(shape, np.uint8), rings, 1)
    _, depth, _, (x, y) = cv2.minMaxLoc(cv2.distanceTransform(filled, cv2.DIST_L2, 5))
    half = max(1, int(depth / 3))
    return [[x + dx * half, y + dy * half] for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]


# --- Files -------------------------------------------------------------------------------------


def _write_radiograph(
    folder: Path,
    number: int,
    pixels: NDArray[np.uint8],
    objects: list[dict[str, Any]],
    is_duplicate: bool,
) -> None:
    """Write image, annotation and machine mask."""
    height, width = pixels.shape
    jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
    if is_duplicate:
        jpeg = _with_comment(jpeg, b"copy")
    annotation = {
        "description": "",
        "tags": [],
        "size": {"height": height, "width": width},
        "objects": objects,
    }
    mask = _machine_mask(objects, (height, width))
    png = cv2.imencode(".png", mask)[1].tobytes()
    with_json, with_png = (folder / f"Teeth Segmentation {kind}/d2" for kind in ("JSON", "PNG"))
    for place in (with_json, with_png):
        (place / f"img/{number}.jpg").write_bytes(jpeg)
    (with_json / f"ann/{number}.jpg.json").write_text(json.dumps(annotation), encoding="utf-8")
    (with_png / f"masks_machine/{number}.png").write_bytes(png)


def _with_comment(jpeg: bytes, text: bytes) -> bytes:
    """Add a comment to a JPEG: other bytes, the same pixels."""
    start, rest = jpeg[:2], jpeg[2:]
    return start + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + rest


def _machine_mask(objects: list[dict[str, Any]], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the image of class indices, uint8 (H, W, 3), that Supervisely exports."""
    mask = np.zeros(shape, np.uint8)
    for item in objects:
        if item["geometryType"] != "polygon":
            continue
        points = item["points"]
        rings = [np.array(ring, np.int32) for ring in (points["exterior"], *points["interior"])]
        cv2.fillPoly(mask, rings, int(item["classTitle"]))
    return cv2.merge([mask, mask, mask])


def _write_classes(folder: Path) -> None:
    """Write the names, colours and mask values of the classes."""
    classes = [
        {
            "title": title,
            "shape": "line" if title == _LINE_CLASS else "polygon",
            "color": _colour(index),
            "geometry_config": {},
            "id": _class_id(title),
            "hotkey": "",
        }
        for index, title in enumerate(_CLASSES)
    ]
    meta = {"classes": classes, "tags": [], "projectType": "images"}
    write_json(folder / "meta.json", meta)
    machine = {title: [index + 1] * 3 for index, title in enumerate(_CLASSES)}
    write_json(folder / "obj_class_to_machine_color.json", machine)


def _class_id(title: str) -> int:
    return 1000 + _CLASSES.index(title)


def _colour(index: int) -> str:
    rgb = colorsys.hsv_to_rgb(index / len(_CLASSES), 0.9, 0.9)
    return "#" + "".join(f"{round(255 * channel):02X}" for channel in rgb)
