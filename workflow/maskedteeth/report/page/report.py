"""Stage `report`: all of a study as one page that reads as the reproduction's paper."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from PIL import Image

from maskedteeth.files import write_text
from maskedteeth.record import compare, is_evaluation, read
from maskedteeth.report.page import summary
from maskedteeth.report.results import read_rows
from maskedteeth.report.table import MARKS, grid, inline
from maskedteeth.settings.sections import Presentation

#: The sections in the order of the paper, then what goes beyond it: anchor, title, what it holds,
#: and its tables and figures.
CHAPTERS = (
    (
        "data",
        "Dataset",
        "Radiographs with their annotations, copies and problems; contact_sheet.pdf has all.",
        ("contact_sheet",),
    ),
    (
        "method",
        "Method",
        "Sections 3.1 and 3.2 of the paper: the network, and what the pretext hides and shows.",
        ("figure1", "figure2"),
    ),
    (
        "pretext",
        "Pretext: radiographs behind blocks",
        "Section 4.1 and appendix E: how well hidden parts are drawn again, and whether something "
        "that learnt nothing would do as well.",
        ("table_pretext", "figure3", "figure6", "figure7"),
    ),
    (
        "segmentation",
        "Segmentation: few annotated radiographs",
        "Section 4.2 and appendix E: every method at every training fraction.",
        ("table1", "dice_by_fraction", "table2", "table3", "figure4", "figure8", "training_curves"),
    ),
    (
        "intervals",
        "Intervals, tests and outlines",
        "Beyond the paper: how much depends on which radiographs test, which trained networks "
        "differ, and how well outlines fit.",
        ("differences", "statistics", "boundary"),
    ),
    (
        "ground-truth",
        "Errors in the ground truth",
        "Section 4.3: radiographs on which the network and the annotation disagree most.",
        ("figure5", "figure9", "annotation_errors"),
    ),
    (
        "judged",
        "The paper’s claims",
        "Each claim is judged twice: by the numbers that the paper prints, and by this study’s.",
        ("claims",),
    ),
    ("further", "Further results", "Tables and figures that were added to this study.", ()),
    (
        "origin",
        "Cost, machines and software",
        "From the record that every training and evaluation leaves beside its result.",
        ("cost",),
    ),
)

#: Reads docs/decisions.md; HTML, links and pictures in it stay text.
DOCUMENT = MarkdownIt("commonmark", {"html": False}).enable("table")
DOCUMENT.disable(["image", "link", "autolink", "reference"])


def report(
    report: Presentation,
    study: str,
    source: str,
    changed: dict[str, Any],
    *,
    tables: list[Path],
    figures: list[Path],
    runs: list[Path],
    index: Path,
    problems: Path,
    decisions: Path,
    template: Path,
    style: Path,
    html: Path,
) -> None:
    """Write the report: one HTML file that loads nothing, runs no script and needs no network.

    Args:
        report: dataset, protocol, labels.
        study: its name.
        source: kind of dataset: hitl, folder, phantom.
        changed: what the study changes of ``config/paper.yaml``.
        tables: HTML fragment and CSV of each table, ``statistics``, ``claims`` and ``cost`` among
            them.
        figures: PNG of each figure, without its caption, and the caption as text.
        runs: ``run.json`` and ``evaluation.json`` of all runs and pretexts.
        index: ``index.csv``.
        problems: ``problems.csv``.
        decisions: what was decided where the paper is silent, as Markdown.
        template: the page, for Jinja.
        style: its style sheet.
        html: file to write.
    """
    csv = {file.stem: file for file in tables if file.suffix == ".csv"}
    shown = {file.stem: _table(file, csv[file.stem]) for file in tables if file.suffix == ".html"}
    shown |= {file.stem: _figure(file) for file in figures if file.suffix == ".png"}
    numbers = {name: read_rows(csv[name]) for name in ("statistics", "claims", "cost")}
    best, sentence = summary.against_best(
        numbers["statistics"], report.labels[report.ours], report.figure_fraction
    )
    tested = int(numbers["statistics"]["radiographs"].max())
    trained = [record for record in map(read, runs) if not is_evaluation(record)]
    content = {
        "report": report,
        "study": study,
        "source": source,
        "warrant": inline(summary.WARRANTS.get(source, summary.WARRANTS["folder"])),
        "facts": summary.facts(report, tested, index, problems, numbers["cost"], trained),
        "best": grid(best, "Ours beside the best other method", True) if sentence else "",
        "sentence": sentence,
        "verdicts": summary.verdicts(numbers["claims"]),
        "marks": MARKS,
        "pretexts": [
            inline(said)
            for said in (
                summary.pretexts(read_rows(csv["table_pretext"])) if "table_pretext" in csv else ()
            )
        ],
        "chapters": chapters(list(shown)),
        "shown": shown,
        "named": named,
        "differences": compare(runs),
        "machines": grid(summary.machines(numbers["cost"]), "Machines and software", True),
        "decisions": _document(decisions),
        "changed": changed,
        "overlay": yaml.safe_dump(
            changed, sort_keys=False, allow_unicode=True, default_flow_style=None
        ),
        "style": Markup(style.read_text(encoding="utf-8")),  # safe: a file of this project
    }
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.from_string(template.read_text(encoding="utf-8")).render(content)
    write_text(html, page + "\n")


def chapters(names: list[str]) -> list[tuple[str, str, str, list[str]]]:
    """Return the sections that have something to show, with what there is of it.

    Args:
        names: all tables and figures that there are; what no section asks for is shown under
            "Further results".
    """
    placed = {name for *_, wanted in CHAPTERS for name in wanted}
    rest = [name for name in names if name not in placed]
    found = [
        (key, title, about, rest if key == "further" else [n for n in wanted if n in names])
        for key, title, about, wanted in CHAPTERS
    ]
    return [chapter for chapter in found if chapter[-1]]


def named(name: str) -> str:
    """Return a file's name as words: `table2` is Table 2."""
    words = name.replace("_", " ")
    plain = words.rstrip("0123456789")
    return f"{plain} {words[len(plain) :]}".strip().capitalize()


