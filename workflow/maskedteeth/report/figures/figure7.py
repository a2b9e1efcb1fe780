"""Figure 7: qualitative analysis of Random Block Masking."""

from pathlib import Path

from maskedteeth.report.about import about_pretext
from maskedteeth.report.figures.panels import Picture, draw_grid
from maskedteeth.report.figures.runs import first_radiographs, read_pictures
from maskedteeth.settings.jobs import ReportJob

TITLES = {
    "masked": "Masked radiograph",
    "xray": "Ground truth",
    "generated": "Generated radiograph",
}


def figure7(settings: ReportJob, *, samples: Path, png: Path, pdf: Path) -> None:
    """Draw masked radiograph, ground truth and generated radiograph, a radiograph a row.

    Args:
        settings: dataset, protocol and number of samples.
        samples: ``samples.npz`` of the pretext.
        png: file to write.
        pdf: file to write.
    """
    ids, content = read_pictures(samples, tuple(TITLES))
    ids = ids[: settings.samples]
    rows = [[Picture(content[key][n]) for key in TITLES] for n in range(len(ids))]
    draw_grid(rows, list(TITLES.values()), caption(settings, ids), png=png, pdf=pdf)


def caption(settings: ReportJob, ids: list[str]) -> str:
    """Return the caption for the radiographs ``ids``."""
    return (
        "Figure 7: Qualitative analysis of Random Block Masking on "
        f"{first_radiographs(ids)}. {about_pretext(settings)}"
    )
