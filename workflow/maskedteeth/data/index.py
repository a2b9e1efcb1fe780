"""Stage `index`: what there is, by content, and which radiographs are copies of one."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from maskedteeth.data.copies import near_pairs, perceptual_hash
from maskedteeth.data.pixels import decode_grey, read_file
from maskedteeth.data.records import Annotation, Problem, Record, printable
from maskedteeth.data.sources import SOURCES, find_records
from maskedteeth.data.teeth import UNIVERSAL, refuse_fdi
from maskedteeth.errors import InputError
from maskedteeth.files import write_csv, write_text
from maskedteeth.settings.sections import Layout

COLUMNS = (
    *("id", "file", "annotation", "file_sha256", "sha256", "annotation_sha256", "height", "width"),
    *("labelled", "tooth_fraction", "teeth", "duplicate_group"),
)

#: Pixels that a radiograph must have on each side; no network takes fewer.
FEWEST_PIXELS = 32

#: A radiograph with more teeth than this share of its pixels, or with tooth along more than half of
#: each border, has an inverted mask. Real ones have 7 to 26 %.
MOST_TOOTH = 0.6

#: Problems that an error names.
NAMED = 3


def index(
    layout: Layout,
    dataset: str,
    *,
    raw: Path,
    index: Path,
    problems: Path,
    state: Path,
    path: str | None = None,
) -> None:
    """List every radiograph with its digests, size, teeth and duplicate group.

    Args:
        layout: which source ``raw`` is, and the share of radiographs that may be unusable.
        dataset: names, sizes and times of the files of ``raw``, as one text.
        raw: folder of the dataset.
        index: CSV to write, a line a usable radiograph, columns :data:`COLUMNS`. ``file_sha256``
            and ``annotation_sha256`` are over the files, ``sha256`` over size and pixels.
            Radiographs of one ``duplicate_group`` are copies by their perceptual hash, or copies
            of copies. ``tooth_fraction`` is a share of the pixels.
        problems: CSV to write, a line a radiograph that was set aside, a file that belongs to none
            and a class of objects that are no teeth: id, reason.
        state: text to write: ``path`` and ``dataset``, a line each.
        path: the setting data.path.

    Raises:
        InputError: nothing usable was found, a larger share than data.most_problems is unusable, or
            the teeth are numbered as FDI does.
    """
    read_annotation = SOURCES[layout.source].read_annotation
    records, unusable = find_records(layout, raw)
    rows, hashes, classes = [], [], Counter()
    for record in records:
        try:
            content = read_file(record.image)
            pixels = decode_grey(content, record.image)
            _refuse_too_small(record.image, pixels)
            annotation = read_annotation(record, *pixels.shape)
            classes += annotation.classes
            _refuse_mostly_tooth(record, annotation.mask)
            rows.append(_describe(record, content, pixels, annotation, raw))
            hashes.append(perceptual_hash(pixels))
        except InputError as error:
            unusable.append(Problem(record.id, str(error)))
    refuse_fdi(classes, raw)
    set_aside = [problem for problem in unusable if problem.radiograph]
    _refuse_too_many(set_aside, len(rows) + len(set_aside), layout.most_problems, raw)
    for row, first in zip(rows, _first_of_group(np.stack(hashes)), strict=True):
        row["duplicate_group"] = rows[first]["id"]
    unknown = {name: count for name, count in classes.items() if name not in UNIVERSAL}
    left_out = [
        Problem(name, f"{count} objects of class {name!r} were left out: teeth are '1' to '32'.")
        for name, count in sorted(unknown.items())
    ]
    lines = [{"id": printable(p.id), "reason": printable(p.reason)} for p in unusable + left_out]
    write_csv(index, rows, COLUMNS)
    write_csv(problems, lines, ("id", "reason"))
    write_text(state, f"{path}\n{dataset}\n")

    labelled, strays = sum(row["labelled"] for row in rows), len(unusable) - len(set_aside)
    copies = len(rows) - len({row["duplicate_group"] for row in rows})
    print(
        f"{len(rows)} radiographs, {labelled} labelled, {copies} duplicates, {len(set_aside)} set "
        f"aside"
        + (f", {strays} other files passed over" if strays else "")
        + (f", {sum(unknown.values())} objects of other classes left out" if unknown else "")
        + (f"; the reasons are in {problems}" if lines else "")
    )


def _first_of_group(hashes: np.ndarray) -> list[int]:
    """Return for each hash (N, 2048) the first of those that near pairs join to it."""
    pairs = np.array([pair[:2] for pair in near_pairs(hashes)], int).reshape(-1, 2)
    joined = coo_array((np.ones(len(pairs)), tuple(pairs.T)), shape=(len(hashes),) * 2)
    _, first, group = np.unique(
        connected_components(joined, directed=False)[1], return_index=True, return_inverse=True
    )
    return first[group].tolist()


def _describe(
    record: Record, content: bytes, pixels: np.ndarray, annotation: Annotation, raw: Path
) -> dict:
    height, width = pixels.shape
    drawn = read_file(record.annotation) if record.annotation else b""
    return {
        "id": record.id,
        "file": record.image.relative_to(raw).as_posix(),
        "annotation": record.annotation.relative_to(raw).as_posix() if drawn else "",
        "file_sha256": hashlib.sha256(content).hexdigest(),
        "sha256": hashlib.sha256(f"{height}x{width}:".encode() + pixels.tobytes()).hexdigest(),
        "annotation_sha256": hashlib.sha256(drawn).hexdigest() if drawn else "",
        "height": height,
        "width": width,
        "labelled": int(annotation.labelled),
        "tooth_fraction": f"{annotation.mask.mean():.6f}" if annotation.labelled else "",
        "teeth": "" if annotation.teeth is None else annotation.teeth,
    }


def _refuse_too_small(image: Path, pixels: np.ndarray) -> None:
    if min(pixels.shape) < FEWEST_PIXELS:
        raise InputError(
            f"{image} is {pixels.shape[0]} x {pixels.shape[1]} pixels; a radiograph has at least "
            f"{FEWEST_PIXELS} on each side: export it larger or remove it."
        )


def _refuse_mostly_tooth(record: Record, mask: np.ndarray) -> None:
    borders = [border.mean() for border in (mask[0], mask[-1], mask[:, 0], mask[:, -1])]
    if mask.mean() > MOST_TOOTH or min(borders) > 0.5:
        raise InputError(
            f"{record.annotation} says that {mask.mean():.0%} of the radiograph is tooth"
            + (", along all of its borders, too" if min(borders) > 0.5 else "")
            + f"; at most {MOST_TOOTH:.0%} were expected. It is probably inverted: teeth must be "
            "255 and everything else 0."
        )


def _refuse_too_many(set_aside: list[Problem], count: int, most: float, raw: Path) -> None:
    if len(set_aside) > most * count or len(set_aside) == count:
        reasons = " ".join(printable(problem.reason) for problem in set_aside[:NAMED])
        raise InputError(
            f"{len(set_aside)} of {count} radiographs in {raw} are unusable, more than {most:.0%} "
            f"(data.most_problems). Mend or remove them, or raise it. The first: {reasons}"
        )
