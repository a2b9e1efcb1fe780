"""The order of a report: that of the paper, then what goes beyond it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chapter:
    """A section of the report.

    Attributes:
        key: its anchor; of no table or figure, but of the only one that the section shows.
        title: of it.
        about: what it holds, in a sentence.
        shows: names of its tables and figures, in order.
    """

    key: str
    title: str
    about: str
    shows: tuple[str, ...]


CHAPTERS = (
    Chapter(
        "data",
        "Dataset",
        "Radiographs with their annotations, copies and problems; contact_sheet.pdf has all.",
        ("contact_sheet",),
    ),
    Chapter(
        "method",
        "Method",
        "Sections 3.1 and 3.2 of the paper: the network, and what the pretext hides and shows.",
        ("figure1", "figure2"),
    ),
    Chapter(
        "pretext",
        "Pretext: radiographs behind blocks",
        "Section 4.1 and appendix E: how well hidden parts are drawn again, and whether something "
        "that learnt nothing would do as well.",
        ("table_pretext", "figure3", "figure6", "figure7"),
    ),
    Chapter(
        "segmentation",
        "Segmentation: few annotated radiographs",
        "Section 4.2 and appendix E: every method on every training fraction.",
        ("table1", "dice_by_fraction", "table2", "table3", "figure4", "figure8", "training_curves"),
    ),
    Chapter(
        "intervals",
        "Intervals, tests and outlines",
        "Beyond the paper: how much hangs on which radiographs test, which trained networks "
        "differ on such radiographs, and how well outlines fit.",
        ("differences", "statistics", "boundary"),
    ),
    Chapter(
        "ground-truth",
        "Errors in the ground truth",
        "Section 4.3: radiographs on which the network and the annotation disagree most.",
        ("figure5", "figure9", "annotation_errors"),
    ),
    Chapter(
        "claims",
        "The paper’s claims",
        "Each claim judged twice: by the numbers that the paper prints, and by this study’s.",
        ("claims",),
    ),
    Chapter(
        "audit",
        "Audit of the printed numbers",
        "Whether the paper’s own numbers fit together. Nothing of this study enters.",
        ("audit",),
    ),
)
#: Stands among machines and software.
COST = "cost"
FURTHER = Chapter(
    "further", "Further results", "Tables and figures that were added to this study.", ()
)


def chapters(names: list[str]) -> list[Chapter]:
    """Return the chapters that have something to show; what is in none comes last.

    Args:
        names: all tables and figures that there are.
    """
    placed = {COST, *(name for chapter in CHAPTERS for name in chapter.shows)}
    rest = tuple(name for name in names if name not in placed)
    found = [
        Chapter(c.key, c.title, c.about, tuple(name for name in c.shows if name in names))
        for c in (*CHAPTERS, Chapter(FURTHER.key, FURTHER.title, FURTHER.about, rest))
    ]
    return [chapter for chapter in found if chapter.shows]
