"""Draw phantom.png, the picture of the README, from the finished demo: both tasks at a glance.

From the project's folder, after the demo (make demo):

    python docs/images/phantom.py

It shows the first test radiograph, which nobody chose.
"""

from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from maskedteeth.data.arrays import read_rows
from maskedteeth.files import replacing
from maskedteeth.report.figures.panels import (
    DPI,
    GAP,
    SIZE,
    STYLE,
    WIDTH,
    Picture,
    Sheet,
    mask_picture,
)
from maskedteeth.report.figures.runs import read_pictures, read_run
from maskedteeth.settings.config import Settings
from maskedteeth.settings.jobs import ReportJob

RESULTS = Path("results/demo")
RUN = RESULTS / "runs/random_block_masking/fraction-0.9/seed-42"
PICTURE = Path(__file__).with_suffix(".png")
#: Height of a row's titles, and of the lower one.
TITLES, LOW = 0.36, 0.18


def main() -> None:
    """Draw it."""
    config = load_configfile("config/paper.yaml")
    update_config(config, load_configfile("config/demo.yaml"))
    settings = ReportJob.of(Settings(**config))
    names = ("xray", "masked", "sobel", "generated")
    ids, samples = read_pictures(RESULTS / "pretext/random_block_masking/samples.npz", names)
    run = read_run(RUN / "metrics.csv", RUN / "predictions.npz", settings)
    name = ids[0]
    truth = read_rows(RESULTS / "data/masks.npy", RESULTS / "data/index.csv", [name])[0]
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
            "teeth as segmented": run.segmentation(name, settings.threshold, dice),
        },
    }
    caption = (
        "A digital phantom, drawn by a program: what the demo makes of the first test radiograph, "
        "on which nothing was trained. It is no evidence about the paper."
    )
    side = (WIDTH - 2 * GAP) / 3
    step = side / 2 + TITLES
    with matplotlib.rc_context(STYLE):
        page = Sheet(WIDTH, 2 * step, caption)
        for number, (title, row) in enumerate(rows.items()):
            top = (number + 1) * step - side / 2
            page.axes.text(0, top - LOW, title, size=SIZE + 1, weight="bold", va="bottom")
            for column, (words, picture) in enumerate(row.items()):
                left = column * (side + GAP)
                page.axes.text(left + side / 2, top - 0.03, words, ha="center", va="bottom")
                page.show(picture, left, top, side)
        page.figure.canvas.draw()
        pixels = Image.fromarray(np.asarray(page.figure.canvas.buffer_rgba())).convert("L")
        with replacing(PICTURE) as temporary:
            pixels.save(temporary, dpi=(DPI, DPI), optimize=True)


if __name__ == "__main__":
    main()
