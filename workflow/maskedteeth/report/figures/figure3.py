"""Figure 3: sample output of the pretext."""

from pathlib import Path

import numpy as np

from maskedteeth.report.about import about_pretext
from maskedteeth.report.figures.panels import Picture, Sheet, draw_grid
from maskedteeth.report.figures.runs import first_radiographs
from maskedteeth.settings.sections import Presentation

TITLES = {"xray": "Dental X-ray", "masked": "Masked X-ray", "generated": "Generated X-ray"}


def figure3(report: Presentation, *, samples: Path) -> Sheet:
    """Draw X-ray, masked X-ray and generated X-ray, two radiographs a row."""
    stored = np.load(samples)
    ids = stored["ids"][: report.samples].tolist()
    caption = (
        f"Figure 3: Sample output images of the pretext task: {first_radiographs(ids)}, row by "
        f"row. {about_pretext(report)}"
    )
    groups = min(2, len(ids))
    pictures = [Picture(stored[key][n]) for n in range(len(ids)) for key in TITLES]
    pictures += [None] * (len(TITLES) * (len(ids) % groups))
    wide = groups * len(TITLES)
    rows = [pictures[n : n + wide] for n in range(0, len(pictures), wide)]
    return draw_grid(rows, [*TITLES.values()] * groups, caption, groups=groups)
