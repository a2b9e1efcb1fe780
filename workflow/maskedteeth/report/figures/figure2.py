"""Figure 2: what the pretext hides, shows and adds."""

from pathlib import Path

from maskedteeth.report.about import about_pretext
from maskedteeth.report.figures.panels import Picture, draw_grid
from maskedteeth.report.figures.runs import first_radiographs, read_pictures
from maskedteeth.settings.jobs import ReportJob

TITLES = {"masked": "Masked X-ray", "xray": "X-ray", "sobel": "Sobel filter"}


def figure2(settings: ReportJob, *, samples: Path, png: Path, pdf: Path) -> None:
    """Draw a sample's masked X-ray, X-ray and Sobel filter.

    Args:
        settings: dataset and protocol.
        samples: ``samples.npz`` of the pretext.
        png: file to write.
        pdf: file to write.
    """
    ids, content = read_pictures(samples, tuple(TITLES))
    row = [Picture(content[key][0]) for key in TITLES]
    ids = ids[:1]
    draw_grid([row], list(TITLES.values()), caption(settings, ids), png=png, pdf=pdf)


def caption(settings: ReportJob, ids: list[str]) -> str:
    """Return the caption for the radiograph ``ids``."""
    return (
        "Figure 2: Sample masked X-ray image, X-ray image and Sobel filter: "
        f"{first_radiographs(ids)}. {about_pretext(settings)}"
    )
