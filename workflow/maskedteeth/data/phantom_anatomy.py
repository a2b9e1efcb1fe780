"""Teeth and jaws of the digital phantom: shapes only, no pixels.

Lengths are in image heights, so the same anatomy can be drawn at any size. The origin is the top of
the image on the midline: x runs to the right of the picture (the patient's left), y downwards.
A tooth is first described in its own frame: u across (1 = its width, positive towards distal), v
along (0 = biting edge, 1 = apex of the longest root).
"""

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (P, 2), x and y

# Outlines as half profiles (|u|, v) from the biting edge to the apex; the other half is mirrored.
_INCISOR = [(0.22, 0), (0.45, 0.01), (0.51, 0.12), (0.46, 0.28), (0.37, 0.4), (0.33, 0.55)]
_INCISOR += [(0.26, 0.75), (0.16, 0.94), (0.06, 1.01)]
_CANINE = [(0.08, -0.01), (0.33, 0.05), (0.54, 0.15), (0.48, 0.28), (0.4, 0.38), (0.37, 0.55)]
_CANINE += [(0.3, 0.75), (0.17, 0.95), (0.06, 1.01)]
_PREMOLAR = [(0, 0.05), (0.2, -0.01), (0.44, 0.04), (0.54, 0.15), (0.48, 0.28), (0.4, 0.37)]
_PREMOLAR += [(0.36, 0.55), (0.28, 0.76), (0.16, 0.95), (0.05, 1.01)]
_MOLAR_CROWN = [(0, 0.06), (0.2, -0.01), (0.43, 0.01), (0.53, 0.11), (0.51, 0.24), (0.44, 0.36)]
_TWO_ROOTS = [(0.43, 0.52), (0.43, 0.72), (0.4, 0.92), (0.31, 1.03), (0.23, 0.92), (0.16, 0.72)]
_TWO_ROOTS += [(0.09, 0.56), (0, 0.5)]
_THREE_ROOTS = [(0.43, 0.52), (0.42, 0.7), (0.38, 0.87), (0.3, 0.94), (0.24, 0.84), (0.19, 0.7)]
_THREE_ROOTS += [(0.16, 0.84), (0.1, 0.98), (0, 1.02)]
_FUSED_ROOTS = [(0.42, 0.52), (0.37, 0.7), (0.28, 0.88), (0.14, 1.0)]
_JOINED_ROOTS = [(0.44, 0.52), (0.44, 0.72), (0.38, 0.9), (0.24, 1.02), (0.06, 1.0)]
_BONE_BETWEEN_ROOTS = [(0, 0.5), (0.1, 0.6), (0.16, 0.74), (0.12, 0.86), (0, 0.89)]

_CANAL = [(0.02, 0.18), (0.11, 0.24), (0.09, 0.45), (0.05, 0.75), (0.02, 0.96)]
_TWO_CANALS = [(0, 0.29), (0.22, 0.21), (0.23, 0.36), (0.28, 0.6), (0.32, 0.93), (0.3, 0.94)]
_TWO_CANALS += [(0.22, 0.6), (0.14, 0.41), (0, 0.37)]
_THREE_CANALS = [(0, 0.29), (0.22, 0.21), (0.23, 0.36), (0.28, 0.6), (0.3, 0.85), (0.27, 0.85)]
_THREE_CANALS += [(0.2, 0.58), (0.12, 0.42), (0.05, 0.6), (0.02, 0.93)]

# Outline, pulp and interior ring (bone seen between roots that meet again).
_PROFILES = {
    "incisor": (_INCISOR, _CANAL, []),
    "canine": (_CANINE, _CANAL, []),
    "premolar": (_PREMOLAR, _CANAL, []),
    "upper_molar": (_MOLAR_CROWN + _THREE_ROOTS, _THREE_CANALS, []),
    "lower_molar": (_MOLAR_CROWN + _TWO_ROOTS, _TWO_CANALS, []),
    "fused_molar": (_MOLAR_CROWN + _FUSED_ROOTS, _CANAL, []),
    "joined_molar": (_MOLAR_CROWN + _JOINED_ROOTS, _TWO_CANALS, _BONE_BETWEEN_ROOTS),
}

# Width and length of the eight teeth of a quadrant, midline to wisdom tooth (real proportions).
_UPPER_WIDTHS = np.array([0.068, 0.054, 0.061, 0.057, 0.055, 0.081, 0.077, 0.069])
_UPPER_LENGTHS = np.array([0.190, 0.180, 0.220, 0.180, 0.178, 0.172, 0.166, 0.145])
_LOWER_WIDTHS = np.array([0.044, 0.047, 0.055, 0.056, 0.058, 0.087, 0.083, 0.078])
_LOWER_LENGTHS = np.array([0.170, 0.180, 0.215, 0.186, 0.186, 0.180, 0.170, 0.150])
_SPACING = np.array([0.99, 0.98, 0.94, 0.9, 0.92, 0.97, 0.97, 0.95])  # neighbours overlap
_CERVIX = 0.38  # v where the crown ends


