"""`maskedteeth predict RADIOGRAPH…`: segment a user's own radiographs."""

from pathlib import Path
from typing import Any, Literal

from maskedteeth.use.each import do_each
from maskedteeth.use.radiographs import find_radiographs
from maskedteeth.use.trained import find_trained

COLUMNS = ("height", "width", "tooth_fraction", "confidence")


def predict(
    radiographs: list[Path],
    /,
    *,
    weights: Path,
    out: Path,
    run: Path | None = None,
    threshold: float | None = None,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    gpu_mem_mb: int = 2048,
) -> None:
    """Segment radiographs of any size with a finished training.

    Writes for each NAME.mask.png (255 = tooth, at the radiograph's own size) and NAME.overlay.png
    (the mask over the radiograph), and predictions.csv: file, name, height, width, tooth_fraction
    (share of the pixels that are tooth), confidence (mean over the pixels of the larger of p and
    1 - p, p being the probability of tooth) and problem (why there is no mask).

    A radiograph that cannot be read is a line with the reason; the others go on, and the exit
    status is 2 at the end.

    Args:
        radiographs: JPEG, PNG, TIFF, BMP or DICOM files, folders of them, or patterns in quotes
            such as 'xrays/**/*.png'.
        weights: weights.safetensors of a training; its run.json beside it says of what network.
        out: folder to write to; what has the same name there is replaced.
        run: the record of the training, where it is not beside the weights.
        threshold: probability from which a pixel is tooth; by default the one that the training
            was evaluated with (evaluation.json beside the weights), or else 0.5.
        device: auto (by default: a card where there is one), cpu or cuda.
        gpu_mem_mb: MiB of a card's memory to reserve, where there is a card; by default 2048.

    Raises:
        InputError: radiographs or weights are not there or cannot be used.
    """
    files = find_radiographs(radiographs, out)
    trained = find_trained(weights, "training", run, threshold)

    from maskedteeth.use.pictures import overlay, write_png
    from maskedteeth.use.segmenter import Segmenter

    segmenter = Segmenter(
        weights, run=run, threshold=threshold, device=device, gpu_mem_mb=gpu_mem_mb
    )

    def work(file: Path, name: str) -> dict[str, Any]:
        found = segmenter(file)
        write_png(out / f"{name}.mask.png", found.mask * 255)
        write_png(out / f"{name}.overlay.png", overlay(found.pixels, found.mask))
        height, width = found.mask.shape
        return {
            "height": height,
            "width": width,
            "tooth_fraction": f"{found.tooth_fraction:.6f}",
            "confidence": f"{found.confidence:.6f}",
        }

    table = out / "predictions.csv"
    do_each(files, work, table, COLUMNS)
    print(f"{len(files)} masks in {out} at threshold {trained.threshold:g}; {table} lists them.")
