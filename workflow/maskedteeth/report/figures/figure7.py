"""Figure 7: qualitative analysis of Random Block Masking."""

from pathlib import Path

import numpy as np

from maskedteeth.report.about import about_pretext
from maskedteeth.report.figures.panels import Picture, Sheet, draw_grid
from maskedteeth.report.figures.runs import first_radiographs
from maskedteeth.settings.sections import Presentation

TITLES = {
    "masked": "Masked radiograph",
    "input": "Input",
    "xray": "Ground truth",
    "generated": "Generated radiograph",
}


def figure7(report: Presentation, *, samples: Path) -> Sheet:
    """Draw masked radiograph, ground truth and generated radiograph, a radiograph a row."""
    stored = np.load(samples)
    titles = {key: title for key, title in TITLES.items() if key in stored}
    ids = stored["ids"][: report.samples].tolist()
    caption = (
        "Figure 7: Qualitative analysis of Random Block Masking on "
        f"{first_radiographs(ids)}. {about_pretext(report)}"
    )
    rows = [[Picture(stored[key][n]) for key in titles] for n in range(len(ids))]
    return draw_grid(rows, [*titles.values()], caption)