@dataclass(frozen=True)
class ToothShape:
    """One tooth site, occupied or not, as outlines in image heights."""

    number: int  # Universal numbering, 1..32
    outline: Points
    interiors: tuple[Points, ...]  # bone seen between joined roots
    pulp: Points
    crown: Points  # the part of the outline above the cervix, in order
    cervix: Points  # (2,) midpoint of the cervix
    apex: Points  # (2,) end of the longest root
    edge: Points  # (2,) midpoint of the biting edge
    width: float
    treatment: str  # none, filling, crown, root_canal or, for a lost tooth, implant or gap

    @property
    def is_present(self) -> bool:
        """Whether a natural tooth stands here; an implant is none."""
        return self.treatment not in ("implant", "gap")


@dataclass(frozen=True)
class Anatomy:
    """All that a radiograph shows."""

    aspect: float  # width of the image in image heights
    sites: tuple[ToothShape, ...]  # all 32
    upper_ridge: Points  # crest of the maxillary bone, left to right
    lower_ridge: Points
    mandible: Points
    lower_border: Points  # cortical bone from angle to angle


@dataclass(frozen=True)
class _Habitus:
    """What the teeth of one patient have in common."""

    age: float  # 0 young: complete, untreated; 1 old: gaps, metal, lost bone
    size: float  # of the teeth, 1 = average
    centre: float  # x of the midline
    level: float  # y of the occlusal curve at the midline
    smile: float  # rise of the occlusal curve half an image height from the midline
    cant: float  # slope of the occlusal plane
    opening: tuple[float, float]  # between the arches: everywhere, and more in front
    lost: frozenset[int]  # numbers of the missing teeth


def grow(rng: np.random.Generator) -> Anatomy:
    """Return a random patient."""
    aspect = 2041 / 1024 if rng.random() < 0.8 else rng.uniform(1.9, 2.06)
    age = rng.beta(1.3, 2.0)
    habitus = _Habitus(
        age=age,
        size=rng.normal(1.12, 0.04),
        centre=rng.normal(0, 0.015),
        level=rng.normal(0.52, 0.02),
        smile=rng.uniform(0.02, 0.11),
        cant=rng.normal(0, 0.015),
        opening=(rng.uniform(0.0, 0.03), rng.uniform(0.0, 0.03)),
        lost=_lost_sites(rng, age),
    )
    upper_sites, upper_ridge = _grow_arch(rng, habitus, upper=True)
    lower_sites, lower_ridge = _grow_arch(rng, habitus, upper=False)
    mandible, lower_border = _grow_mandible(rng, lower_ridge, habitus.centre)
    sites = (*upper_sites, *lower_sites)
    return Anatomy(aspect, sites, upper_ridge, lower_ridge, mandible, lower_border)


def smooth(polygon: Points, closed: bool = True) -> Points:
    """Round the corners of a polygon or line: four points for each, by Chaikin's corner cutting."""
    return _corner_cutting(len(polygon), closed) @ np.asarray(polygon, float)


@cache
def _corner_cutting(count: int, closed: bool) -> NDArray[np.float64]:
    """Return the matrix that cuts the corners of ``count`` points twice."""
    matrix = np.eye(count)
    for _ in range(2):
        following = np.roll(matrix, -1, axis=0)
        quarters = 0.75 * matrix + 0.25 * following, 0.25 * matrix + 0.75 * following
        cut = np.stack(quarters, axis=1).reshape(-1, count)
        matrix = cut if closed else np.vstack([matrix[:1], cut[:-2], matrix[-1:]])
    return matrix


def _lost_sites(rng: np.random.Generator, age: float) -> frozenset[int]:
    """Return the numbers of the teeth that are missing; at least eight teeth stay."""
    chance = np.full(33, 0.02 + 0.36 * age**2)
    chance[[3, 14, 19, 30]] *= 1.8  # first molars are lost first
    chance[[6, 11, 22, 27]] *= 0.4  # canines last
    chance[[1, 16, 17, 32]] = 0.55 + 0.35 * age  # wisdom teeth: absent or taken out
    lost = [n for n in range(1, 33) if rng.random() < chance[n]]
    return frozenset(rng.permutation(lost)[:24].tolist())


