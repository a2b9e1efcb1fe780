"""A digital phantom of panoramic dental radiographs, in the layout of the paper's dataset.

Everything is drawn from a seed, so teeth and injected annotation errors are known exactly. Numbers
measured on phantoms are evidence about the code and never about the paper.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from maskedteeth.data.phantom_drawing import Site, expose, grow
from maskedteeth.files import replacing_folder, write_json
from maskedteeth.settings.config import Phantom

#: Radiographs, by number, that carry the traps of the real dataset.
STRAY_LINE = 2  # an object of the line class "13(polygon)"
UNLABELLED = 3  # teeth to be seen, none annotated
ZERO_AREA = 4  # a polygon whose points lie on one line
DUPLICATED, DUPLICATE = 5, 8  # equal pixels in files that differ, outlines a pixel apart
INTERIOR_RING = 6  # a tooth that is annotated with a hole

#: Annotation errors: a tooth left out, outlined beside its place, outlined much too big or small,
#: or outlined in a gap.
ERRORS = ("omitted", "shifted", "resized", "invented")


@dataclass(frozen=True)
class Tooth:
    """A tooth, crown and roots."""

    number: int  # Universal numbering, 1..32
    outline: NDArray[np.int32]  # (P, 2): x, y in pixels


@dataclass(frozen=True)
class Radiograph:
    """A phantom radiograph and what stands in it."""

    pixels: NDArray[np.uint8]  # (H, W)
    teeth: list[Tooth]  # natural teeth only: implants are not annotated
    gaps: list[Tooth]  # where missing teeth would stand, implants left out


def draw(seed: int, number: int, height: int) -> Radiograph:
    """Draw one radiograph.

    Equal arguments give equal pixels, whatever else is drawn. The height changes the sampling
    and the noise only: the patient belongs to ``seed`` and ``number``. A radiograph shows no more
    detail than fits in 256 rows.

    Args:
        seed: of the dataset, >= 0.
        number: of the radiograph in the dataset, >= 1.
        height: in pixels, >= 64; the width is 1.9 to 2.06 times that, mostly 2041 / 1024.

    Returns:
        Pixels, uint8 (height, width), and outlines whose points all lie on pixels.
    """
    rng = np.random.default_rng([seed, number])
    aspect = 2041 / 1024 if rng.random() < 0.8 else rng.uniform(1.9, 2.06)
    sites = grow(rng)
    pixels = expose(sites, height, aspect, rng)

    def traced(site: Site) -> Tooth:
        outline = site.outline * height + [pixels.shape[1] / 2, 0]
        return Tooth(site.number, _on_pixels(outline, pixels))

    teeth = [traced(site) for site in sites if site.is_present]
    gaps = [traced(site) for site in sites if site.is_gap]
    return Radiograph(pixels, teeth, gaps)


def _on_pixels(points: NDArray[np.float64], pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Round to pixels inside the image and drop points that repeat their predecessor."""
    height, width = pixels.shape
    rounded = np.clip(np.rint(points), 0, [width - 1, height - 1]).astype(np.int32)
    return rounded[(rounded != np.roll(rounded, 1, axis=0)).any(axis=1)]


# --- Annotation errors ---------------------------------------------------------------------------


def _with_error(radiograph: Radiograph, rng: np.random.Generator) -> tuple[list[Tooth], dict]:
    """Return the teeth as a mistaken annotator would give them, and the mistake."""
    kind = str(rng.choice(ERRORS if radiograph.gaps else ERRORS[:-1]))
    teeth = list(radiograph.teeth)
    if kind == "invented":
        true_and_written = [radiograph.gaps[rng.integers(len(radiograph.gaps))]]
    else:
        true_and_written = [teeth.pop(rng.integers(len(teeth)))]
    if kind in ("shifted", "resized"):
        true = true_and_written[0]
        outline = _on_pixels(_misdrawn(true.outline, kind, rng), radiograph.pixels)
        true_and_written.append(Tooth(true.number, outline))
    if kind != "omitted":
        teeth.append(true_and_written[-1])
    corners = np.vstack([tooth.outline for tooth in true_and_written])
    bbox = [*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()]
    return teeth, {"kind": kind, "tooth": true_and_written[0].number, "bbox": bbox}


def _misdrawn(outline: NDArray, kind: str, rng: np.random.Generator) -> NDArray[np.float64]:
    if kind == "shifted":
        angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.7, 1.2) * np.ptp(outline[:, 0])
        return outline + distance * np.array([np.cos(angle), np.sin(angle)])
    factor = rng.uniform(0.45, 0.65) if rng.random() < 0.5 else rng.uniform(1.5, 1.8)
    centre = outline.mean(axis=0)
    return (outline - centre) * factor + centre


