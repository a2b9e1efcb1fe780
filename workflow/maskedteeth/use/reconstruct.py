"""`maskedteeth reconstruct RADIOGRAPH…`: show the pretext on a user's own radiographs."""

import math
from pathlib import Path
from typing import Any, Literal

from maskedteeth.use.each import do_each
from maskedteeth.use.radiographs import find_radiographs
from maskedteeth.use.trained import find_trained

SCORES = ("ssim", "fsim", "l1", "ssim_masked", "fsim_masked", "l1_masked")


def reconstruct(
    radiographs: list[Path],
    /,
    *,
    weights: Path,
    out: Path,
    run: Path | None = None,
    seed: int = 0,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    gpu_mem_mb: int = 2048,
) -> None:
    """Hide random blocks of radiographs and show what a finished pretext makes of them.

    Writes for each NAME.reconstruction.png (the radiograph, what is left of it behind the blocks,
    its Sobel edges, and what the network returned, all at the network's size), and
    reconstructions.csv: file, name, hidden (share of the pixels), ssim, fsim and l1 over all
    pixels, the same over the hidden ones alone (..._masked), and problem (why there is none).

    A radiograph that cannot be read is a line with the reason; the others go on, and the exit
    status is 2 at the end.

    Args:
        radiographs: JPEG, PNG, TIFF, BMP or DICOM files, folders of them, or patterns in quotes
            such as 'xrays/**/*.png'.
        weights: weights.safetensors of a pretext (results/STUDY/pretext/NAME); its run.json
            beside it says of what network.
        out: folder to write to; what has the same name there is replaced.
        run: the record of the pretext, where it is not beside the weights.
        seed: of the blocks, which are the same on every radiograph; by default 0.
        device: auto (by default: a card where there is one), cpu or cuda.
        gpu_mem_mb: MiB of a card's memory to reserve, where there is a card; by default 2048.

    Raises:
        InputError: radiographs or weights are not there or cannot be used.
    """
    files = find_radiographs(radiographs, out)
    find_trained(weights, "pretext", run)

    from maskedteeth.use.pictures import grid, write_png
    from maskedteeth.use.reconstructor import Reconstructor

    reconstructor = Reconstructor(weights, run=run, device=device, gpu_mem_mb=gpu_mem_mb)

    def work(file: Path, name: str) -> dict[str, Any]:
        shown = reconstructor(file, seed)
        hidden = float(shown.hidden.mean())
        panels = {
            "radiograph": shown.xray,
            f"masked ({hidden:.0%})": shown.masked,
            "Sobel": shown.sobel,
            "reconstruction": shown.generated,
        }
        write_png(out / f"{name}.reconstruction.png", grid(panels))
        digits = {
            n: "" if math.isnan(shown.scores[n]) else f"{shown.scores[n]:.6f}" for n in SCORES
        }
        return {"hidden": f"{hidden:.6f}"} | digits

    table = out / "reconstructions.csv"
    do_each(files, work, table, ("hidden", *SCORES))
    print(f"{len(files)} reconstructions in {out}; {table} lists them.")
