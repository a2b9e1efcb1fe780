"""Stage `index`: what there is, by content."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from maskedteeth.data import folder, hitl
from maskedteeth.data.copies import NEAR, near_pairs, perceptual_hash
from maskedteeth.data.pixels import decode_grey, read_file
from maskedteeth.data.records import Annotation, Problem, Record, Source, printable
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

#: A radiograph with more teeth than this share of its pixels, or with tooth along more than half of
#: each border, has an inverted mask. Real ones have 7 to 26 %.
MOST_TOOTH = 0.6

#: Numbers of teeth that only one of the two numberings has, Universal (1 to 32) or FDI (11 to 48).
ONLY_UNIVERSAL = frozenset(map(str, (*range(1, 11), 19, 20, 29, 30)))
ONLY_FDI = frozenset(map(str, (*range(33, 39), *range(41, 49))))

#: Different numbers of teeth that, all of them valid in FDI and none in Universal alone, are FDI.
FDI_IF = 8

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
    classes, unknown = Counter(), Counter()
    for record in source.records:
        try:
            content = read_file(record.image)
            pixels = decode_grey(content, record.image)
            _refuse_too_small(record.image, pixels)
            annotation = source.read_annotation(record, *pixels.shape)
            classes += annotation.classes
            unknown += annotation.unknown
            _refuse_mostly_tooth(record, annotation.mask)
            rows.append(_describe(record, content, pixels, annotation, raw))
            if near_too:
                hashes.append(perceptual_hash(pixels))
        except InputError as error:
            unusable.append(Problem(record.id, str(error)))
    set_aside = [problem for problem in unusable if problem.radiograph]
    _refuse_fdi(classes, raw)
    _refuse_too_many(set_aside, len(rows) + len(set_aside), settings.most_problems, raw)
    pairs = near_pairs(np.stack(hashes), GROUPED) if near_too else []
    groups: dict[int, str] = {}
    for row, group in zip(rows, _duplicates([row["sha256"] for row in rows], pairs), strict=True):
        row["duplicate_group"] = groups.setdefault(group, row["id"])
    write_csv(index, rows, COLUMNS)
    left_out = [
        Problem(name, f"{count} objects of class {name!r} were left out: teeth are '1' to '32'.")
        for name, count in sorted(unknown.items())
    ]
    lines = [{"id": printable(p.id), "reason": printable(p.reason)} for p in unusable + left_out]
    write_csv(problems, lines, ("id", "reason"))
    labelled, strays = sum(row["labelled"] for row in rows), len(unusable) - len(set_aside)
    print(
        f"{len(rows)} radiographs, {labelled} labelled, {len(rows) - len(groups)} duplicates, "
        f"{len(set_aside)} set aside"
        + (f", {strays} other files passed over" if strays else "")
        + (f", {unknown.total()} objects of other classes left out" if unknown else "")
        + (f"; the reasons are in {problems}" if lines else "")
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


def _refuse_too_small(image: Path, pixels: np.ndarray) -> None:
    height, width = pixels.shape
    if min(height, width) < FEWEST_PIXELS:
        raise InputError(
            f"{image} is {height} x {width} pixels; a radiograph has at least "
            f"{FEWEST_PIXELS} on each side: export it larger or remove it."
        )


def _refuse_mostly_tooth(record: Record, mask: np.ndarray) -> None:
    share = mask.mean()
    borders = [border.mean() for border in (mask[0], mask[-1], mask[:, 0], mask[:, -1])]
    if share > MOST_TOOTH or min(borders) > 0.5:
        raise InputError(
            f"{record.annotation} says that {share:.0%} of the radiograph is tooth"
            + (", along all of its borders, too" if min(borders) > 0.5 else "")
            + f"; at most {MOST_TOOTH:.0%} were expected. It is probably inverted: teeth must be "
            "255 and everything else 0."
        )


def _refuse_fdi(classes: Counter[str], raw: Path) -> None:
    """Refuse a dataset whose teeth are numbered as FDI does, which reads as other teeth or none."""
    fdi = sum(count for name, count in classes.items() if name in ONLY_FDI)
    universal = sum(count for name, count in classes.items() if name in ONLY_UNIVERSAL)
    numbers = sorted((name for name in classes if name in ONLY_FDI | hitl.TEETH), key=int)
    if fdi > universal or (not universal and len(numbers) >= FDI_IF):
        raise InputError(
            f"{raw} has teeth of the classes {', '.join(numbers)}, which are FDI numbers (11 to "
            "48); Universal numbers (1 to 32) were expected. Rename the classes to these."
        )


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
