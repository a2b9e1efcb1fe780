"""Stage `index`: what there is, by content."""

import hashlib
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from maskedteeth.data import folder, hitl
from maskedteeth.data.copies import NEAR, near_pairs, perceptual_hash
from maskedteeth.data.pixels import decode_grey, read_file
from maskedteeth.data.records import Problem, ReadAnnotation, Record, Source, printable
from maskedteeth.errors import InputError
from maskedteeth.files import write_csv
from maskedteeth.settings.jobs import IndexJob, Layout

COLUMNS = (
    "id",
    "file",
    "annotation",
    "file_sha256",
    "sha256",
    "annotation_sha256",
    "height",
    "width",
    "labelled",
    "tooth_fraction",
    "teeth",
    "duplicate_group",
)

#: Copies are grouped up to this distance: a little further than the stage `guard` looks, which sees
#: them resized.
GROUPED = NEAR + 0.02

#: Pixels that a radiograph must have on each side; no network takes fewer.
FEWEST_PIXELS = 32

#: Problems that an error names.
NAMED = 3


def index(settings: IndexJob, *, raw: Path, index: Path, problems: Path) -> None:
    """List every radiograph with its hash, size, teeth and duplicate group.

    Args:
        settings: which source ``raw`` is.
        raw: folder of the dataset.
        index: CSV to write, a line a usable radiograph, columns :data:`COLUMNS`. ``file_sha256``
            and ``annotation_sha256`` are over the files, ``sha256`` over size and pixels, so that
            losslessly re-encoded copies are found; radiographs of one ``duplicate_group`` have
            equal pixels or, where data.near_duplicates is `group`, are copies by their perceptual
            hash. ``tooth_fraction`` is a share of the pixels.
        problems: CSV to write, a line a radiograph that was set aside and a line a file that
            belongs to none: id, reason.

    Raises:
        InputError: nothing usable was found, or a larger share than data.most_problems is unusable.
    """
    source = open_source(settings, raw)
    near_too = settings.near_duplicates == "group"
    rows, hashes, unusable = [], [], list(source.problems)
    for record in source.records:
        try:
            content = read_file(record.image)
            pixels = decode_grey(content, record.image)
            rows.append(_describe(record, content, pixels, source.read_annotation, raw))
            if near_too:
                hashes.append(perceptual_hash(pixels))
        except InputError as error:
            unusable.append(Problem(record.id, str(error)))
    set_aside = [problem for problem in unusable if problem.radiograph]
    _refuse_too_many(set_aside, len(rows) + len(set_aside), settings.most_problems, raw)
    pairs = near_pairs(np.stack(hashes), GROUPED) if near_too else []
    groups: dict[int, str] = {}
    for row, group in zip(rows, _duplicates([row["sha256"] for row in rows], pairs), strict=True):
        row["duplicate_group"] = groups.setdefault(group, row["id"])
    write_csv(index, rows, COLUMNS)
    lines = [{"id": printable(p.id), "reason": printable(p.reason)} for p in unusable]
    write_csv(problems, lines, ("id", "reason"))
    labelled, strays = sum(row["labelled"] for row in rows), len(unusable) - len(set_aside)
    print(
        f"{len(rows)} radiographs, {labelled} labelled, {len(rows) - len(groups)} duplicates, "
        f"{len(set_aside)} set aside"
        + (f", {strays} other files passed over" if strays else "")
        + (f"; the reasons are in {problems}" if unusable else "")
    )


def open_source(settings: Layout, raw: Path) -> Source:
    """List the dataset at ``raw``.

    Raises:
        InputError: a folder is missing, cannot be read, or holds no radiograph.
    """
    if not raw.is_dir():
        raise InputError(f"data.path {raw} is not a folder; name the folder of the dataset.")
    try:
        if settings.source == "folder":
            found = folder.find_records(raw, settings.images, settings.masks)
            return Source(*found, folder.read_annotation)
        return Source(*hitl.find_records(raw), hitl.read_annotation)  # the phantom's layout too
    except OSError as error:
        raise InputError(
            f"{error.filename} cannot be listed ({error.strerror}); mend its permissions."
        ) from None


def _refuse_too_many(set_aside: list[Problem], count: int, most: float, raw: Path) -> None:
    if len(set_aside) > most * count or len(set_aside) == count:
        reasons = " ".join(printable(problem.reason) for problem in set_aside[:NAMED])
        raise InputError(
            f"{len(set_aside)} of {count} radiographs in {raw} are unusable, more than {most:.0%} "
            f"(data.most_problems). Mend or remove them, or raise it. The first: {reasons}"
        )


def _duplicates(digests: list[str], near: list[tuple[int, int, float]]) -> list[int]:
    """Number the groups of radiographs that equal digests or near pairs join, directly or not."""
    first = {digest: number for number, digest in reversed(list(enumerate(digests)))}
    pairs = [(number, first[digest]) for number, digest in enumerate(digests)]
    pairs += [(one, other) for one, other, _ in near]
    one, other = np.array(pairs).T
    joined = coo_array((np.ones(len(pairs)), (one, other)), shape=(len(digests),) * 2)
    return connected_components(joined, directed=False)[1].tolist()


def _describe(
    record: Record, content: bytes, pixels: np.ndarray, read_annotation: ReadAnnotation, raw: Path
) -> dict:
    height, width = pixels.shape
    if min(height, width) < FEWEST_PIXELS:
        raise InputError(
            f"{record.image} is {height} x {width} pixels; a radiograph has at least "
            f"{FEWEST_PIXELS} on each side: export it larger or remove it."
        )
    annotation = read_annotation(record, height, width)
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
