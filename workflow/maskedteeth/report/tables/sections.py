"""Several tables under one title, as one CSV, one Markdown page and one LaTeX file."""

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from maskedteeth.files import write_text
from maskedteeth.report.tables.layout import ESCAPED, in_markdown

#: Signs of these texts that LaTeX prints in mathematics.
SIGNS = str.maketrans({"†": r"$\dagger$", "<": "$<$", ">": "$>$"})
#: Markdown's emphasis and code.
MARKED = re.compile(r"(\*\*|\*|`)(\S(?:.*?\S)?)\1")


@dataclass(frozen=True)
class Section:
    """A table with its title.

    Attributes:
        title: of the table.
        text: strings; may be empty, then only the notes are shown.
        notes: go under the table.
        columns: LaTeX's column format.
    """

    title: str
    text: pd.DataFrame
    notes: str
    columns: str


def write_sections(
    table: pd.DataFrame,
    title: str,
    lead: str,
    sections: list[Section],
    legend: list[str],
    csv: Path,
    md: Path,
    tex: Path,
) -> None:
    """Write several tables in three formats, atomically.

    Args:
        table: everything as numbers, for the CSV, with six digits after the point.
        title: of the page.
        lead: what a reader in a hurry must know; comes first.
        sections: the tables.
        legend: what the words mean, a line each; after the lead.
        csv: file to write.
        md: file to write.
        tex: file to write; needs the LaTeX package booktabs.
    """
    write_text(csv, table.to_csv(index=False, float_format="%.6f", lineterminator="\n"))
    page = [f"# {title}", lead, "\n".join(f"- {line}" for line in legend)]
    latex = [f"% {title}", *(_latex(text) + "\n" for text in (lead, *legend))]
    for section in sections:
        page += [f"## {section.title}"]
        if not section.text.empty:
            page += [in_markdown(section.text)]
            latex += [_table(section)]
        else:
            latex += [_latex(f"{section.title}. {section.notes}") + "\n"]
        page += [section.notes] if section.notes else []
    write_text(md, "\n\n".join(page) + "\n")
    write_text(tex, "\n".join(latex))


def _table(section: Section) -> str:
    style = section.text.map(_latex).rename(columns=_latex).style.hide(axis="index")
    return style.to_latex(
        hrules=True,
        column_format=section.columns,
        caption=_latex(f"{section.title}. {section.notes}".rstrip()),
        position="htbp",
    )


def _latex(text: str) -> str:
    return MARKED.sub(r"\2", text).translate(ESCAPED).translate(SIGNS)
