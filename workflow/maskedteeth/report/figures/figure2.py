"""Figure 2: what the pretext hides, shows and adds."""

from pathlib import Path

import numpy as np

from maskedteeth.report.about import about_pretext
from maskedteeth.report.figures.panels import Picture, Sheet, draw_grid
from maskedteeth.report.figures.runs import first_radiographs
from maskedteeth.settings.sections import Presentation

TITLES = {"masked": "Masked X-ray", "input": "Input", "xray": "X-ray", "sobel": "Sobel filter"}
WORDS = {"masked": "masked X-ray image", "input": "input", "xray": "X-ray image"}


def figure2(report: Presentation, *, samples: Path) -> Sheet:
    """Draw a sample's masked X-ray, X-ray and, where the network sees it, Sobel filter."""
    stored = np.load(samples)
    titles = {key: title for key, title in TITLES.items() if key in stored}
    *others, last = (WORDS.get(key, titles[key]) for key in titles)
    caption = (
        f"Figure 2: Sample {', '.join(others)} and {last}: "
        f"{first_radiographs(stored['ids'][:1].tolist())}. {about_pretext(report)}"
    )
    return draw_grid([[Picture(stored[key][0]) for key in titles]], [*titles.values()], caption)
