"""Stage `prepare`: read every radiograph once: what there is, by content, and its pixels."""

import hashlib
import importlib
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage

from maskedteeth.data.copies import first_linked, near_pairs, perceptual_hash
from maskedteeth.data.dicom import decode_radiograph
from maskedteeth.data.given import (
    PARTS,
    parts_of_folders,
    parts_of_study,
    patients_of,
    read_split,
    refuse_unfair,
)
from maskedteeth.data.pixels import read_file
from maskedteeth.data.records import Found, Problem, Record, printable
from maskedteeth.data.sources import module_of_source
from maskedteeth.data.teeth import number_classes
from maskedteeth.errors import InputError
from maskedteeth.files import replacing, write_csv, write_text
from maskedteeth.settings.config import Image, Layout
from maskedteeth.settings.validation import naming

COLUMNS = (
    *("id", "file", "annotation", "sha256", "height", "width"),
    *("labelled", "tooth_fraction", "teeth", "duplicate_group", "patient", "group", "part"),
)

#: Radiographs read at once.
THREADS = 2

#: Pixels that a radiograph must have on each side; no network takes fewer.
FEWEST_PIXELS = 32

#: A longer one, to its other side, is a strip. Panoramic radiographs have 1.7 to 3.
MOST_TIMES_AS_LONG = 4

#: A radiograph with more teeth than this share of its pixels, or with tooth along more than half of
#: each border, has an inverted mask. Real ones have 7 to 26 %.
MOST_TOOTH = 0.6

#: Radiographs that a sentence names.
NAMED = 3


@dataclass(frozen=True)
class _Radiograph:
    """One that is used: its line of the index, its hash, and what the arrays hold of it."""

    row: dict
    hash: np.ndarray
    image: np.ndarray
    labels: np.ndarray
    left_out: Counter[tuple[str, str]]