def _table(fragment: Path, csv: Path) -> Markup:
    """Return a table's fragment with its numbers to take along."""
    link = Markup('<p class="file"><a download="{}" href="{}">{}</a></p>')
    numbers = link.format(csv.name, _uri("text/csv", csv), csv.name)
    div = Markup('<div class="table" id="{}">\n{}{}\n</div>')
    words = Markup(fragment.read_text(encoding="utf-8"))  # safe: write_table escaped it
    return div.format(fragment.stem, words, numbers)


def _figure(png: Path) -> Markup:
    """Return a picture with its caption; the caption's beginning is for those who do not see it."""
    caption = png.with_suffix(".txt").read_text(encoding="utf-8").strip()
    label, colon, rest = caption.partition(": ")
    with Image.open(png) as picture:
        width, height = picture.size
    return Markup(
        '<figure id="{}">\n<div class="picture" role="region" tabindex="0" aria-label="{}">\n'
        '<img src="{}" width="{}" height="{}" alt="{}">\n</div>\n'
        "<figcaption><b>{}</b>{}{}</figcaption>\n</figure>"
    ).format(
        *(png.stem, named(png.stem), _uri("image/png", png), width, height),
        *(caption.split(". ")[0], label, colon, rest),
    )


def _uri(kind: str, file: Path) -> str:
    """Return a file's content as a URI that needs no file."""
    return f"data:{kind};base64,{b64encode(file.read_bytes()).decode()}"


def _document(file: Path) -> Markup:
    """Return a document without its title as HTML, with its tables in boxes that scroll."""
    tokens = DOCUMENT.parse(file.read_text(encoding="utf-8"))
    after = next(place for place, token in enumerate(tokens) if token.type == "heading_close") + 1
    for token in tokens:
        if token.type.startswith("heading"):
            token.tag = f"h{int(token.tag[1]) + 1}"
    words = DOCUMENT.renderer.render(tokens[after:], DOCUMENT.options, {})
    words = words.replace("<table>", '<div class="scroll" tabindex="0">\n<table>')
    return Markup(words.replace("</table>", "</table>\n</div>"))  # safe: html is off