# --- Dataset -------------------------------------------------------------------------------------


def draw_dataset(phantom: Phantom, *, raw: Path) -> None:
    """Stage `draw_phantom`: draw a dataset, laid out like the half of the paper's that is read.

    Beside its folder lies ``injected_errors.json``: for every radiograph, by its number, a list of
    ``{"kind", "tooth", "bbox"}``, mostly empty. Kinds are :data:`ERRORS`; the bbox ``[x0, y0, x1,
    y1]`` holds the true and the written outline, in pixels of the file. Exactly
    ``round(images * error_rate)`` radiographs get one, but none that is unlabelled or the
    duplicate. Traps are not listed as errors.

    Args:
        phantom: number, size and errors of the radiographs.
        raw: folder to make; it appears when it is complete.
    """
    numbers = range(1, phantom.images + 1)
    allowed = [number for number in numbers if number not in (UNLABELLED, DUPLICATE)]
    rng = np.random.default_rng([phantom.seed, 0])  # number 0 is no radiograph
    wrong = rng.permutation(allowed)[: round(phantom.images * phantom.error_rate)]
    errors: dict[str, list[dict]] = {str(number): [] for number in numbers}
    with replacing_folder(raw) as folder:
        images, annotations = (folder / f"Teeth Segmentation JSON/d2/{p}" for p in ("img", "ann"))
        images.mkdir(parents=True)
        annotations.mkdir()
        for number in numbers:
            drawn = DUPLICATED if number == DUPLICATE else number
            radiograph = draw(phantom.seed, drawn, phantom.height)
            nearer = 128 + phantom.contrast * (radiograph.pixels - 128.0)
            pixels = np.clip(np.rint(nearer), 0, 255).astype(np.uint8)
            rng = np.random.default_rng([phantom.seed, number, 1])  # apart from what drew it
            teeth = radiograph.teeth
            if number in wrong:
                teeth, error = _with_error(radiograph, rng)
                errors[str(number)].append(error)
            figures = [_figure(str(tooth.number), tooth.outline) for tooth in teeth]
            _set_trap(figures, number, radiograph.pixels, rng)
            height, width = radiograph.pixels.shape
            annotation = {"size": {"height": height, "width": width}, "objects": figures}
            (annotations / f"{number}.jpg.json").write_text(json.dumps(annotation))
            (images / f"{number}.jpg").write_bytes(_jpeg(pixels, number))
        write_json(folder / "injected_errors.json", errors)


def _figure(title: str, outline: NDArray[np.int32], geometry: str = "polygon") -> dict:
    points = {"exterior": outline.tolist(), "interior": []}
    return {"classTitle": title, "geometryType": geometry, "tags": [], "points": points}


def _set_trap(
    figures: list[dict], number: int, pixels: NDArray[np.uint8], rng: np.random.Generator
) -> None:
    line = np.array([[10, 10], [10, 12], [10, 14]], np.int32)
    if number == UNLABELLED:
        figures.clear()
    elif number == STRAY_LINE:
        figures.append(_figure("13(polygon)", line, "line"))
    elif number == ZERO_AREA:
        figures.append(_figure("13", line))
    elif number == INTERIOR_RING:
        figures[0]["points"]["interior"] = [_ring_inside(figures[0]["points"]["exterior"], pixels)]
    elif number == DUPLICATE:
        for points in (figure["points"] for figure in figures):
            moved = np.array(points["exterior"]) + rng.integers(-1, 2, 2)
            points["exterior"] = _on_pixels(moved, pixels).tolist()


def _ring_inside(outline: list[list[int]], pixels: NDArray[np.uint8]) -> list[list[int]]:
    """Return a small square around the pixel that is farthest from the outline."""
    filled = cv2.fillPoly(np.zeros_like(pixels), [np.array(outline, np.int32)], 1)
    _, depth, _, (x, y) = cv2.minMaxLoc(cv2.distanceTransform(filled, cv2.DIST_L2, 5))
    half = max(1, int(depth / 3))
    return [[x + dx * half, y + dy * half] for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]


def _jpeg(pixels: NDArray[np.uint8], number: int) -> bytes:
    jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
    if number == DUPLICATE:  # a comment: other bytes, the same pixels
        jpeg = jpeg[:2] + b"\xff\xfe\x00\x06copy" + jpeg[2:]
    return jpeg
