"""Draw phantom.png, the picture of the README, from the finished demo: both tasks at a glance.

From the project's folder, after the demo (make demo):

    python docs/images/phantom.py

It shows the first test radiograph, which nobody chose.
"""

import textwrap
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.files import replacing
from maskedteeth.report.figures.panels import CAPTION, SIZE, WIDTH, Picture, mask_picture
from maskedteeth.report.figures.runs import read_runs

RESULTS = Path("results/demo")
PRETEXT = RESULTS / "pretext/random_block_masking"
EVALUATION = RESULTS / "evaluation/random_block_masking"
#: The run that is shown.
FRACTION, SEED = 0.9, 42
#: Probability from which a pixel is tooth: the demo's.
THRESHOLD = 0.5


def main() -> None:
    """Draw it."""
    samples = np.load(PRETEXT / "samples.npz")
    runs = read_runs([EVALUATION / "metrics.csv"], [EVALUATION / "predictions.npz"])
    run = next(run for run in runs if (run.fraction, run.seed) == (FRACTION, SEED))
    name = samples["ids"][0]
    index = read_index(RESULTS / "data/index.csv")
    truth = pixels_of(RESULTS / "data/labels.npy", index, [name])[0]
    dice = f"Dice {run.dice[name]:.2f}"
    rows = {
        "1  Learn from radiographs alone: what is behind the blocks?": {
            "behind random blocks": Picture(samples["masked"][0]),
            "with its Sobel edges": Picture(samples["sobel"][0]),
            "reconstructed": Picture(samples["generated"][0]),
        },
        "2  Go on with annotated radiographs: where are the teeth?": {
            "radiograph": Picture(samples["xray"][0]),
            "teeth as annotated": mask_picture(truth),
            "teeth as segmented": run.segmentation(name, THRESHOLD, dice),
        },
    }
    caption = (
        "A digital phantom, drawn by a program: what the demo makes of the first test radiograph, "
        "on which nothing was trained. It is no evidence about the paper."
    )
    figure = Figure((WIDTH, 2.75), layout="constrained")
    for part, (title, row) in zip(figure.subfigures(2, 1), rows.items(), strict=True):
        part.suptitle(title, x=0, ha="left", size=SIZE + 1, weight="bold")
        for axes, (words, picture) in zip(part.subplots(1, 3), row.items(), strict=True):
            axes.set_axis_off()
            axes.set_title(words)
            picture.show(axes)
    figure.text(0, 0, textwrap.fill(caption, 110), **CAPTION)
    with replacing(Path(__file__).with_suffix(".png")) as temporary:
        figure.savefig(temporary, bbox_inches="tight", pad_inches=0.02)
        Image.open(temporary).convert("L").save(temporary, optimize=True)


if __name__ == "__main__":
    main()