def _treatment(rng: np.random.Generator, place: int, is_lost: bool, age: float) -> str:
    chance = rng.random()
    if is_lost:
        return "implant" if chance < 0.1 and place < 7 else "gap"
    posterior = place >= 3
    if chance < (0.03 + 0.04 * posterior) * (0.3 + 1.5 * age):
        return "root_canal"
    if chance < (0.07 + 0.12 * posterior) * (0.3 + 1.5 * age):
        return "crown"
    if chance < (0.1 + 0.4 * posterior) * (0.2 + 1.2 * age):
        return "filling"
    return "none"


def _grow_arch(
    rng: np.random.Generator, habitus: _Habitus, upper: bool
) -> tuple[list[ToothShape], Points]:
    """Return the sixteen tooth sites of an arch, left to right, and the crest of its bone."""
    direction = -1 if upper else 1  # of the roots, along y
    widths = (_UPPER_WIDTHS if upper else _LOWER_WIDTHS) * habitus.size * rng.normal(1, 0.03, 8)
    lengths = (_UPPER_LENGTHS if upper else _LOWER_LENGTHS) * habitus.size
    lengths = lengths * rng.normal(1.05, 0.03, 8)
    spacing = widths * _SPACING
    distances = np.cumsum(spacing) - spacing / 2
    sites, crests = [], []
    for side in (-1, 1):
        for place in range(8):
            number = _universal_number(upper, side, place)
            is_lost = number in habitus.lost
            offset = side * (distances[place] + rng.normal(0, 0.002))
            y, tilt = _occlusion(habitus, offset, direction)
            y += rng.normal(0, 0.004) - direction * 0.008 * (place == 2)  # canines stand out
            y, tilt = _displace(rng, place, upper, y, rng.normal(tilt, 3), direction)
            frame = _Frame(
                habitus.centre + offset, y, side, direction, widths[place], lengths[place], tilt
            )
            treatment = _treatment(rng, place, is_lost, habitus.age)
            sites.append(_grow_tooth(rng, number, place, upper, frame, treatment))
            crest = _CERVIX + 0.05 + 0.2 * habitus.age + 0.12 * is_lost
            crests.append((frame.x, y + direction * lengths[place] * crest))
    order = np.argsort([x for x, _ in crests])
    ridge = np.array(crests)[order]
    padded = np.pad(ridge[:, 1], 1, mode="edge")
    ridge[:, 1] = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    return [sites[i] for i in order], smooth(ridge, closed=False)


def _occlusion(habitus: _Habitus, offset: float, direction: int) -> tuple[float, float]:
    """Return height and tilt (degrees) of a tooth that stands ``offset`` from the midline."""
    gap = habitus.opening[0] + habitus.opening[1] * np.exp(-((offset / 0.2) ** 2))
    curve = habitus.level - habitus.smile * (offset / 0.5) ** 2 + habitus.cant * offset
    slope = np.degrees(np.arctan(8 * habitus.smile * abs(offset)))
    return curve + direction * gap / 2, slope if direction > 0 else 2.0


def _universal_number(upper: bool, side: int, place: int) -> int:
    """Return 1..32 of the tooth ``place`` (0 = central incisor) on a side (-1 = image left)."""
    if upper:
        return 8 - place if side < 0 else 9 + place
    return 25 + place if side < 0 else 24 - place


def _displace(
    rng: np.random.Generator, place: int, upper: bool, y: float, tilt: float, direction: int
) -> tuple[float, float]:
    """Tip some teeth; keep some wisdom teeth in the bone, the lower ones lying on their side."""
    if place == 7 and rng.random() < 0.5:
        depth = rng.uniform(0.02, 0.05)
        tilt = rng.uniform(-20, 15) if upper else rng.uniform(25, 85)
        return y + direction * depth, tilt
    if rng.random() < 0.07:
        return y, tilt + rng.choice([-1, 1]) * rng.uniform(8, 18)
    return y, tilt


@dataclass(frozen=True)
class _Frame:
    """Where a tooth stands: maps its own (u, v) to the image."""

    x: float
    y: float
    side: int  # 1: distal is to the right
    direction: int  # 1: the roots point down
    width: float
    length: float
    tilt: float  # degrees, positive: the apex leans towards distal
    bend: float = 0.0  # of the root, in widths

    def __call__(self, local: Points) -> Points:
        pivot = 0.3  # a tooth tips about a point near its cervix
        root = np.maximum(local[:, 1] - 0.35, 0) / 0.65
        across = (local[:, 0] + self.bend * root**2) * self.width
        along = (local[:, 1] - pivot) * self.length
        angle = math.radians(self.tilt)
        cos, sin = math.cos(angle), math.sin(angle)
        distal = across * cos + along * sin
        down = along * cos - across * sin + pivot * self.length
        return np.column_stack([self.x + self.side * distal, self.y + self.direction * down])


