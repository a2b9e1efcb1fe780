"""COCO: JSON files of images, categories and annotations.

Radiographs lie anywhere below the dataset's folder. Several files, say of training and test, are
read together.

Outlines are filled as in all other formats, so that the same outlines are the same teeth. Of
outlines through whole pixels pycocotools leaves out the last row and column. It is not used for
runs (RLE) either: of runs that end too early, it leaves the other pixels as they were in memory.
"""

from collections import Counter, defaultdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from maskedteeth.data.folders import files_below
from maskedteeth.data.json_files import Coordinate, decoded, first_mistake, parsed
from maskedteeth.data.listing import Content, Listing
from maskedteeth.data.objects import Object, polygons, undrawn
from maskedteeth.data.pixels import MOST_BYTES, read_file
from maskedteeth.data.records import MOST_STRAY, Found
from maskedteeth.errors import InputError
from maskedteeth.settings.config import ClassName
from maskedteeth.settings.sections import Layout

EXPECTED = "a COCO annotation", "'images', 'categories' and 'annotations'"


Id = ClassName  # 7 and "7" are one


class _Image(BaseModel):
    id: Id
    file_name: str
    height: int | None = None
    width: int | None = None


class _Category(BaseModel):
    id: Id
    name: ClassName


class _Annotation(BaseModel):
    image_id: Id
    category_id: Id
    segmentation: Any = None


class _File(BaseModel):
    images: list[_Image]
    categories: list[_Category]
    annotations: list[_Annotation]


class _Runs(BaseModel):
    size: Annotated[list[int], Field(min_length=2, max_length=2)]
    counts: list[Annotated[int, Field(ge=0)]] | Annotated[str, Field(pattern="^[0-o]*$")]


OUTLINES = TypeAdapter(Annotated[list[list[Coordinate]], Field(min_length=1)])


def is_coco(file: Path) -> bool:
    """Tell whether a JSON file is COCO, whole or not, by the names at its beginning."""
    beginning = decoded(read_file(file)[: 2**16])
    return '"images"' in beginning or '"annotations"' in beginning


def find_records(root: Path, layout: Layout) -> Found:
    """List the radiographs below ``root``, each with its objects.

    Raises:
        InputError: there is no COCO file, or one that cannot be read or whose annotations are
            mostly of no image in it; or none lists an image.
    """
    listing, files = Listing(root), []
    for file in files_below(root, ".json"):
        if is_coco(file):
            files.append(file)
        else:
            listing.pass_over(file, "it is not a COCO annotation")
    if not files:
        raise InputError(
            f"{root} holds no COCO annotation, a JSON file with 'images' and 'annotations'; export "
            "the dataset as COCO and name its folder in data.path, or set data.source to 'auto'."
        )
    entries, empty = [], []
    for file in files:
        content = parsed(file, _File, *EXPECTED, MOST_BYTES)
        _refuse_twice(file, content)
        of_image = defaultdict(list)
        for annotation in content.annotations:
            of_image[annotation.image_id].append(annotation)
        names = {category.id: category.name for category in content.categories}
        for image in content.images:
            drawn = of_image.pop(image.id, [])
            entry = image.file_name, file, partial(_read, image, drawn, names, file)
            # Exports list radiographs that nobody annotated, which another file may have.
            (entries if drawn else empty).append(entry)
        if of_image:
            lost, count = sum(map(len, of_image.values())), len(content.annotations)
            if lost > MOST_STRAY * count:
                raise InputError(
                    f"{lost} of {count} annotations in {file} belong to no radiograph: "
                    f"{next(iter(of_image))}, for example, is the 'image_id' of some, but no image "
                    "in the file has it as its 'id'. Export it again, or remove it."
                )
            listing.pass_over(file, f"in part: {lost} annotations are of no image in it")
    if not entries and not empty:
        raise InputError(
            f"No image is listed in {' and '.join(map(str, files))}, as in an empty project; "
            "radiographs were expected in 'images'. Export the project again with its images, or "
            "remove the file."
        )
    for entry in entries:
        listing.add(*entry)
    for entry in empty:
        listing.add(*entry, unless_annotated=True)
    return listing.found()


def _refuse_twice(file: Path, content: _File) -> None:
    for kind, entries in (("images", content.images), ("categories", content.categories)):
        ids = Counter(entry.id for entry in entries)
        if twice := [name for name, count in ids.items() if count > 1]:
            raise InputError(
                f"{file} has several {kind} with the id {twice[0]}, so it is not clear which one "
                "its annotations belong to; export it again."
            )


def _read(image: _Image, drawn: list[_Annotation], names: dict[str, str], file: Path) -> Content:
    for annotation in drawn:
        if annotation.category_id not in names:
            raise InputError(
                f"{file} has, for {image.file_name}, an object of category "
                f"{annotation.category_id}, which is not one of its categories; add it or remove "
                "the object."
            )
    objects = tuple(_object(names[entry.category_id], entry.segmentation, file) for entry in drawn)
    known = image.height is not None and image.width is not None
    return objects, (image.height, image.width) if known else None


def _object(name: str, drawing: Any, file: Path) -> Object:
    def draw(size: tuple[int, int]) -> np.ndarray:
        try:
            if isinstance(drawing, dict):
                return _filled(_Runs.model_validate(drawing), size)
            rings = [np.reshape(ring, (-1, 2)) for ring in OUTLINES.validate_python(drawing)]
        except ValueError as error:
            why = first_mistake(error) if isinstance(error, ValidationError) else str(error)
            found = f"without a sound segmentation ({why}); outlines or runs (RLE) were expected"
            return undrawn(name, found, file).draw(size)
        return polygons(name, [[ring] for ring in rings], file).draw(size)

    if drawing in (None, []):
        return undrawn(name, "drawn as a box; outlines or runs (RLE) were expected", file)
    return Object(name, draw)


def _filled(runs: _Runs, size: tuple[int, int]) -> np.ndarray:
    """Draw runs of pixels, background and object in turn, down the columns."""
    counts = runs.counts if isinstance(runs.counts, list) else _uncompressed(runs.counts)
    if tuple(runs.size) != size or min(counts, default=0) < 0 or sum(counts) != size[0] * size[1]:
        raise ValueError(
            f"{sum(counts)} pixels of {runs.size}, in a radiograph of {size[0]} x {size[1]}"
        )
    values = np.arange(len(counts), dtype=np.uint8) % 2
    return np.ascontiguousarray(np.repeat(values, counts).reshape(size[::-1]).T)


def _uncompressed(text: str) -> list[int]:
    """Unpack runs: six bits a letter, and from the fourth on what it has more than that before."""
    counts, value, shift = [], 0, 0
    for letter in text:
        code = ord(letter) - 48
        value |= (code & 31) << shift
        shift += 5
        if shift > 40:
            raise ValueError("a run of more than 2^40 pixels")
        if not code & 32:
            value -= (code & 16) << (shift - 4)  # its highest bit is the sign
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    return counts
