"""Stage `report`: all of a study as one page that reads as the reproduction's paper."""

from pathlib import Path

import yaml
from jinja2 import Environment, StrictUndefined, TemplateError
from markupsafe import Markup

from maskedteeth.errors import InputError
from maskedteeth.files import write_text
from maskedteeth.report.figures.runs import percent
from maskedteeth.report.page import markdown, summary
from maskedteeth.report.page.contents import chapters
from maskedteeth.report.page.figures import labelled, read_figure
from maskedteeth.report.page.machines import read_origin
from maskedteeth.report.page.tables import SIGNS, VERDICTS, build, built_of, read_page
from maskedteeth.report.tables.cost import duration
from maskedteeth.settings.jobs import PageJob

#: Tables that every study has, and the page speaks of.
SUMMED_UP = ("statistics", "claims", "audit", "cost")


def report(
    settings: PageJob,
    *,
    tables: list[Path],
    figures: list[Path],
    runs: list[Path],
    index: Path,
    problems: Path,
    guard: Path,
    decisions: Path,
    template: Path,
    style: Path,
    html: Path,
) -> None:
    """Write the report: one HTML file that loads nothing, runs no script and needs no network.

    Args:
        settings: dataset, protocol, labels, and what the study changes of the paper's settings.
        tables: each table's Markdown and CSV, in the order of the study.
        figures: PNG of each figure, likewise.
        runs: ``run.json`` and ``evaluation.json`` of all runs and pretexts.
        index: ``index.csv``.
        problems: ``problems.csv``.
        guard: ``guard.json``.
        decisions: what was decided where the paper is silent, as Markdown.
        template: the page, for Jinja.
        style: its style sheet.
        html: file to write.

    Raises:
        InputError: a file is missing or something else than expected.
    """
    csv, md = ({f.stem: f for f in tables if f.suffix == kind} for kind in (".csv", ".md"))
    lacking = [f"{n}.md" for n in csv if n not in md] + [f"{n}.csv" for n in md if n not in csv]
    lacking += [f"{name}.csv" for name in SUMMED_UP if name not in csv]
    if lacking:
        raise InputError(f"--tables lacks {lacking[0]}; give each table's Markdown and CSV.")
    pages = {name: read_page(file, csv[name]) for name, file in md.items()}
    drawn = {file.stem: read_figure(file) for file in figures}
    origin = read_origin(runs)
    names = [*drawn, *pages]
    ours = settings.labels[settings.ours]
    best = summary.against_best(csv["statistics"], ours, settings.figure_fraction)
    counts = summary.verdict_counts(csv["claims"])
    decided = markdown.read(_text(decisions))
    content = {
        "settings": settings,
        "chapters": chapters(names),
        "pages": pages,
        "figures": drawn,
        "labels": {name: label_of(name, pages, drawn) for name in names},
        "dataset": summary.read_dataset(index, problems, guard),
        "warrant": summary.WARRANTS.get(settings.source, summary.WARRANTS["folder"]),
        "protocol": summary.PROTOCOLS[settings.protocol],
        "best": best and (build(best[0], Markup("Ours against the best other method")), best[1]),
        "counts": counts,
        "marks": {verdict: (mark, SIGNS[mark]) for verdict, mark in VERDICTS.items()},
        "pretext": summary.pretexts(csv["table_pretext"]) if "table_pretext" in csv else [],
        "printed": summary.audited(csv["audit"]),
        "origin": origin,
        "percent": percent,
        "time": duration(origin.seconds),
        "machines": build(origin.machines, Markup("Machines")),
        "packages": build(origin.packages, Markup("Packages")),
        "commits": build(origin.commits, Markup("Code")),
        "decisions": [
            (part.title.html, [built_of(block, part.title.html) for block in part.blocks])
            for part in decided.parts
        ],
        "overlay": yaml.safe_dump(
            settings.changed, sort_keys=False, allow_unicode=True, default_flow_style=None
        ),
        "style": Markup(_text(style)),  # safe: a file of this project
    }
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    try:
        page = environment.from_string(_text(template)).render(content)
    except TemplateError as error:
        raise InputError(f"{template} is no template of the report: {error}.") from None
    write_text(html, page + "\n")


def label_of(name: str, pages: dict, drawn: dict) -> str:
    """Return a table's or figure's number or short title, for the table of contents."""
    if name in drawn:
        return drawn[name].label
    title = pages[name].title.striptags()
    return labelled(title, title)[0]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}. Restore it.") from None
