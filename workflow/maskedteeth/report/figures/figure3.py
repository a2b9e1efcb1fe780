"""Figure 3: sample output of the pretext."""

from pathlib import Path

from maskedteeth.report.about import about_pretext
from maskedteeth.report.figures.panels import Picture, draw_grid
from maskedteeth.report.figures.runs import first_radiographs, read_pictures
from maskedteeth.settings.jobs import ReportJob

TITLES = {"xray": "Dental X-ray", "masked": "Masked X-ray", "generated": "Generated X-ray"}


def figure3(settings: ReportJob, *, samples: Path, png: Path, pdf: Path) -> None:
    """Draw X-ray, masked X-ray and generated X-ray, two radiographs a row.

    Args:
        settings: dataset, protocol and number of samples.
        samples: ``samples.npz`` of the pretext.
        png: file to write.
        pdf: file to write.
    """
    ids, content = read_pictures(samples, tuple(TITLES))
    ids = ids[: settings.samples]
    triples = [[Picture(content[key][n]) for key in TITLES] for n in range(len(ids))]
    groups = min(2, len(triples))
    triples += [[None] * len(TITLES)] * (len(triples) % groups)
    pairs = [triples[n : n + groups] for n in range(0, len(triples), groups)]
    rows = [[picture for triple in pair for picture in triple] for pair in pairs]
    titles = list(TITLES.values()) * groups
    draw_grid(rows, titles, caption(settings, ids), png=png, pdf=pdf, groups=groups)


def caption(settings: ReportJob, ids: list[str]) -> str:
    """Return the caption for the radiographs ``ids``."""
    return (
        f"Figure 3: Sample output images of the pretext task: {first_radiographs(ids)}, row by "
        f"row. {about_pretext(settings)}"
    )
