"""`maskedteeth predict`: segment a user's own radiographs."""

from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from cyclopts import Parameter
from cyclopts.types import NonNegativeInt
from PIL import Image
from tqdm import tqdm

from maskedteeth.data.records import printable
from maskedteeth.data.teeth import TEETH, UNNUMBERED, in_print
from maskedteeth.errors import InputError, say
from maskedteeth.files import replacing, write_csv
from maskedteeth.use.radiographs import find_radiographs

COLUMNS = ("file", "name", "height", "width", "tooth_fraction", "confidence", "warning", "problem")
#: Of Okabe and Ito (colour universal design), seen by the colour-blind, on black and white. Labels
#: take them in turn, so that neighbours differ; teeth of unknown number are orange.
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115))
TINT = 0.25

_SEVERAL = Parameter(consume_multiple=True, negative=())


def predict(
    radiographs: list[Path],
    /,
    *,
    weights: Annotated[list[Path], _SEVERAL],
    out: Path,
    format: Annotated[tuple[Literal["png", "labelme", "yolo", "coco"], ...], _SEVERAL] = ("png",),
    flip: Annotated[bool, Parameter(negative=())] = False,
    numbers: Literal["universal", "fdi"] = "universal",
    threshold: float = 0.5,
    smallest: NonNegativeInt = 0,
    device: Literal["auto", "cpu", "cuda"] = "auto",
) -> None:
    """Segment radiographs of any size with finished trainings.

    Writes predictions.csv, the least confident first: file, name, height, width, tooth_fraction
    (share of the pixels that are tooth), confidence (Dice that the mask would have if the
    probabilities were the truth), warning (how the radiograph differs from those that the network
    was trained on) and problem (why there is no mask).

    A radiograph that cannot be read, or whose proportions are far from those in training, gets a
    line with the reason; the others are still segmented, and the exit status is 2.

    Args:
        radiographs: JPEG, PNG, TIFF, BMP or DICOM files, or folders of them; name them before the
            options.
        weights: weights.safetensors of a training, with its run.json beside it; if there are
            several, their probabilities are averaged.
        out: folder to write to; files of the same name there are replaced.
        format: one or more of png (NAME.mask.png, 255 = tooth, at the radiograph's own size,
            NAME.overlay.png, the mask over the radiograph, and of networks that number teeth
            NAME.numbers.png, whose grey values are the numbers), and for annotation tools, as
            polygons: labelme (NAME.json), yolo (labels/train/NAME.txt, train.txt and data.yaml) and
            coco (annotations.coco.json).
        flip: also average with the mirrored radiograph, which takes twice as long.
        numbers: how teeth are numbered in the files, if the networks number them.
        threshold: least probability of a tooth pixel, as evaluation.threshold of a study.
        smallest: connected regions of one label with fewer pixels are left out of masks and
            polygons; 0 leaves out none.
        device: where the networks run; auto uses a GPU if there is one.

    Raises:
        InputError: radiographs or weights are not there or cannot be used.
    """
    files = find_radiographs(radiographs, out)

    from maskedteeth.use.annotations import WRITERS, Segmented, regions_of
    from maskedteeth.use.networks import Segmenter

    how = {"device": device, "threshold": threshold, "flip": flip, "smallest": smallest}
    segmenter = Segmenter(weights, **how)
    if any(network.look.source == "phantom" for network in segmenter.networks):
        say(
            "These weights were trained on drawn radiographs (data.source: phantom): what they "
            "predict on real ones means nothing."
        )
    numbered = segmenter.task == "numbering"
    names = {label: in_print(label, numbers) for label in (TEETH if numbered else [UNNUMBERED])}
    writers = [WRITERS[name] for name in format if name in WRITERS]
    rows: list[dict[str, Any]] = []
    segmented: list[Segmented] = []

    def segment(name: str, file: Path) -> dict[str, Any]:
        found = segmenter(file)
        size = found.mask.shape
        if "png" in format:
            write_png(out / f"{name}.mask.png", found.mask * 255)
            write_png(out / f"{name}.overlay.png", overlay(found.pixels, found.labels))
            if numbered:
                grey = np.array([0, *map(int, names.values())], np.uint8)
                write_png(out / f"{name}.numbers.png", grey[found.labels])
        if writers:
            segmented.append(Segmented(name, file, size, regions_of(found.labels)))
        return {
            "height": size[0],
            "width": size[1],
            "tooth_fraction": f"{found.tooth_fraction:.6f}",
            "confidence": f"{found.confidence:.6f}",
            "warning": found.warning,
        }

    table = out / "predictions.csv"
    try:
        for name, file in tqdm(files.items(), unit="radiograph", disable=None):
            row = {"file": printable(str(file)), "name": printable(name)}
            try:
                row |= segment(name, file)
            except InputError as error:
                row["problem"] = printable(str(error))
            rows.append(row)
    finally:  # whatever ends it: a full disk, Ctrl-C
        if rows:
            rows.sort(key=lambda row: row.get("confidence", "without a mask"))
            write_csv(table, rows, COLUMNS)
            for write in writers:
                write(segmented, names, out)
    unlike = sum(bool(row.get("warning")) for row in rows)
    if unlike:
        say(
            f"{unlike} of {len(files)} radiographs are unlike those that the network was trained "
            f"on; see `warning` in {table}."
        )
    failed = [row["problem"] for row in rows if "problem" in row]
    if failed:
        raise InputError(
            f"{len(failed)} of {len(files)} radiographs failed; {table} says why, and has the "
            f"results of the others. The first: {failed[0]}"
        )
    print(f"{len(files)} masks in {out} at threshold {threshold:g}; {table} lists them.")


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 (H, W) or RGB (H, W, 3), atomically."""
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")


def overlay(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Tint teeth and draw their outlines, a five-hundredth of the height wide.

    Args:
        pixels: uint8 (H, W).
        labels: uint8 (H, W), 0 = background.

    Returns:
        RGB, uint8 (H, W, 3); where no tooth or outline is, the radiograph.
    """
    picture = np.repeat(pixels[..., None], 3, axis=2)
    width = max(1, round(pixels.shape[0] / 500))
    for label in np.unique(labels[labels > 0]):
        colour, inside = COLOURS[label % len(COLOURS)], labels == label
        tinted = picture[inside] * (1 - TINT) + np.array(colour) * TINT
        picture[inside] = np.rint(tinted).astype(np.uint8)
        mask = inside.astype(np.uint8)
        outlines, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, colour, width)
    return picture
