"""Stage `index`: what there is, by content."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from maskedteeth.data import folder, hitl
from maskedteeth.data.copies import NEAR, near_pairs, perceptual_hash
from maskedteeth.data.records import Annotation, Record, read_grey
from maskedteeth.errors import InputError
from maskedteeth.files import write_csv
from maskedteeth.jobs import IndexJob

COLUMNS = (
    "id",
    "file",
    "annotation",
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

#: Beyond this share of unusable radiographs a dataset is taken for a mistake, not for untidy.
MOST_PROBLEMS = 0.1

ReadAnnotation = Callable[[Record, int, int], Annotation]


def index(settings: IndexJob, *, raw: Path, index: Path, problems: Path) -> None:
    """List every radiograph with its hash, size, teeth and duplicate group.

    Args:
        settings: which source ``raw`` is.
        raw: folder of the dataset.
        index: CSV to write, a line a usable radiograph, columns :data:`COLUMNS`. ``sha256`` is
            over size and pixels, so that losslessly re-encoded copies are found; radiographs of
            one ``duplicate_group`` have equal pixels or, where data.near_duplicates is `group`,
            are copies by their perceptual hash. ``tooth_fraction`` is a share of the pixels.
        problems: CSV to write, a line a radiograph that was set aside: id, reason.

    Raises:
        InputError: nothing usable was found, or more than a tenth is unusable.
    """
    records, read_annotation = open_source(settings, raw)
    near_too = settings.near_duplicates == "group"
    rows, hashes, unusable = [], [], []
    for record in records:
        try:
            pixels = read_grey(record.image)
            rows.append(_describe(record, pixels, read_annotation, raw))
            if near_too:
                hashes.append(perceptual_hash(pixels))
        except InputError as error:
            unusable.append({"id": record.id, "reason": str(error)})
    if len(unusable) > MOST_PROBLEMS * len(records):
        raise InputError(
            f"{len(unusable)} of {len(records)} radiographs in {raw} are unusable, more than "
            f"{MOST_PROBLEMS:.0%}. The first: {unusable[0]['reason']}"
        )
    pairs = near_pairs(np.stack(hashes), GROUPED) if near_too else []
    groups: dict[int, str] = {}
    for row, group in zip(rows, _duplicates([row["sha256"] for row in rows], pairs), strict=True):
        row["duplicate_group"] = groups.setdefault(group, row["id"])
    write_csv(index, rows, COLUMNS)
    write_csv(problems, unusable, ("id", "reason"))
    labelled = sum(row["labelled"] for row in rows)
    print(
        f"{len(rows)} radiographs, {labelled} labelled, {len(rows) - len(groups)} duplicates, "
        f"{len(unusable)} set aside"
    )


def open_source(settings: IndexJob, raw: Path) -> tuple[list[Record], ReadAnnotation]:
    """Return the records at ``raw`` and the function that reads their annotations."""
    if not raw.is_dir():
        raise InputError(f"data.path {raw} is not a folder; name the folder of the dataset.")
    if settings.source == "folder":
        return folder.find_records(raw, settings.images, settings.masks), folder.read_annotation
    return hitl.find_records(raw), hitl.read_annotation  # the phantom has the same layout


def _duplicates(digests: list[str], near: list[tuple[int, int, float]]) -> list[int]:
    """Number the groups of radiographs that equal digests or near pairs join, directly or not."""
    group = {digest: number for number, digest in enumerate(dict.fromkeys(digests))}
    of = [group[digest] for digest in digests]
    for one, other, _ in near:
        kept, gone = of[one], of[other]
        of = [kept if number == gone else number for number in of]
    return of


def _describe(
    record: Record, pixels: np.ndarray, read_annotation: ReadAnnotation, raw: Path
) -> dict:
    height, width = pixels.shape
    annotation = read_annotation(record, height, width)
    content = record.annotation.read_bytes() if record.annotation else b""
    return {
        "id": record.id,
        "file": record.image.relative_to(raw).as_posix(),
        "annotation": record.annotation.relative_to(raw).as_posix() if content else "",
        "sha256": hashlib.sha256(f"{height}x{width}:".encode() + pixels.tobytes()).hexdigest(),
        "annotation_sha256": hashlib.sha256(content).hexdigest() if content else "",
        "height": height,
        "width": width,
        "labelled": int(annotation.labelled),
        "tooth_fraction": f"{annotation.mask.mean():.6f}" if annotation.labelled else "",
        "teeth": "" if annotation.teeth is None else annotation.teeth,
    }
