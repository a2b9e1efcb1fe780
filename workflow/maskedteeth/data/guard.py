"""Stage `guard`: before anything trains, no test radiograph may be seen in training.

It looks at the very pixels that are trained on. Two radiographs count as one when their pixels are
equal or when they are near by the perceptual hash of :mod:`maskedteeth.data.copies`, which also
says what that hash misses.

Under `fixed-test` every test radiograph is compared with every other one of the dataset: that is
the pool of all fractions and seeds, and the pretext's data. Under `complement` each subset has a
test set of its own, so copies that no duplicate group holds together are refused wherever they
are; that the pretext has seen the test radiographs belongs to that protocol, and every table and
figure says so.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from maskedteeth.data.arrays import open_array, read_index
from maskedteeth.data.copies import NEAR, all_distances, perceptual_hash
from maskedteeth.data.splits import draw_pretext_split
from maskedteeth.errors import InputError
from maskedteeth.files import write_json
from maskedteeth.fingerprint import fingerprint
from maskedteeth.settings.jobs import GuardJob

#: Columns of ``index.csv`` that are read here.
COLUMNS = ("id", "file", "labelled", "duplicate_group")
#: Pairs that an error names.
NAMED = 5


def guard(settings: GuardJob, *, index: Path, images: Path, guard: Path) -> None:
    """Make sure that no radiograph found to be a copy can be on both sides of a split, or stop.

    Found are equal pixels and other contrast, size or compression; not crops by 2 % and more, nor
    other radiographs of the same patient. The result depends on the dataset and the test set alone,
    so that a further fraction, seed or method leaves it as it is. Each training then holds its own
    split against it, see :func:`maskedteeth.data.leaks.refuse_leak`.

    Args:
        settings: protocol and test set.
        index: ``index.csv``; only the order, the names, the labels and the test set come from it.
        images: ``images.npy``.
        guard: JSON to write: ``protocol``, ``radiographs`` (their number), ``test`` (ids, none
            under `complement`), ``compared`` (number of pairs that a split can part), ``nearest``
            (the two closest of these: ids, files, distance), ``threshold`` (greatest distance of
            copies) and ``copies`` (all pairs that are: two ids and their distance).

    Raises:
        InputError: a radiograph and its copy can stand on both sides; the sentence names the files.
    """
    rows, pixels = read_index(index, COLUMNS), open_array(images)
    if len(rows) != len(pixels):
        raise InputError(
            f"{images} has {len(pixels)} radiographs and {index} {len(rows)}; they belong to "
            "different datasets. Run prepare again."
        )
    fixed = settings.protocol == "fixed-test"
    test = draw_pretext_split(rows, settings)["test"] if fixed else []
    digests = [hashlib.sha256(image.tobytes()).hexdigest() for image in pixels]
    content = np.unique(digests, return_inverse=True)[1]  # numbers, which compare faster
    hashes = np.stack([perceptual_hash(image) for image in pixels])

    can_be_parted = _parting(rows, test)
    compared, nearest, copies, leaks = 0, (np.inf, 0, 0), [], []
    for start, distance in all_distances(hashes):
        block = slice(start, start + len(distance))
        same = (content[block, None] == content) & np.isfinite(distance)
        distance[same] = 0
        parted = can_be_parted(block) & np.isfinite(distance)
        compared += int(parted.sum())
        if parted.any():
            among = np.where(parted, distance, np.inf)
            row, column = np.unravel_index(among.argmin(), among.shape)
            nearest = min(nearest, (float(among[row, column]), start + int(row), int(column)))
        for row, column in np.argwhere(distance <= NEAR):
            pair = (float(distance[row, column]), start + int(row), int(column))
            copies.append(pair)
            if parted[row, column]:
                leaks.append(pair)
    if leaks:
        raise InputError(_complaint(sorted(leaks), rows, test))
    write_json(
        guard,
        {
            "code": fingerprint(__name__),
            "protocol": settings.protocol,
            "radiographs": len(rows),
            "test": test,
            "compared": compared,
            "nearest": _described(nearest, rows) if compared else None,
            "threshold": NEAR,
            "copies": [[rows[i]["id"], rows[j]["id"], round(d, 6)] for d, i, j in copies],
        },
    )
    if compared:
        print(
            f"{compared} pairs of radiographs that a split can part: none are copies; the closest, "
            f"{rows[nearest[1]]['file']} and {rows[nearest[2]]['file']}, are {nearest[0]:.3f} apart"
            f" (copies: up to {NEAR:g})."
        )


def _parting(rows: list[dict[str, str]], test: list[str]) -> Callable[[slice], np.ndarray]:
    """Return what tells which pairs (rows of a block, all rows) can stand on both sides: (M, N)."""
    if test:
        tests = np.isin([row["id"] for row in rows], test)
        return lambda block: tests[block, None] != tests
    labelled = np.array([row["labelled"] == "1" for row in rows])
    groups = np.unique([row["duplicate_group"] for row in rows], return_inverse=True)[1]
    return lambda block: labelled[block, None] & labelled & (groups[block, None] != groups)


def _described(pair: tuple[float, int, int], rows: list[dict[str, str]]) -> dict:
    distance, *places = pair
    return {
        "ids": [rows[place]["id"] for place in places],
        "files": [rows[place]["file"] for place in places],
        "distance": round(distance, 6),
    }


def _complaint(leaks: list[tuple[float, int, int]], rows: list[dict[str, str]], test) -> str:
    """Say which files are copies of each other, the test radiograph first."""
    named = []
    for distance, *places in leaks[:NAMED]:
        first, second = sorted(places, key=lambda place: rows[place]["id"] not in test)
        likeness = "equal pixels" if distance == 0 else f"distance {distance:.3f}"
        sides = " (test)", " (training or pretext)"
        one, other = sides if test else ("", "")
        named.append(f"{rows[first]['file']}{one} and {rows[second]['file']}{other}: {likeness}")
    more = f"; and {len(leaks) - NAMED} further pairs" if len(leaks) > NAMED else ""
    return (
        "The same radiograph would be trained on and tested on, under two names. "
        f"{'; '.join(named)}{more}. Copies are at most {NEAR:g} apart, different radiographs "
        "further. Look at both: remove one of them from the dataset, or set data.near_duplicates "
        "to 'group', which keeps nearly all such radiographs on one side of every split."
    )
