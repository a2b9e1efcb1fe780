"""The exposure of a phantom: from anatomy to the grey values of a panoramic radiograph.

Attenuations add up along the beam, and a radiograph shows about their sum. So everything here adds
to (or takes from) one picture in which 1 is white; only metal is set, because it saturates.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskedteeth.data.phantom_anatomy import Anatomy, Points, ToothShape, smooth

Picture = NDArray[np.float32]

#: Height at which everything but the teeth is drawn. Jaws are soft; they look the same at any size.
JAW_HEIGHT = 256
_SUBPIXEL = 4  # bits of OpenCV's fixed-point coordinates


def expose(anatomy: Anatomy, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the radiograph, uint8 (height, round(height * aspect))."""
    width = round(height * anatomy.aspect)
    picture = _draw_jaws(anatomy, rng)
    picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)
    metal = np.zeros((height, width), np.uint8)
    covered = np.zeros_like(picture)
    contrast = rng.uniform(0.75, 1.15)
    for site in anatomy.sites:
        if site.is_present:
            _draw_tooth(picture, covered, site, contrast * float(rng.normal(1, 0.06)))
        _draw_metal(metal, site, rng)
    return _develop(picture, metal, rng)


class _Canvas:
    """A picture that takes soft shapes given in image heights from the midline."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.height, self.width = picture.shape
        self._midline = np.array([self.width / 2, 0.0])

    def to_pixels(self, points: Points) -> Points:
        return points * self.height + self._midline

    def add(
        self, points: Points, amount: float, softness: float, thickness: float | None = None
    ) -> None:
        """Add ``amount`` inside a polygon or, given a thickness, along a line.

        ``softness`` is the width of its edge and ``thickness`` that of a line, in image heights.
        """
        pixels = self.to_pixels(points)
        reach = max(1, round(softness * self.height))
        line = 0 if thickness is None else max(1, round(thickness * self.height))
        window = _window(pixels, 2 * reach + line, self.picture.shape)
        if window is None:
            return
        rows, columns = window
        layer = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        fixed = _fixed_point(pixels - [columns.start, rows.start])
        if thickness is None:
            cv2.fillPoly(layer, [fixed], 255, cv2.LINE_8, _SUBPIXEL)
        else:
            cv2.polylines(layer, [fixed], False, 255, line, cv2.LINE_8, _SUBPIXEL)
        layer = _blur(layer, reach)
        self.picture[rows, columns] += layer * np.float32(amount / 255)


def _window(pixels: Points, margin: int, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
    """Return rows and columns of the bounding box with a margin, or None outside the picture."""
    left, top = (max(int(low) - margin, 0) for low in pixels.min(axis=0))
    right, bottom = (int(high) + margin + 2 for high in pixels.max(axis=0))
    right, bottom = min(right, shape[1]), min(bottom, shape[0])
    if right <= left or bottom <= top:
        return None
    return slice(top, bottom), slice(left, right)


def _fixed_point(pixels: Points) -> NDArray[np.int32]:
    return np.rint(pixels * 2**_SUBPIXEL).astype(np.int32)


def _blur(layer: NDArray[np.uint8], reach: int) -> NDArray[np.uint8]:
    """Blur with a triangle of ``reach`` pixels to each side, made of two boxes.

    Boxes of integers give the same bits on any number of threads; cv2.stackBlur does not.
    """
    box = (reach + 1, reach + 1)
    for anchor in ((reach + 1) // 2, reach // 2):
        layer = cv2.blur(layer, box, anchor=(anchor, anchor))
    return layer


# --- Jaws --------------------------------------------------------------------------------------


def _draw_jaws(anatomy: Anatomy, rng: np.random.Generator) -> Picture:
    """Return bone, soft tissue, air and shadows at JAW_HEIGHT."""
    shape = JAW_HEIGHT, round(JAW_HEIGHT * anatomy.aspect)
    bone = _Canvas(np.zeros(shape, np.float32))
    _draw_maxilla(bone, anatomy, rng)
    _draw_mandible(bone, anatomy, rng)
    # The rest has no sharp edges: half the size will do.
    rest = _Canvas(np.full((shape[0] // 2, shape[1] // 2), 0.05, np.float32))
    _draw_soft_tissue(rest, rng)
    _draw_air(rest, anatomy, rng)
    _draw_shadows(rest, rng)
    picture = cv2.resize(rest.picture, shape[::-1])
    return picture + np.maximum(bone.picture, 0) * _bone_texture(rng, shape)


def _bone_texture(rng: np.random.Generator, shape: tuple[int, int]) -> Picture:
    """Return the relative density of bone: trabeculae (band-limited noise) on slow mottling."""
    white = rng.random(shape, dtype=np.float32)
    fine = cv2.GaussianBlur(white, (5, 3), 0)  # trabeculae of the jaws run rather horizontally
    trabeculae = fine - cv2.blur(fine, (9, 7))
    slow = cv2.resize(rng.normal(1, 0.16, (7, 13)).astype(np.float32), shape[::-1])
    middle = cv2.resize(rng.normal(0, 0.09, (18, 36)).astype(np.float32), shape[::-1])
    return rng.uniform(0.8, 1.7) * trabeculae + slow + middle


def _draw_soft_tissue(canvas: _Canvas, rng: np.random.Generator) -> None:
    face = [(-1.1, -0.1), (1.1, -0.1), (1.02, 0.55), (0.75, 0.8), (0.4, 1.0), (-0.4, 1.0)]
    face += [(-0.75, 0.8), (-1.02, 0.55)]
    canvas.add(np.array(face), rng.uniform(0.17, 0.24), 0.16)
    cheek = rng.uniform(0.02, 0.08)
    for side in (-1, 1):
        outline = [(0.45, 0.2), (0.8, 0.1), (0.95, 0.5), (0.7, 0.7), (0.45, 0.6)]
        canvas.add(np.array(outline) * [side, 1], cheek, 0.15)


def _draw_maxilla(canvas: _Canvas, anatomy: Anatomy, rng: np.random.Generator) -> None:
    ridge = anatomy.upper_ridge
    top = rng.normal(0.14, 0.015)  # level of the hard palate
    ends = [(ridge[-1, 0] + 0.07, top + 0.12), (0.52, top), (-0.52, top)]
    alveolar = np.vstack([ridge, ends, [(ridge[0, 0] - 0.07, top + 0.12)]])
    canvas.add(alveolar, rng.uniform(0.14, 0.22), 0.045)
    _draw_palate(canvas, top, rng)
    for side in (-1, 1):
        _draw_midface(canvas, side, top, rng)
    septum = np.array([(0, -0.05), (rng.normal(0, 0.01), top / 2), (0, top + 0.05)])
    canvas.add(septum, rng.uniform(0.12, 0.25), 0.014, 0.016)


def _draw_palate(canvas: _Canvas, top: float, rng: np.random.Generator) -> None:
    """Draw the palate and its ghost as two bright bands that run into the zygomatic arches."""
    x = np.linspace(-0.95, 0.95, 25)
    wave = rng.normal(0, 0.005) * np.cos(9 * x) + rng.normal(0, 0.01) * x
    for drop, amount, thickness in ((0.0, 0.24, 0.016), (-0.045, 0.18, 0.026)):
        sag = rng.uniform(0.0, 0.07)
        bend = (x / 0.6) ** 2 * np.exp(-((x / 0.8) ** 6))
        arc = np.column_stack([x, top + drop + sag * bend + wave])
        for part, share in ((arc, 0.4), (arc[5:-5], 0.6)):  # fainter towards the sides
            canvas.add(part, share * amount, 0.022, thickness)


def _draw_midface(canvas: _Canvas, side: int, top: float, rng: np.random.Generator) -> None:
    """Draw sinus, zygoma, orbit and nose of one side."""
    flip = np.array([side, 1])
    floor = top + rng.uniform(0.07, 0.14)
    sinus = [(0.18, -0.05), (0.58, -0.05), (0.58, top + 0.02), (0.47, floor)]
    sinus += [(0.32, floor + 0.01), (0.2, top + 0.06)]
    sinus = smooth(np.array(sinus)) * flip
    canvas.add(sinus, -rng.uniform(0.07, 0.16), 0.035)
    below = smooth(np.array([(0.6, top), (0.47, floor), (0.32, floor + 0.01), (0.2, top + 0.05)]))
    canvas.add(below[8:] * flip, rng.uniform(0.04, 0.1), 0.014, 0.007)
    zygoma = np.array([(0.45, top + 0.1), (0.52, top), (0.68, top + 0.01), (1.1, top - 0.1)])
    canvas.add(smooth(zygoma, closed=False) * flip, 0.1, 0.035, 0.04)
    process = np.array([(0.5, -0.05), (0.51, 0.06), (0.49, top + 0.07)])
    canvas.add(process * flip, rng.uniform(0.05, 0.15), 0.016, 0.009)
    nose = [(0.02, -0.05), (0.16, -0.05), (0.13, top - 0.01), (0.03, top)]
    canvas.add(np.array(nose) * flip, -rng.uniform(0.1, 0.2), 0.035)
    concha = [(0.06, 0.0), (0.12, 0.02), (0.13, top - 0.05), (0.08, top - 0.04)]
    canvas.add(smooth(np.array(concha)) * flip, rng.uniform(0.04, 0.12), 0.025)
    skull = np.array([(0.82, -0.02), (1.1, -0.02), (1.1, 0.1), (0.97, 0.06)])
    canvas.add(skull * flip, rng.uniform(0.15, 0.35), 0.05)


def _draw_mandible(canvas: _Canvas, anatomy: Anatomy, rng: np.random.Generator) -> None:
    density = rng.uniform(0.12, 0.21)
    canvas.add(anatomy.mandible, density, 0.03)
    canvas.add(np.vstack([anatomy.mandible, anatomy.mandible[:1]]), 0.05, 0.014, 0.01)
    # The body is thicker around the roots than the rami are.
    body = np.vstack([anatomy.lower_ridge, anatomy.lower_border[::-1] * [0.9, 1] - [0, 0.1]])
    canvas.add(body, rng.uniform(0.02, 0.09), 0.06)
    cortex = anatomy.lower_border - [0, 0.014]
    canvas.add(cortex, rng.uniform(0.09, 0.17), 0.022, 0.022)
    chin = float(anatomy.lower_border[:, 1].max())
    for side in (-1, 1):
        flip = np.array([side, 1])
        canal = [(0.73, 0.4), (0.68, 0.58), (0.52, chin - 0.15), (0.32, chin - 0.12)]
        canvas.add(smooth(np.array(canal), closed=False) * flip, -0.05, 0.014, 0.02)
        line = np.array([(0.64, 0.4), (0.57, 0.58), (0.44, 0.68)])  # oblique line
        canvas.add(smooth(line, closed=False) * flip, 0.07, 0.025, 0.016)


def _draw_air(canvas: _Canvas, anatomy: Anatomy, rng: np.random.Generator) -> None:
    """Take away what the beam does not meet: mouth, space above the tongue, throat."""
    bite = np.vstack([anatomy.upper_ridge + [0, 0.03], anatomy.lower_ridge[::-1] - [0, 0.03]])
    canvas.add(bite * [1.05, 1], -rng.uniform(0.02, 0.1), 0.05)
    x = np.linspace(-0.5, 0.5, 15)
    above = np.column_stack([x, rng.uniform(0.18, 0.24) + 0.12 * (x / 0.5) ** 2])
    below = above + np.column_stack([0 * x, rng.uniform(0.05, 0.12) - 0.1 * (x / 0.6) ** 4])
    canvas.add(np.vstack([above, below[::-1]]), -rng.uniform(0.02, 0.15), 0.04)
    for side in (-1, 1):
        throat = [(0.54, 0.3), (0.62, 0.2), (0.72, 0.45), (0.66, 0.62), (0.56, 0.5)]
        canvas.add(np.array(throat) * [side, 1], -rng.uniform(0.0, 0.05), 0.06)


def _draw_shadows(canvas: _Canvas, rng: np.random.Generator) -> None:
    """Draw spine, ghosts of the opposite jaw and hyoid bone."""
    lean, half = rng.normal(0, 0.02), rng.uniform(0.13, 0.26)
    spine = [(-half, 1.05), (-half * 0.85, 0.65), (-half * 0.5, 0.3), (half * 0.5, 0.3)]
    spine += [(half * 0.85, 0.65), (half, 1.05)]
    canvas.add(np.array(spine) + [lean, 0], rng.uniform(0.06, 0.18), 0.05)
    core = np.array([(-0.05, 1.05), (-0.02, 0.1), (0.02, 0.1), (0.05, 1.05)])
    canvas.add(core + [lean, 0], rng.uniform(0.02, 0.08), 0.04)
    for side in (-1, 1):
        edge = rng.normal(0.68, 0.03)
        ghost = [(0.34, edge), (0.42, edge - 0.2), (1.1, edge - 0.32), (1.1, edge - 0.03)]
        canvas.add(np.array(ghost) * [side, 1], rng.uniform(0.01, 0.09), 0.025)
        hyoid = [(0.6, 0.93), (0.66, 0.905), (0.8, 0.9), (0.92, 0.96), (0.8, 0.95), (0.7, 0.94)]
        shifted = np.array(hyoid) + rng.normal(0, 0.02, 2) + rng.normal(0, 0.008, (6, 2))
        canvas.add(smooth(shifted) * [side, 1], rng.uniform(0.04, 0.13), 0.014)
    _draw_streaks(canvas, lean, half, rng)


def _draw_streaks(canvas: _Canvas, lean: float, half: float, rng: np.random.Generator) -> None:
    """Add the vertical streaks of everything that the beam crosses slowly at the midline."""
    columns = (np.arange(canvas.width) - canvas.width / 2) / canvas.height - lean
    coarse = cv2.resize(rng.standard_normal((1, 90)).astype(np.float32), (canvas.width, 1))[0]
    profile = coarse * np.exp(-((columns / half) ** 4))
    canvas.picture += (rng.uniform(0.008, 0.025) * profile).astype(np.float32)


# --- Teeth -------------------------------------------------------------------------------------


def _draw_tooth(picture: Picture, covered: Picture, site: ToothShape, contrast: float) -> None:
    """Add dentine, enamel and pulp of one tooth and the dark periodontal gap around its root.

    ``covered`` collects where teeth are: crowns that overlap are brighter, but by less than twice.
    """
    canvas = _Canvas(picture)
    reach = round(0.015 * canvas.height)
    window = _window(canvas.to_pixels(site.outline), 2 * reach, picture.shape)
    if window is None:
        return
    rows, columns = window
    origin = np.array([columns.start, rows.start])

    def layer(*outlines: Points) -> NDArray[np.uint8]:
        blank = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        fixed = [_fixed_point(canvas.to_pixels(outline) - origin) for outline in outlines]
        return cv2.fillPoly(blank, fixed, 255, cv2.LINE_AA, _SUBPIXEL)

    unit = np.float32(1 / 255)
    body = layer(site.outline, *site.interiors)
    # Blurred, the outline is about half as high at the surface as inside: a measure of depth.
    depth = _blur(body, reach) * unit
    crown = _blur(layer(site.crown), round(0.012 * canvas.height)) * unit
    pulp = layer(site.pulp) * unit
    body = body * unit
    enamel = crown * (1.0 - depth)
    tooth = 0.02 + 0.08 * depth + 0.25 * crown + 0.4 * enamel - 0.07 * pulp
    gap = -0.09 * depth
    before = covered[rows, columns]
    alone = contrast * (1.0 - 0.7 * before)
    picture[rows, columns] += alone * (gap + body * (tooth - gap))
    np.maximum(before, body, out=before)


def _draw_metal(metal: NDArray[np.uint8], site: ToothShape, rng: np.random.Generator) -> None:
    """Draw what a dentist put in: fillings, crowns, root canal fillings, implants."""
    parts: list[tuple[Points, int]] = []
    if site.treatment == "implant":
        crown = site.cervix + 0.75 * (site.crown - site.cervix)
        parts = [(_screw(site), 235), (crown, 255)]
    elif site.treatment == "crown":
        parts = [(site.crown, 255)]
    elif site.treatment in ("filling", "root_canal"):
        parts = [(_filling(site, rng), 255)]
    if site.treatment == "root_canal":
        parts.append((site.pulp, 190))
    canvas = _Canvas(metal)
    for part, opacity in parts:
        fixed = _fixed_point(canvas.to_pixels(part))
        cv2.fillPoly(metal, [fixed], opacity, cv2.LINE_AA, _SUBPIXEL)


def _filling(site: ToothShape, rng: np.random.Generator) -> Points:
    """Return an irregular polygon between biting edge and cervix."""
    down = site.cervix - site.edge
    across = np.array([down[1], -down[0]]) / np.hypot(*down) * site.width
    middle = site.edge + 0.32 * down + rng.uniform(-0.22, 0.22) * across
    angles = np.linspace(0, 2 * np.pi, 9, endpoint=False)[:, None]
    radii = rng.uniform(0.65, 1.25, (9, 1))
    reach = rng.uniform(0.14, 0.3)
    return middle + radii * (reach * np.cos(angles) * across + 0.2 * np.sin(angles) * down)


def _screw(site: ToothShape) -> Points:
    """Return the threaded, tapering body of an implant."""
    along = site.apex - site.cervix
    along = along * min(1.0, 0.09 / np.hypot(*along))
    across = np.array([along[1], -along[0]]) / np.hypot(*along)
    turns = np.linspace(0, 1, 17)[:, None]
    radius = 0.016 * (1 - 0.35 * turns) + 0.0025 * (np.arange(17)[:, None] % 2)
    spine = site.cervix + turns * along
    return np.vstack([spine + radius * across, (spine - radius * across)[::-1]])


# --- Exposure ----------------------------------------------------------------------------------


def _develop(
    picture: Picture, metal: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Turn attenuation into grey values: exposure, vignetting, noise, saturation."""
    height, width = picture.shape
    picture = cv2.GaussianBlur(picture, (0, 0), max(0.3, rng.uniform(0.0015, 0.003) * height))
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    picture *= 1 - rng.uniform(0.05, 0.3) * np.float32(0.5) * (x**2 + y**2)
    np.clip(picture, 0.0, None, out=picture)
    gamma = rng.uniform(0.85, 1.15)
    picture = rng.uniform(0.0, 0.1) + rng.uniform(0.75, 1.1) * cv2.pow(picture, gamma)
    # Quantum noise grows with the square root of the signal. It has a generator of its own, so
    # that the number of pixels changes nothing else.
    noise = rng.spawn(1)[0].standard_normal(picture.shape, dtype=np.float32)
    picture += rng.uniform(0.01, 0.03) * noise * cv2.sqrt(np.maximum(picture, 0))
    glow = _blur(metal, round(0.003 * height)) * np.float32(1 / 255)
    picture += glow * (1.0 - picture)
    _stamp_side(picture, rng)
    return cv2.convertScaleAbs(np.maximum(picture, 0), alpha=255)  # rounds and saturates


def _stamp_side(picture: Picture, rng: np.random.Generator) -> None:
    """Put the technician's R at the patient's right, as on many radiographs."""
    if rng.random() > 0.6:
        return
    height = picture.shape[0]
    place = round(rng.uniform(0.02, 0.06) * height), round(rng.uniform(0.82, 0.95) * height)
    stroke = max(1, round(height / 256))
    letter = np.zeros(picture.shape, np.uint8)
    cv2.putText(
        letter, "R", place, cv2.FONT_HERSHEY_SIMPLEX, height / 420, 230, stroke, cv2.LINE_AA
    )
    np.maximum(picture, letter * np.float32(1 / 255), out=picture)
