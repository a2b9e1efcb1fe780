"""Draw phantom.png, the picture of the README, from the finished demo: both tasks at a glance.

From the project's folder, after the demo (make demo):

    python docs/images/phantom.py

It shows the first test radiograph, which nobody chose.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from PIL import Image

RESULTS = Path("results/demo")
PRETEXT = RESULTS / "pretext/random_block_masking"
RUN = RESULTS / "runs/random_block_masking/fraction-0.9/seed-42"


def main() -> None:
    """Draw it."""
    samples, predictions = np.load(PRETEXT / "samples.npz"), np.load(RUN / "predictions.npz")
    name = samples["ids"][0]
    row = pd.read_csv(RESULTS / "data/index.csv", dtype=str)["id"].tolist().index(name)
    annotated = np.load(RESULTS / "data/masks.npy")[row] > 0
    segmented = predictions["probability"][list(predictions["ids"]).index(name)] >= 128
    dice = 2 * (annotated & segmented).sum() / (annotated.sum() + segmented.sum())
    rows = {
        "1  Learn from radiographs alone: what is behind the blocks?": {
            "behind random blocks": samples["masked"][0],
            "with its Sobel edges": samples["sobel"][0],
            "reconstructed": samples["generated"][0],
        },
        "2  Go on with annotated radiographs: where are the teeth?": {
            "radiograph": samples["xray"][0],
            "teeth as annotated": 255 * annotated,
            f"teeth as segmented (Dice {dice:.2f})": 255 * segmented,
        },
    }
    figure = plt.figure(figsize=(9, 4.4), layout="constrained")
    for part, (title, panels) in zip(figure.subfigures(2, 1), rows.items(), strict=True):
        part.suptitle(title, x=0.01, ha="left", weight="bold")
        for axis, (words, pixels) in zip(part.subplots(1, 3), panels.items(), strict=True):
            axis.imshow(pixels, "gray", vmin=0, vmax=255)
            axis.set_title(words, size=10)
            axis.axis("off")
    figure.supxlabel("A digital phantom, drawn by a program: no evidence about the paper.", size=9)
    figure.canvas.draw()
    drawn = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("L")
    drawn.quantize(32).save(Path(__file__).with_suffix(".png"), optimize=True)


if __name__ == "__main__":
    main()
