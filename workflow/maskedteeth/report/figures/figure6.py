"""Figure 6: what the pretext has learnt after some epochs."""

from pathlib import Path

from maskedteeth.report.about import about_pretext
from maskedteeth.report.figures.panels import WIDE, Picture, draw_grid
from maskedteeth.report.figures.runs import first_radiographs, read_pictures
from maskedteeth.settings.jobs import ReportJob


def figure6(settings: ReportJob, *, previews: Path, png: Path, pdf: Path) -> None:
    """Draw each probe's input, Sobel filter, reconstruction after each epoch, and target.

    Args:
        settings: dataset and protocol.
        previews: ``previews.npz`` of the pretext.
        png: file to write.
        pdf: file to write.
    """
    ids, content = read_pictures(previews, ("masked", "sobel", "xray"), epochs=True)
    columns = [content["masked"], content["sobel"], *content["generated"], content["xray"]]
    rows = [[Picture(column[n]) for column in columns] for n in range(len(ids))]
    titles = ["Input", "Sobel", *(f"Epoch {epoch}" for epoch in content["epochs"]), "Target"]
    draw_grid(rows, titles, caption(settings, ids), png=png, pdf=pdf, width=WIDE)


def caption(settings: ReportJob, ids: list[str]) -> str:
    """Return the caption for the probe radiographs ``ids``."""
    return (
        "Figure 6: Sequential learning of our model on the Random Block Masking pretext task: "
        f"{first_radiographs(ids)} behind fixed blocks. {about_pretext(settings)}"
    )
