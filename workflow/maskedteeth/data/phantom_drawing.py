"""The drawing of a phantom radiograph: a random patient's teeth and jaws, and their exposure.

Lengths are in image heights, so a patient can be drawn at any size. The origin is the top of the
image on the midline: x runs to the right of the image (the patient's left), y downwards. A tooth is
described in a frame of its own: u across (1 = its width, positive towards distal), v along (0 =
biting edge, 1 = apex).
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (P, 2), x and y
Picture = NDArray[np.float32]  # (H, W), attenuation: 1 is white

# --- Shapes --------------------------------------------------------------------------------------


def _smooth(polygon: Points) -> Points:
    """Round the corners of a closed polygon (Chaikin's corner cutting, twice)."""
    for _ in range(2):
        following = np.roll(polygon, -1, axis=0)
        near, far = 0.75 * polygon + 0.25 * following, 0.25 * polygon + 0.75 * following
        polygon = np.stack([near, far], axis=1).reshape(-1, 2)
    return polygon


def _mirrored(u: list[float], v: list[float]) -> Points:
    """Close half an outline, u >= 0, with its mirror image; smooth."""
    half = np.column_stack([u, v])
    return _smooth(np.vstack([half, half[::-1] * [-1, 1]]))


_CERVIX = 0.38  # v where the crown ends
_ONE_ROOT = _mirrored(
    [0.2, 0.46, 0.52, 0.44, 0.36, 0.31, 0.2, 0.06],
    [0, 0.02, 0.13, 0.3, 0.42, 0.6, 0.9, 1],
)
_TWO_ROOTS = _mirrored(
    [0, 0.25, 0.48, 0.53, 0.46, 0.43, 0.43, 0.36, 0.25, 0.17, 0.1, 0],
    [0.05, -0.01, 0.01, 0.14, 0.34, 0.5, 0.74, 0.98, 0.98, 0.74, 0.57, 0.52],
)
_CANAL = _mirrored([0, 0.1, 0.08, 0.03], [0.18, 0.24, 0.5, 0.95])
_TWO_CANALS = _mirrored(
    [0, 0.2, 0.26, 0.34, 0.28, 0.16, 0],
    [0.28, 0.2, 0.4, 0.93, 0.93, 0.42, 0.37],
)
_FILLING = _mirrored([0, 0.25, 0.3, 0], [0.03, 0.02, 0.2, 0.25])
_IMPLANT = _mirrored([0, 0.25, 0.17, 0.08], [0.36, 0.36, 0.85, 0.9])

# Widths and lengths of the eight teeth of a quadrant, from the midline to the wisdom tooth.
_UPPER = np.array([0.068, 0.054, 0.061, 0.057, 0.055, 0.081, 0.077, 0.069])
_LOWER = np.array([0.044, 0.047, 0.055, 0.056, 0.058, 0.087, 0.083, 0.078])
_UPPER_LENGTHS = np.array([0.190, 0.180, 0.220, 0.180, 0.178, 0.172, 0.166, 0.145])
_LOWER_LENGTHS = np.array([0.170, 0.180, 0.215, 0.186, 0.186, 0.180, 0.170, 0.150])

# Half of the mandible: chin, lower border, angle, condyle, coronoid process, ramus.
_MANDIBLE = np.column_stack(
    [
        [0, 0.2, 0.4, 0.58, 0.76, 0.86, 0.88, 0.9, 0.94, 0.87, 0.81, 0.75, 0.69, 0.65, 0.62],
        [0.93, 0.93, 0.88, 0.81, 0.73, 0.62, 0.38, 0.16, 0.08, 0.05, 0.2, 0.24, 0.18, 0.3, 0.5],
    ]
)

# What else the beam meets, by the softness of its edge: least and greatest attenuation, and half an
# outline. One that begins on the midline is one shape; another stands on both sides.
_AROUND = {
    0.07: {
        "face": ((0.17, 0.24), [(0, -0.1), (1.1, -0.1), (1, 0.55), (0.75, 0.8), (0.4, 1), (0, 1)]),
        "cheek": ((0.05, 0.2), [(0.45, 0.2), (0.8, 0.1), (0.95, 0.5), (0.7, 0.7), (0.45, 0.6)]),
        "air above the tongue": ((-0.15, -0.02), [(0, 0.2), (0.5, 0.32), (0.5, 0.38), (0, 0.3)]),
    },
    0.03: {
        "spine": ((0.04, 0.2), [(0, 0.3), (0.09, 0.3), (0.16, 0.65), (0.19, 1.1), (0, 1.1)]),
        "ghost jaw": ((0.01, 0.1), [(0.34, 0.68), (0.42, 0.48), (1.1, 0.36), (1.1, 0.65)]),
        "sinus": ((-0.16, -0.07), [(0.2, 0), (0.56, 0), (0.58, 0.16), (0.46, 0.25), (0.22, 0.2)]),
        "nose": ((-0.2, -0.1), [(0.02, -0.05), (0.16, -0.05), (0.13, 0.13), (0.03, 0.13)]),
        "skull": ((0.15, 0.35), [(0.82, -0.02), (1.1, -0.02), (1.1, 0.1), (0.97, 0.06)]),
        "zygoma": ((0.06, 0.14), [(0.44, 0.24), (0.52, 0.13), (0.68, 0.12), (1.1, 0), (0.6, 0.17)]),
    },
    0.012: {
        "palate": (
            (0.1, 0.3),
            [(0, 0.13), (0.5, 0.14), (1, 0.1), (1, 0.12), (0.5, 0.16), (0, 0.15)],
        ),
        "septum": ((0.1, 0.25), [(0, -0.05), (0.008, -0.05), (0.01, 0.15), (0, 0.18)]),
        "hyoid": ((0.04, 0.13), [(0.6, 0.93), (0.66, 0.9), (0.8, 0.9), (0.92, 0.96), (0.75, 0.95)]),
    },
}

# --- Patients ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    """The place of a tooth and what stands in it; outlines are in image heights."""

    number: int  # Universal numbering, 1..32
    is_present: bool  # a natural tooth stands here
    outline: Points
    crown: Points
    canal: Points
    crest: Points  # (2,) where the bone ends
    metal: list[Points]  # fillings, crowns, root canal fillings, implants

    @property
    def is_gap(self) -> bool:
        """Whether nothing stands here, no implant either."""
        return not self.is_present and not self.metal


def grow(rng: np.random.Generator) -> list[Site]:
    """Return the 32 sites of a random patient, by number; at least eight teeth are present."""
    age = rng.beta(1.3, 2.0)  # 0 young: complete, untreated; 1 old: gaps, metal, lost bone
    size, middle, level = rng.normal([1.1, 0, 0.52], [0.1, 0.02, 0.03])
    smile, cant, bite = rng.uniform(0, 0.13), rng.normal(0, 0.03), rng.uniform(0, 0.05)
    risk = np.full(32, 0.02 + 0.36 * age**2)
    risk[[0, 15, 16, 31]] = 0.55 + 0.35 * age  # wisdom teeth: absent or taken out
    lost = rng.permutation(np.flatnonzero(rng.random(32) < risk) + 1)[:24]
    sites = []
    for upper in (True, False):
        widths = (_UPPER if upper else _LOWER) * size * rng.normal(1, 0.03, 8)
        lengths = (_UPPER_LENGTHS if upper else _LOWER_LENGTHS) * size * rng.normal(1.05, 0.04, 8)
        distances = np.cumsum(0.95 * widths) - 0.475 * widths  # neighbours overlap
        down = -1 if upper else 1  # where roots point
        for count in range(16):
            # Upper teeth are numbered along x, lower ones against it.
            side, place = down * (1 if count < 8 else -1), 7 - count if count < 8 else count - 8
            number = count + (1 if upper else 17)
            away = distances[place]
            x, y = middle + side * away, level - smile * (away / 0.5) ** 2 + cant * side * away
            tilt = 2 if upper else np.degrees(8 * smile * away)
            y += rng.normal(0, 0.005) + down * bite / 2
            if place == 7 and rng.random() < 0.5:  # many wisdom teeth stay in the bone
                y, tilt = y + down * rng.uniform(0.02, 0.05), rng.uniform(-20, 15 if upper else 85)
            tilt = np.radians(tilt + rng.normal(0, 5))
            to_image = _frame([x, y], [side, down], [widths[place], lengths[place]], tilt, rng)
            sites.append(_site(number, place, number in lost, age, to_image, rng))
    return sites


def _frame(
    origin: list[float],
    flip: list[int],
    size: list[float],
    tilt: float,
    rng: np.random.Generator,
) -> Callable[[Points], Points]:
    """Return the map from a tooth's (u, v) to the image; it tips (radians) about its cervix."""
    cos, sin, bend = np.cos(tilt), np.sin(tilt), rng.normal(0.1, 0.12)
    pivot = np.array([0, 0.3])

    def to_image(local: Points) -> Points:
        bent = local - pivot
        bent[:, 0] += 2 * bend * np.maximum(bent[:, 1], 0) ** 2
        turned = bent * size @ np.array([[cos, -sin], [sin, cos]]) + pivot * size
        return turned * flip + origin

    return to_image


def _site(
    number: int,
    place: int,
    is_lost: bool,
    age: float,
    to_image: Callable[[Points], Points],
    rng: np.random.Generator,
) -> Site:
    """Grow the tooth that is the ``place``-th from the midline (0 to 7), or what replaced it."""
    has_two = place >= 5 and not (place == 7 and rng.random() < 0.6)  # else its roots are fused
    outline, canal = (_TWO_ROOTS, _TWO_CANALS) if has_two else (_ONE_ROOT, _CANAL)
    crown = outline[outline[:, 1] < _CERVIX]
    metal = []
    chance = rng.random() / (0.3 + 1.4 * age) / (1 if place >= 3 else 0.4)
    if is_lost:
        metal = [_IMPLANT, crown * 0.8 + [0, 0.06]] if chance < 0.1 else []
    elif chance < 0.05:
        metal = [canal, _FILLING]
    elif chance < 0.13:
        metal = [crown]
    elif chance < 0.4:
        metal = [_FILLING * rng.uniform(0.5, 1.2, 2) + [rng.uniform(-0.2, 0.2), 0.03]]
    crest = np.array([(0, _CERVIX + 0.05 + 0.2 * age + 0.12 * is_lost)])
    parts = [to_image(part) for part in (outline, crown, canal)]
    return Site(number, not is_lost, *parts, to_image(crest)[0], [to_image(m) for m in metal])


# --- Exposure ------------------------------------------------------------------------------------

_HEIGHT = 256  # at which teeth are drawn; other sizes are resampled
_SOFT = 128  # height at which jaws are drawn, which have no sharp edges
_SUBPIXEL = 4  # bits of OpenCV's fixed-point coordinates


def expose(
    sites: list[Site], height: int, aspect: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the radiograph of a patient, uint8 (height, round(height * aspect)).

    Attenuations add up along the beam. Only metal is set, because it saturates.
    """
    shape, size = (_HEIGHT, round(_HEIGHT * aspect)), (round(height * aspect), height)
    picture = _jaws(sites, shape, rng) + rng.uniform(0.5, 1.05) * _teeth(sites, shape)
    picture = _blurred(np.maximum(picture, 0), rng.uniform(0.002, 0.006))
    picture = cv2.pow(picture, rng.uniform(0.7, 1.4)) * rng.uniform(0.75, 1.2)
    metal = np.zeros(shape, np.float32)
    for site in sites:
        for part in site.metal:
            _paint(metal, part, 1)
    if rng.random() < 0.6:  # the technician's R, at the patient's right
        letter = [(0, 5), (0, 0), (2, 0), (3, 1), (2, 2.5), (0, 2.5), (3, 5)]
        corner = [0.05 - aspect / 2, rng.uniform(0.8, 0.9)]
        _paint(metal, np.array(letter) * 0.01 + corner, 0.9, line=2)
    metal = cv2.resize(_blurred(metal, 0.002), size)
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    picture = np.maximum(picture, 0)
    grain = rng.uniform(0.02, 0.08)  # quantum noise grows with the square root of the signal
    picture += grain * rng.standard_normal(picture.shape, np.float32) * cv2.sqrt(picture)
    picture += metal * (1 - picture)
    return cv2.convertScaleAbs(np.maximum(picture, 0), alpha=255)  # rounds and saturates


def _paint(picture: Picture, points: Points, value: float, line: int = 0) -> None:
    """Fill an outline given in image heights or, given its thickness in pixels, draw a line."""
    height, width = picture.shape
    pixels = points * height + [width / 2, 0]
    fixed = [np.rint(pixels * 2**_SUBPIXEL).astype(np.int32)]
    if line:
        cv2.polylines(picture, fixed, False, value, line, cv2.LINE_8, _SUBPIXEL)
    else:
        cv2.fillPoly(picture, fixed, value, cv2.LINE_8, _SUBPIXEL)


def _blurred(picture: Picture, sigma: float) -> Picture:
    """Blur with a Gaussian of ``sigma`` image heights."""
    return cv2.GaussianBlur(picture, (0, 0), sigma * len(picture))


def _jaws(sites: list[Site], shape: tuple[int, int], rng: np.random.Generator) -> Picture:
    """Return bone, soft tissue, air and shadows."""
    picture, bone, cortex = np.zeros((3, _SOFT, round(shape[1] * _SOFT / shape[0])), np.float32)

    def add(layer: Picture, outline: Points, amounts: tuple[float, float], line: int = 0) -> None:
        one = np.zeros_like(layer)
        _paint(one, outline, rng.uniform(*amounts), line)
        layer += one

    for softness, shapes in _AROUND.items():
        layer = np.zeros_like(picture)
        for amounts, half in shapes.values():
            points = np.array(half) + rng.normal(0, 0.016, (len(half), 2))
            left, right = (points * [side, 1] + rng.normal(0, 0.016, 2) for side in (-1, 1))
            is_one = half[0][0] == 0
            for outline in [np.vstack([left[::-1], right])] if is_one else [left, right]:
                add(layer, _smooth(outline), amounts)
        picture += _blurred(layer, softness)
    upper, lower = (np.array([site.crest for site in arch]) for arch in (sites[:16], sites[16:]))
    right, left = _MANDIBLE * rng.normal(1, 0.03, 2) + rng.normal(0, 0.01, (2, *_MANDIBLE.shape))
    mandible = _smooth(np.vstack([left[::-1] * [-1, 1], right, lower]))
    add(bone, np.vstack([upper, [(0.56, 0.13), (-0.56, 0.13)]]), (0.1, 0.25))  # the maxilla
    add(bone, mandible, (0.12, 0.28))
    add(cortex, mandible, (0.06, 0.15), line=3)
    bone = cv2.resize(_blurred(bone + cortex, 0.012), shape[::-1])
    return cv2.resize(picture, shape[::-1]) + bone * _bone_texture(shape, rng)


def _bone_texture(shape: tuple[int, int], rng: np.random.Generator) -> Picture:
    """Return the relative density of bone: trabeculae (band-limited noise) on slow mottling."""
    white = rng.random(shape, np.float32)
    fine = cv2.GaussianBlur(white, (5, 3), 0)  # trabeculae of the jaws run rather horizontally
    slow = cv2.resize(rng.normal(1, 0.16, (7, 13)).astype(np.float32), shape[::-1])
    middle = cv2.resize(rng.normal(0, 0.2, (18, 36)).astype(np.float32), shape[::-1])
    return rng.uniform(0.8, 1.7) * (fine - cv2.blur(fine, (9, 7))) + slow + middle


def _teeth(sites: list[Site], shape: tuple[int, int]) -> Picture:
    """Return roots with the dark gap around them, crowns and pulps."""
    planes = []
    for parity in (0, 1):  # neighbours lie on different planes: where they overlap it is brighter
        body, crown = np.zeros((2, *shape), np.float32)
        teeth = [site for site in sites if site.is_present and site.number % 2 == parity]
        for site in teeth:
            _paint(body, site.outline, 1)
            _paint(crown, site.crown, 1)
        # Blurred, an outline is about half as high at the surface as inside: a measure of depth.
        depth, crown = _blurred(body, 0.007), _blurred(crown, 0.006)
        for site in teeth:
            _paint(body, site.canal, 0.8)
        tooth = 0.09 + 0.15 * depth + crown * (0.75 - 0.4 * depth)  # enamel lies at the surface
        planes.append(body * tooth - 0.09 * depth)
    return np.maximum(*planes) + 0.3 * np.minimum(*planes)
