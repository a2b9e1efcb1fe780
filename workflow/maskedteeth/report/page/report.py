"""Stage `report`: all of a study as one page that reads as the reproduction's paper."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from PIL import Image

from maskedteeth.files import write_text
from maskedteeth.report.page import summary
from maskedteeth.report.records import is_evaluation, read, unlike
from maskedteeth.report.results import read_rows
from maskedteeth.report.table import MARKS
from maskedteeth.settings.sections import Presentation


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
    template: Path,
    style: Path,
    html: Path,
) -> None:
    """Write the report: one HTML file that loads nothing, runs no script and needs no network.

    ``source`` is the kind of dataset (hitl, folder, phantom, …), ``changed`` what the study changes
    of ``config/paper.yaml``. Of each table there is the HTML fragment and the CSV, of each figure
    the PNG and the caption as text; the tables statistics, claims and cost are among them. ``runs``
    are the records of all runs and pretexts. The template, for Jinja, says in which section tables
    and figures stand.
    """
    csv = {file.stem: file for file in tables if file.suffix == ".csv"}
    numbers = {name: read_rows(file) for name, file in csv.items()}
    trained = [record for record in map(read, runs) if not is_evaluation(record)]
    content = {
        "report": report,
        "study": study,
        "source": source,
        "facts": summary.facts(index, problems, numbers["statistics"], numbers["cost"], trained),
        "sentence": summary.against_best(
            numbers["statistics"], report.labels[report.ours], report.figure_fraction
        ),
        "verdicts": summary.verdicts(numbers["claims"]),
        "marks": MARKS,
        "pretexts": summary.pretexts(numbers["table_pretext"]) if "table_pretext" in csv else {},
        # Safe: write_table escaped it.
        "tables": {f.stem: Markup(f.read_text("utf-8")) for f in tables if f.suffix == ".html"},
        "csv": {name: _uri("text/csv", file) for name, file in csv.items()},
        "figures": {file.stem: _figure(file) for file in figures if file.suffix == ".png"},
        "named": named,
        "differences": unlike(runs),
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


def named(name: str) -> str:
    """Return a file's name as words: `table2` is Table 2."""
    words = name.replace("_", " ")
    plain = words.rstrip("0123456789")
    return f"{plain} {words[len(plain) :]}".strip().capitalize()


def _figure(png: Path) -> dict[str, Any]:
    """Return a picture and its caption, of which the beginning is for those who do not see it."""
    caption = png.with_suffix(".txt").read_text(encoding="utf-8").strip()
    label, colon, rest = caption.partition(": ")
    with Image.open(png) as picture:
        width, height = picture.size
    said = {"label": label, "rest": colon + rest, "alt": caption.split(". ")[0]}
    return said | {"uri": _uri("image/png", png), "width": width, "height": height}


def _uri(kind: str, file: Path) -> str:
    return f"data:{kind};base64,{b64encode(file.read_bytes()).decode()}"
