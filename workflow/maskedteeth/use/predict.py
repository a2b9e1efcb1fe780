"""`maskedteeth predict`: segment a user's own radiographs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from maskedteeth.data.records import printable
from maskedteeth.errors import InputError
from maskedteeth.files import replacing, write_csv
from maskedteeth.use.radiographs import find_radiographs

if TYPE_CHECKING:
    from maskedteeth.use.networks import Segmenter

COLUMNS = ("file", "name", "height", "width", "tooth_fraction", "confidence", "problem")

#: Okabe and Ito's orange (colour universal design): seen by the colour-blind, on black and white.
COLOUR = (230, 159, 0)
TINT = 0.25


def predict(
    radiographs: list[Path],
    /,
    *,
    weights: Path,
    out: Path,
    threshold: float = 0.5,
    device: Literal["auto", "cpu", "cuda"] = "auto",
) -> None:
    """Segment radiographs of any size with a finished training.

    Writes for each NAME.mask.png (255 = tooth, at the radiograph's own size) and NAME.overlay.png
    (the mask over the radiograph), and predictions.csv: file, name, height, width, tooth_fraction
    (share of the pixels that are tooth), confidence (mean over the pixels of the larger of p and
    1 - p, p being the probability of tooth) and problem (why there is no mask).

    A radiograph that cannot be read is a line with the reason; the others go on, and the exit
    status is 2 at the end.

    Args:
        radiographs: JPEG, PNG, TIFF, BMP or DICOM files, or folders of them.
        weights: weights.safetensors of a training, with its run.json beside it.
        out: folder to write to; what has the same name there is replaced.
        threshold: probability from which a pixel is tooth, as evaluation.threshold of a study.
        device: where the network runs; auto takes a card where there is one.

    Raises:
        InputError: radiographs or weights are not there or cannot be used.
    """
    files = find_radiographs(radiographs, out)

    from maskedteeth.use.networks import Segmenter

    segmenter = Segmenter(weights, device=device, threshold=threshold)

    table = out / "predictions.csv"
    rows: list[dict[str, Any]] = []
    try:
        for name, file in tqdm(files.items(), unit="radiograph", disable=None):
            row = {"file": printable(str(file)), "name": printable(name)}
            try:
                row |= _segment(segmenter, file, out / name)
            except InputError as error:
                row["problem"] = printable(str(error))
            rows.append(row)
    finally:  # whatever ends it: a full disk, Ctrl-C
        if rows:
            write_csv(table, rows, COLUMNS)
    failed = [row["problem"] for row in rows if "problem" in row]
    if failed:
        raise InputError(
            f"{len(failed)} of {len(files)} radiographs failed; {table} says why, and has the "
            f"results of the others. The first: {failed[0]}"
        )
    print(f"{len(files)} masks in {out} at threshold {threshold:g}; {table} lists them.")


def _segment(segmenter: "Segmenter", file: Path, out: Path) -> dict[str, Any]:
    """Write ``out``.mask.png and ``out``.overlay.png; return what the table says of them."""
    found = segmenter(file)
    write_png(Path(f"{out}.mask.png"), found.mask * 255)
    write_png(Path(f"{out}.overlay.png"), overlay(found.pixels, found.mask))
    return {
        "height": found.mask.shape[0],
        "width": found.mask.shape[1],
        "tooth_fraction": f"{found.tooth_fraction:.6f}",
        "confidence": f"{found.confidence:.6f}",
    }


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 (H, W) or RGB (H, W, 3), atomically."""
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")


def overlay(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Tint teeth and draw their outlines, a five-hundredth of the height wide.

    Args:
        pixels: uint8 (H, W).
        mask: uint8 (H, W), 1 = tooth.

    Returns:
        RGB, uint8 (H, W, 3); where no tooth or outline is, the radiograph.
    """
    picture = np.repeat(pixels[..., None], 3, axis=2)
    inside = mask.astype(bool)
    tinted = picture[inside] * (1 - TINT) + np.array(COLOUR) * TINT
    picture[inside] = np.rint(tinted).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    width = max(1, round(pixels.shape[0] / 500))
    return cv2.drawContours(picture, outlines, -1, COLOUR, width)