def _grow_tooth(
    rng: np.random.Generator,
    number: int,
    place: int,
    upper: bool,
    frame: _Frame,
    treatment: str,
) -> ToothShape:
    kind = _kind(rng, place, upper)
    frame = replace(frame, bend=rng.normal(0.12, 0.12))
    controls, pulp, ring, in_crown = _templates(kind)
    local = smooth(controls + rng.normal(0, 0.012, controls.shape) * [1, 0.6])
    marks = np.array([(0, _CERVIX), (0, 0.97), (0, 0.0)])
    ends = np.cumsum([len(local), len(pulp), len(ring)])
    outline, pulp, ring, marks = np.split(frame(np.vstack([local, pulp, ring, marks])), ends)
    return ToothShape(
        number=number,
        outline=outline,
        interiors=(ring,) if len(ring) else (),
        pulp=pulp,
        crown=outline[in_crown],
        cervix=marks[0],
        apex=marks[1],
        edge=marks[2],
        width=frame.width,
        treatment=treatment,
    )


def _kind(rng: np.random.Generator, place: int, upper: bool) -> str:
    if place < 5:
        return ("incisor", "incisor", "canine", "premolar", "premolar")[place]
    if place == 7 and rng.random() < 0.6:
        return "fused_molar"
    if upper:
        return "upper_molar"
    return "joined_molar" if rng.random() < 0.08 else "lower_molar"


@cache
def _templates(kind: str) -> tuple[Points, Points, Points, NDArray[np.intp]]:
    """Return outline (control points), pulp and interior ring of a kind of tooth, in (u, v).

    Last come the indices of those points of the smoothed outline that belong to the crown.
    """
    outline, pulp, ring = _PROFILES[kind]
    controls = _mirror(outline)
    inside = smooth(_mirror(ring)) if ring else np.empty((0, 2))
    # The profile starts at the biting edge, so the crown wraps around the end of the array.
    is_root = np.flatnonzero(smooth(controls)[:, 1] > _CERVIX)
    in_crown = np.r_[is_root[-1] + 1 : 4 * len(controls), 0 : is_root[0]]
    return controls, smooth(_mirror(pulp)), inside, in_crown


def _mirror(profile: list[tuple[float, float]]) -> Points:
    """Close a half profile: down the distal side, up the mesial side."""
    right = np.array(profile, float)
    left = right[::-1] * [-1, 1]
    left = left[left[:, 0] != 0]  # points on the axis stand once
    return np.vstack([right, left])


def _grow_mandible(rng: np.random.Generator, ridge: Points, centre: float) -> tuple[Points, Points]:
    """Return the outline of the mandible with its rami, and its lower border."""
    chin, angle = rng.normal(0.92, 0.02), rng.normal(0.69, 0.025)
    spread = rng.normal(1.0, 0.03)
    halves = [_half_mandible(rng, chin, angle, spread * rng.normal(1, 0.015)) for _ in range(2)]
    left, right = halves[0] * [-1, 1] + [centre, 0], halves[1] + [centre, 0]
    body = ridge[(ridge[:, 0] > left[-1, 0] + 0.02) & (ridge[:, 0] < right[-1, 0] - 0.02)]
    outline = np.vstack([right[1:], body[::-4], left[::-1]])
    lower = np.vstack([left[:_BORDER_POINTS][::-1], right[1:_BORDER_POINTS]])
    return smooth(outline), smooth(lower, closed=False)


_BORDER_POINTS = 6


def _half_mandible(rng: np.random.Generator, chin: float, angle: float, spread: float) -> Points:
    """Return the right half: lower border (the first points), ramus, condyle, coronoid process."""
    half = [(0, chin), (0.16, chin + 0.004), (0.34, chin - 0.03), (0.56, chin - 0.1)]
    half += [(0.75, angle + 0.05), (0.85, angle - 0.05)]
    half += [(0.87, 0.4), (0.89, 0.2), (0.93, 0.13), (0.92, 0.07), (0.87, 0.05), (0.83, 0.1)]
    half += [(0.8, 0.21), (0.75, 0.24), (0.7, 0.19), (0.67, 0.18), (0.655, 0.26), (0.65, 0.38)]
    half += [(0.61, 0.5)]
    points = np.array(half) * [spread, 1]
    return points + np.r_[np.zeros((1, 2)), rng.normal(0, 0.006, (len(points) - 1, 2))]
