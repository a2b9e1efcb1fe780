"""Figure 3: sample output of the pretext."""

from pathlib import Path

import numpy as np

from maskedteeth.report.about import about_pretext
from maskedteeth.report.figures.panels import Picture, Sheet, draw_grid
from maskedteeth.report.figures.runs import first_radiographs
from maskedteeth.settings.sections import Presentation

TITLES = {
    "xray": "Dental X-ray",
    "masked": "Masked X-ray",
    "input": "Input",
    "generated": "Generated X-ray",
}


def figure3(report: Presentation, *, samples: Path) -> Sheet:
    """Draw X-ray, masked X-ray and generated X-ray, a radiograph a row."""
    stored = np.load(samples)
    titles = {key: title for key, title in TITLES.items() if key in stored}
    ids = stored["ids"][: report.samples].tolist()
    caption = (
        f"Figure 3: Sample output images of the pretext task: {first_radiographs(ids)}. "
        f"{about_pretext(report)}"
    )
    rows = [[Picture(stored[key][n]) for key in titles] for n in range(len(ids))]
    return draw_grid(rows, [*titles.values()], caption)
