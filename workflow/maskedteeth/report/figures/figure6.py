"""Figure 6: what the pretext has learnt after some epochs."""

from pathlib import Path

import numpy as np

from maskedteeth.report.about import about_pretext
from maskedteeth.report.figures.panels import WIDE, Picture, Sheet, draw_grid
from maskedteeth.report.figures.runs import first_radiographs
from maskedteeth.settings.sections import Presentation


def figure6(report: Presentation, *, previews: Path) -> Sheet:
    """Draw each probe's input with its Sobel filter, reconstruction after epochs, and target."""
    stored = np.load(previews)
    caption = (
        "Figure 6: Sequential learning of our model on the Random Block Masking pretext task: "
        f"{first_radiographs(stored['ids'].tolist())} behind fixed blocks. {about_pretext(report)}"
    )
    sobel = {"Sobel": stored["sobel"]} if "sobel" in stored else {}
    columns = [stored["masked"], *sobel.values(), *stored["generated"], stored["xray"]]
    rows = [list(map(Picture, row)) for row in zip(*columns, strict=True)]
    titles = ["Input", *sobel, *(f"Epoch {epoch}" for epoch in stored["epochs"]), "Target"]
    return draw_grid(rows, titles, caption, width=WIDE)
