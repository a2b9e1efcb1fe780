"""The radiographs of a study: which are annotated, and which are copies of each other.

Copies are those of one ``duplicate_group`` of the index, and those whose prepared pixels the guard
would take for copies (:mod:`maskedteeth.data.copies`). They are looked for here again, because a
study that the guard stops is the one whose radiographs somebody wants to see.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from maskedteeth.data.arrays import open_array, read_index
from maskedteeth.data.copies import near_pairs, perceptual_hash
from maskedteeth.errors import InputError
from maskedteeth.files import read_csv, read_frame
from maskedteeth.report.reading import refuse_cut

#: Columns of ``index.csv`` that are read here.
COLUMNS = ("id", "sha256", "height", "width", "labelled", "tooth_fraction", "teeth")
COLUMNS += ("duplicate_group",)


@dataclass(frozen=True)
class Radiograph:
    """A row of ``index.csv``.

    Attributes:
        id: name.
        height: of the file, in pixels.
        width: likewise.
        tooth_fraction: share of the pixels; None where nobody annotated it.
        teeth: number of teeth annotated one by one; None where that is not known.
        sha256: of size and pixels.
        group: id of the first radiograph with which the index holds it together.
    """

    id: str
    height: int
    width: int
    tooth_fraction: float | None
    teeth: int | None
    sha256: str
    group: str


@dataclass(frozen=True)
class Copies:
    """Radiographs that are copies of each other.

    Attributes:
        letter: name of the group in print: A to Z, AA, AB, …
        members: their places in the index, at least two.
        distance: the largest one found between two that are near, or None where none are.
        equal: all have equal pixels.
        together: the index holds them together, so that no split parts them.
    """

    letter: str
    members: list[int]
    distance: float | None
    equal: bool
    together: bool


def read_radiographs(index: Path) -> list[Radiograph]:
    """Read ``index.csv``.

    Raises:
        InputError: it is missing or damaged, or a cell holds something else than expected.
    """
    rows = enumerate(read_index(index, COLUMNS), start=1)
    return [_radiograph(index, number, row) for number, row in rows]


def read_problems(problems: Path) -> list[dict[str, str]]:
    """Read ``problems.csv``: id and reason a row, often none.

    Raises:
        InputError: it is missing or damaged, or lacks a column.
    """
    read_frame(problems, ("id", "reason"), nrows=0)  # a file without a row still has a header
    refuse_cut(problems)
    return read_csv(problems)


def read_pixels(images: Path, masks: Path, index: Path, count: int) -> tuple[np.ndarray, ...]:
    """Map images and masks of ``count`` radiographs into memory: uint8 (N, H, W) each.

    Raises:
        InputError: one is missing or damaged, or they do not belong together.
    """
    arrays = open_array(images), open_array(masks)
    for file, array in zip((images, masks), arrays, strict=True):
        if array.shape != (count, *arrays[0].shape[1:]):
            raise InputError(
                f"{file} holds {' x '.join(map(str, array.shape))} pixels (radiographs x height x "
                f"width), but {index} lists {count} radiographs and {images} is "
                f"{' x '.join(map(str, arrays[0].shape))}; they belong to different datasets. "
                "Remove both arrays, so that they are made again."
            )
    return arrays


def find_copies(radiographs: list[Radiograph], images: np.ndarray) -> list[Copies]:
    """Group the radiographs that are copies, in the order of the index.

    Args:
        radiographs: N of them.
        images: their prepared pixels, uint8 (N, H, W).
    """
    near = near_pairs(np.stack([perceptual_hash(pixels) for pixels in images]))
    first: dict[str, int] = {}
    pairs = [(n, first.setdefault(r.group, n)) for n, r in enumerate(radiographs)]
    one, other = np.array(pairs + [pair[:2] for pair in near]).T
    joined = coo_array((np.ones(len(one)), (one, other)), shape=(len(radiographs),) * 2)
    labels = connected_components(joined, directed=False)[1].tolist()
    farthest: dict[int, float] = {}
    for place, _, distance in near:
        farthest[labels[place]] = max(distance, farthest.get(labels[place], 0.0))
    members: dict[int, list[int]] = {}
    for place, label in enumerate(labels):
        members.setdefault(label, []).append(place)
    several = [(label, places) for label, places in members.items() if len(places) > 1]
    return [
        Copies(
            letter=letters(number),
            members=places,
            distance=farthest.get(label),
            equal=len({radiographs[place].sha256 for place in places}) == 1,
            together=len({radiographs[place].group for place in places}) == 1,
        )
        for number, (label, places) in enumerate(several)
    ]


def letters(number: int) -> str:
    """Return A, B, …, Z, AA, AB, … for 0, 1, …"""
    before, last = divmod(number, 26)
    return (letters(before - 1) if before else "") + chr(ord("A") + last)


def _radiograph(index: Path, number: int, row: dict[str, str]) -> Radiograph:
    labelled, teeth = row["labelled"], row["teeth"]
    known = labelled in ("0", "1") and bool(row["tooth_fraction"]) == (labelled == "1")
    known = known and 0 <= float(row["tooth_fraction"] or 0) <= 1
    if not known or not (teeth.isdecimal() or not teeth):
        raise InputError(
            f"{index} has labelled {labelled!r}, tooth_fraction {row['tooth_fraction']!r} and "
            f"teeth {teeth!r} in row {number}; 1 with a share and a number or nothing were "
            "expected, or 0 without a share. Remove it, so that it is made again."
        )
    return Radiograph(
        id=row["id"],
        height=int(row["height"]),
        width=int(row["width"]),
        tooth_fraction=float(row["tooth_fraction"]) if labelled == "1" else None,
        teeth=int(teeth) if teeth and labelled == "1" else None,
        sha256=row["sha256"],
        group=row["duplicate_group"],
    )