def prepare(
    layout: Layout,
    image: Image,
    dataset: str,
    given: str | None,
    *,
    raw: Path,
    index: Path,
    problems: Path,
    state: Path,
    images: Path,
    labels: Path,
    path: str | None = None,
    setting: str = "data",
    most_problems: float = 0.1,
) -> None:
    """List every radiograph with its digest, size, teeth and duplicate group, and resize it.

    Args:
        layout: which source ``raw`` is, and how it is laid out.
        image: the size to write.
        dataset: names, sizes and times of the user's files, as one text.
        given: split.given: a CSV, `folders` or None.
        raw: folder of the dataset.
        index: CSV to write, a line a usable radiograph, columns :data:`COLUMNS`. ``sha256`` is
            over the radiograph's file, ``tooth_fraction`` a share of the pixels. Radiographs of
            one ``duplicate_group`` are copies by their perceptual hash, or copies of copies; in
            one ``group`` are these and the radiographs of a patient. ``part`` is of a given split.
        problems: CSV to write, a line a radiograph that was set aside, a file that belongs to none
            and a class of objects that were left out: id, reason.
        state: text to write: ``path`` and ``dataset``, a line each.
        images: NPY to write, uint8 (N, H, W), grey values in the order of ``index``.
        labels: NPY to write, uint8 (N, H, W): 0 background, 1 to 32 the tooth in Universal
            numbering, 99 a tooth of unknown number; all 0 for unlabelled radiographs.
        path: the setting data.path.
        setting: whose settings those of the dataset are; sentences name them.
        most_problems: share of the radiographs that may be unusable.

    Raises:
        InputError: nothing usable was found, a larger share than data.most_problems is unusable, it
            is not known which classes of objects are which teeth, or a given split does not fit.
    """
    source = importlib.import_module(module_of_source(layout.source))
    found = source.find_records(raw, layout)
    classes = {entry.name for record in found.records for entry in record.objects}
    numbers = number_classes(classes, layout, found.numbering, raw)

    def read(record: Record) -> _Radiograph | Problem:
        try:
            content = read_file(record.image)
            pixels = decode_radiograph(content, record.image)
            _refuse_shape(record.image, pixels)
            annotation = record.read(pixels.shape, numbers)
            tooth = annotation.labels > 0
            _refuse_mostly_tooth(record, tooth)
        except InputError as error:
            return Problem(record.id, str(error))
        drawn = record.annotation.relative_to(raw).as_posix() if record.annotation else ""
        row = {
            "id": printable(record.id),
            "file": printable(record.image.relative_to(raw).as_posix()),
            "annotation": printable(drawn),
            "sha256": hashlib.sha256(content).hexdigest(),
            "height": pixels.shape[0],
            "width": pixels.shape[1],
            "labelled": int(annotation.labelled),
            "tooth_fraction": f"{tooth.mean():.6f}" if annotation.labelled else "",
            "teeth": "" if annotation.teeth is None else annotation.teeth,
        }
        small = _resized(pixels, image), _resized_labels(annotation.labels, image)
        return _Radiograph(row, perceptual_hash(pixels), *small, annotation.left_out)

    cv2.setNumThreads(1)  # the threads below are the parallelism
    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(read, found.records))
    used = [result for result in results if isinstance(result, _Radiograph)]
    unusable = found.problems + [result for result in results if isinstance(result, Problem)]
    set_aside = [problem for problem in unusable if problem.radiograph]
    _refuse_too_many(set_aside, len(used) + len(set_aside), most_problems, raw)

    rows = [radiograph.row for radiograph in used]
    copied = near_pairs(np.stack([radiograph.hash for radiograph in used]))
    _say_who_trains(rows, found, layout, given)
    first_of: dict[str, int] = {}
    known = ((place, row["patient"]) for place, row in enumerate(rows) if row["patient"])
    related = [(first_of.setdefault(patient, place), place) for place, patient in known]
    for name, pairs in (("duplicate_group", copied), ("group", [*copied, *related])):
        for row, first in zip(rows, first_linked(len(rows), pairs), strict=True):
            row[name] = rows[first]["id"]
    if given:
        refuse_unfair(rows, given)
    left_out = sum((radiograph.left_out for radiograph in used), Counter())
    unusable += [
        Problem(name, f"{count} objects of class {name!r} were left out: {reason}.", False)
        for (name, reason), count in sorted(left_out.items())
    ]
    lines = [
        {"id": printable(p.id), "reason": printable(naming(setting, p.reason))} for p in unusable
    ]
    _write_array(images, [radiograph.image for radiograph in used])
    _write_array(labels, [radiograph.labels for radiograph in used])
    write_csv(index, rows, COLUMNS)
    write_csv(problems, lines, ("id", "reason"))
    write_text(state, f"{path}\n{dataset}\n")

    bare = [row["id"] for row in rows if not row["labelled"]]
    strays = sum(not problem.radiograph for problem in found.problems)
    copies = len(rows) - len({row["duplicate_group"] for row in rows})
    if given:
        parts = Counter(row["part"] for row in rows)
        print(", ".join(f"{parts[part]} {part}" for part in PARTS) + f" (split.given: {given})")
    print(
        f"{len(rows)} radiographs: {len(rows) - len(bare)} annotated"
        + (f", {len(bare)} not ({_first(bare)}), for pretexts alone" if bare else "")
        + f"; copies: {copies}, set aside: {len(set_aside)}"
        + (f", other files passed over: {strays}" if strays else "")
        + (f", objects left out: {left_out.total()}" if left_out else "")
        + (f"; the reasons are in {problems}" if lines else "")
    )


