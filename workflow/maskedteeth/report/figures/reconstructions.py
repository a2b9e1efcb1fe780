"""Figures 2, 3, 6 and 7: what the pretext hides, and how well it draws it again."""

from pathlib import Path

import numpy as np

from maskedteeth.report.about import about, first_radiographs
from maskedteeth.report.figures.panels import WIDE, Picture, Sheet, draw_grid
from maskedteeth.settings.sections import Presentation


def figure2(report: Presentation, *, samples: Path) -> Sheet:
    """Draw a sample's masked X-ray, X-ray and, where the network sees it, Sobel filter."""
    titles = {"masked": "Masked X-ray", "input": "Input", "xray": "X-ray", "sobel": "Sobel filter"}
    return _draw(report, "Figure 2: Sample of the pretext task ({columns}):", titles, samples, 1)


def figure3(report: Presentation, *, samples: Path) -> Sheet:
    """Draw X-ray, masked X-ray and generated X-ray, a radiograph a row."""
    titles = {
        "xray": "Dental X-ray",
        "masked": "Masked X-ray",
        "input": "Input",
        "generated": "Generated X-ray",
    }
    words = "Figure 3: Sample output images of the pretext task:"
    return _draw(report, words, titles, samples, report.samples)


def figure7(report: Presentation, *, samples: Path) -> Sheet:
    """Draw masked radiograph, ground truth and generated radiograph, a radiograph a row."""
    titles = {
        "masked": "Masked radiograph",
        "input": "Input",
        "xray": "Ground truth",
        "generated": "Generated radiograph",
    }
    words = "Figure 7: Qualitative analysis of the pretext task on"
    return _draw(report, words, titles, samples, report.samples)


def _draw(
    report: Presentation, words: str, titles: dict[str, str], samples: Path, count: int
) -> Sheet:
    """Draw so many samples; ``titles`` are of the columns that there may be, by what they show."""
    stored = np.load(samples)
    titles = {key: title for key, title in titles.items() if key in stored}
    ids = stored["ids"][:count].tolist()
    words = words.format(columns=", ".join(titles.values()))
    caption = f"{words} {first_radiographs(ids)}. {about(report)}"
    rows = [[Picture(stored[key][n]) for key in titles] for n in range(len(ids))]
    return draw_grid(rows, [*titles.values()], caption)


def figure6(report: Presentation, *, previews: Path) -> Sheet:
    """Draw each probe's input, Sobel filter, reconstruction after each epoch, and target."""
    stored = np.load(previews)
    caption = (
        "Figure 6: Sequential learning of our model on the pretext task: "
        f"{first_radiographs(stored['ids'].tolist())}, always with the same input. {about(report)}"
    )
    sobel = {"Sobel": stored["sobel"]} if "sobel" in stored else {}
    columns = [stored["masked"], *sobel.values(), *stored["generated"], stored["xray"]]
    rows = [list(map(Picture, row)) for row in zip(*columns, strict=True)]
    titles = ["Input", *sobel, *(f"Epoch {epoch}" for epoch in stored["epochs"]), "Target"]
    return draw_grid(rows, titles, caption, width=WIDE)