def _first(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _say_who_trains(rows: list[dict], found: Found, layout: Layout, given: str | None) -> None:
    """Add the part and the patient of each radiograph to its line of the index, where known."""
    names = [row["id"] for row in rows]
    patients = patients_of(names, layout.patient) if layout.patient else {}
    parts: dict[str, str] = {}
    if given == "folders":
        parts = parts_of_folders({row["id"]: bool(row["labelled"]) for row in rows})
    elif given and (study := Path(given).expanduser()).is_dir():
        parts = parts_of_study(study, rows)
    elif given:
        others = [entry.id for entry in (*found.records, *found.problems)]
        lines = read_split(Path(given).expanduser(), names, others)
        parts = {name: line["part"] for name, line in lines.items()}
        patients |= {name: line["patient"] for name, line in lines.items() if line.get("patient")}
    for row in rows:
        row |= {"part": parts.get(row["id"], ""), "patient": patients.get(row["id"], "")}


def _resized(pixels: np.ndarray, image: Image) -> np.ndarray:
    return cv2.resize(pixels, (image.width, image.height), interpolation=cv2.INTER_AREA)


def _resized_labels(labels: np.ndarray, image: Image) -> np.ndarray:
    """Shrink labels, uint8 (H, W): tooth is where teeth cover at least half of a pixel.

    Its number is that of the tooth that covers most of it; of two equal ones the lower.
    """
    tooth = _resized(np.where(labels > 0, np.uint8(255), 0), image) >= 128
    boxes = {n: box for n, box in enumerate(ndimage.find_objects(labels), start=1) if box}
    if len(boxes) < 2:
        return tooth * np.uint8(max(boxes, default=0))
    found, most = np.zeros(tooth.shape, np.uint8), np.zeros(tooth.shape, np.float32)
    shares = [_shares(*sides) for sides in zip(labels.shape, tooth.shape, strict=True)]
    for number, box in boxes.items():
        parts = [share[:, side] for share, side in zip(shares, box, strict=True)]
        ends = [np.flatnonzero(part.any(axis=1))[[0, -1]] for part in parts]
        place = tuple(slice(first, last + 1) for first, last in ends)
        down, across = (part[side] for part, side in zip(parts, place, strict=True))
        rows = cv2.gemm(down, (labels[box] == number).astype(np.float32), 1, None, 0)
        covered = cv2.gemm(rows, across, 1, None, 0, flags=cv2.GEMM_2_T)
        more = covered > most[place] + 1e-6  # rounding makes no winner
        found[place][more], most[place][more] = number, covered[more]
    return found * tooth


@lru_cache(8)
def _shares(pixels: int, fewer: int) -> np.ndarray:
    """Return the shares of a row's pixels in those of a resized row, float32 (fewer, pixels)."""
    one = np.eye(pixels, dtype=np.float32)
    return cv2.resize(one, (pixels, fewer), interpolation=cv2.INTER_AREA)


def _write_array(path: Path, pictures: list[np.ndarray]) -> None:
    """Write pictures, uint8 (H, W), as one NPY file.

    `np.save` would need a copy of all, and its error on a full disk does not say that it is full.
    """
    shape = (len(pictures), *pictures[0].shape)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.writelines(picture.data for picture in pictures)


def _refuse_shape(image: Path, pixels: np.ndarray) -> None:
    if min(pixels.shape) < FEWEST_PIXELS:
        raise InputError(
            f"{image} is {pixels.shape[0]} x {pixels.shape[1]} pixels; a radiograph has at least "
            f"{FEWEST_PIXELS} on each side: export it larger or remove it."
        )
    if max(pixels.shape) > MOST_TIMES_AS_LONG * min(pixels.shape):
        raise InputError(
            f"{image} is {pixels.shape[0]} x {pixels.shape[1]} pixels; a radiograph is at most "
            f"{MOST_TIMES_AS_LONG} times as long as it is wide: crop it to the jaws or remove it."
        )


def _refuse_mostly_tooth(record: Record, mask: np.ndarray) -> None:
    borders = min(border.mean() for border in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
    if mask.mean() > MOST_TOOTH or borders > 0.5:
        raise InputError(
            f"{record.annotation} says that {mask.mean():.0%} of the radiograph is tooth"
            + (", along all of its borders, too" if borders > 0.5 else "")
            + f"; at most {MOST_TOOTH:.0%} were expected. A mask is then probably inverted: "
            "everything but teeth must be 0."
        )


def _refuse_too_many(set_aside: list[Problem], count: int, most: float, raw: Path) -> None:
    if len(set_aside) > most * count or len(set_aside) == count:
        alike: dict[str, list[Problem]] = {}
        for problem in set_aside:
            words = re.sub("[0-9]+", "", problem.reason.replace(f"/{problem.id}", "/"))
            alike.setdefault(words, []).append(problem)
        reasons = " ".join(map(_said_once, [*alike.values()][:NAMED]))
        raise InputError(
            f"{len(set_aside)} of {count} radiographs in {raw} are unusable, more than {most:.0%} "
            f"(data.most_problems). Repair or remove them, or raise data.most_problems. The first: "
            f"{reasons}"
        )


def _said_once(problems: list[Problem]) -> str:
    others = [problem.id for problem in problems[1:]]
    return printable(problems[0].reason + (f" Likewise {_first(others)}." if others else ""))
