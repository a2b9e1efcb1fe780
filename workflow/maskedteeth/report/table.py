"""A table as one object, and the four files made from it: CSV, Markdown, LaTeX and HTML."""

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from markdown_it import MarkdownIt
from markupsafe import Markup

from maskedteeth.files import write_text

#: Cells this long are sentences and may wrap in LaTeX.
SENTENCE = 40
#: Rows above which a part that is not the first is folded on a page.
LONG = 8

#: Nothing but emphasis and code: HTML, links and pictures stay the text that they are.
INLINE = MarkdownIt("commonmark", {"html": False}).disable(
    ["image", "link", "autolink", "entity", "reference"]
)
#: The same in LaTeX.
EMPHASIS = {"**": "textbf", "*": "emph", "`": "texttt"}
MARKED = re.compile(r"(\*\*|\*|`)(\S(?:.*?\S)?)\1")
#: Characters that LaTeX would read as commands, and signs that it prints in mathematics.
ESCAPED = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"±": r"$\pm$", "−": "$-$", "†": r"$\dagger$", "<": "$<$", ">": "$>$"}
)

#: Between the numbers of an interval, which stay on one line.
APART = re.compile(r"(?<=\d), (?=[+−]?\d\.)")
#: A cell of a column of numbers.
NUMBER = re.compile(r"[*<≤+−]*\s?\d.*|[–*]*")
#: First words of a cell, and the class that colours it on a page.
MARKS = {
    **dict.fromkeys(("supported", "agrees"), "good"),
    **dict.fromkeys(("refuted", "impossible", "disagrees"), "bad"),
    **dict.fromkeys(("inconclusive", "undecided"), "open"),
    "not tested": "none",
}


@dataclass(frozen=True)
class Part:
    """One printed table.

    Attributes:
        text: what its cells say, strings; with emphasis of Markdown (``**``, ``*``, `````) where
            wanted. A first cell that is empty repeats the one above it. May be empty: then only
            the title and the notes are shown.
        title: of this part; "" where the table has but one.
        notes: a paragraph below it.
    """

    text: pd.DataFrame
    title: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Table:
    """All that a table of the report says.

    Attributes:
        title: of the whole.
        frame: its numbers, for the CSV.
        parts: what is printed of them.
        lead: what a reader in a hurry must know.
        notes: how to read it, a paragraph each.
    """

    title: str
    frame: pd.DataFrame
    parts: tuple[Part, ...]
    lead: str = ""
    notes: tuple[str, ...] = ()


def write_table(table: Table, csv: Path, md: Path, tex: Path, html: Path) -> None:
    """Write a table in four formats, atomically.

    Args:
        table: to write.
        csv: all its numbers, with six digits after the point.
        md: title, lead, notes and parts as Markdown.
        tex: the same; needs the LaTeX package booktabs.
        html: the same as a fragment for the report's page.
    """
    write_text(csv, table.frame.to_csv(index=False, float_format="%.6f", lineterminator="\n"))
    write_text(md, in_markdown(table))
    write_text(tex, in_latex(table))
    write_text(html, in_html(table))


def in_markdown(table: Table) -> str:
    """Return a table as a page of Markdown."""
    blocks = [f"# {table.title}", table.lead, "\n".join(f"- {note}" for note in table.notes)]
    for part in table.parts:
        text = part.text.map(_without_bar).rename(columns=_without_bar)
        grid = "" if text.empty else text.to_markdown(index=False, disable_numparse=True)
        blocks += [part.title and f"## {part.title}", grid, part.notes]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _without_bar(text: str) -> str:
    return text.replace("|", "\\|")  # a bar would end the cell


def in_latex(table: Table) -> str:
    """Return a table as LaTeX, a float for each part.

    Lead and notes stand in the caption of a single part, before several.
    """
    words, parts = [table.lead, *table.notes], list(table.parts)
    if len(parts) == 1:
        title = " ".join(filter(None, [table.title + ".", parts[0].notes, *words]))
        return _float(parts[0].text, title)
    blocks = [f"% {table.title}", *(f"{_latex(line)}\n" for line in words if line)]
    for part in parts:
        title = f"{part.title}. {part.notes}".strip()
        blocks.append(f"{_latex(title)}\n" if part.text.empty else _float(part.text, title))
    return "\n".join(blocks)


def _float(text: pd.DataFrame, caption: str) -> str:
    wide = [text[name].astype(str).str.len().max() > SENTENCE for name in text]
    share = 0.8 / max(sum(wide), 1)
    return (
        text.map(_latex)
        .rename(columns=_latex)
        .style.hide(axis="index")
        .to_latex(
            hrules=True,
            column_format="".join(f"p{{{share:.2f}\\linewidth}}" if w else "l" for w in wide),
            caption=_latex(caption),
            position="htbp",
        )
    )


def _latex(text: str) -> str:
    escaped = text.translate(ESCAPED)
    return MARKED.sub(lambda found: rf"\{EMPHASIS[found[1]]}{{{found[2]}}}", escaped)


def in_html(table: Table) -> Markup:
    """Return a table as a fragment of HTML: title, lead, notes to unfold, and the parts."""
    blocks = [Markup("<h3>{}</h3>").format(inline(table.title))]
    if table.lead:
        blocks.append(Markup('<p class="lead">{}</p>').format(inline(table.lead)))
    if table.notes:
        notes = Markup("").join(Markup("<li>{}</li>\n").format(inline(n)) for n in table.notes)
        blocks.append(_folded(Markup("How to read it"), Markup("<ul>\n{}</ul>").format(notes)))
    for place, part in enumerate(table.parts):
        notes = Markup('<p class="notes">{}</p>').format(inline(part.notes)) if part.notes else ""
        title = inline(part.title)
        if part.text.empty:
            heading = Markup('<p class="caption">{}</p>\n').format(title) if title else ""
            blocks.append(Markup(heading) + notes)
        elif place and len(part.text) > LONG:
            unfold = Markup("{} ({} rows)").format(title, len(part.text))
            blocks.append(_folded(unfold, grid(part.text, part.title) + notes))
        else:
            blocks.append(grid(part.text, part.title or table.title, bool(title)) + notes)
    return Markup("\n").join(blocks) + "\n"


def inline(text: str) -> Markup:
    """Return a line of Markdown as HTML, in which emphasis and code alone are more than text."""
    whole = APART.sub(",\N{NO-BREAK SPACE}", text)
    return Markup(INLINE.renderInline(whole))  # safe: the parser escapes everything else


def _folded(summary: Markup, content: Markup) -> Markup:
    return Markup("<details>\n<summary>{}</summary>\n{}\n</details>").format(summary, content)


def grid(text: pd.DataFrame, label: str, caption: bool = False) -> Markup:
    """Return a frame of strings as an HTML table in a box that scrolls by itself.

    Args:
        text: the cells; rows whose first cell is empty belong to the row above.
        label: what the table is, for those who do not see it.
        caption: whether to show ``label`` above it.
    """
    rows = text.to_numpy().tolist()
    starts = [place for place, row in enumerate(rows) if row[0] or not place] or [0]
    grouped = len(starts) < len(rows)
    groups = [rows[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]
    numeric = [all(NUMBER.fullmatch(row[place]) for row in rows) for place in range(text.shape[1])]
    head = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(_class(number=n), inline(name))
        for name, n in zip(text.columns, numeric, strict=True)
    )
    body = Markup("").join(
        Markup("<tbody>\n{}</tbody>\n").format(_group(group, numeric, grouped))
        for group in (groups if grouped else [rows])
    )
    shown = Markup("<caption>{}</caption>\n").format(inline(label)) if caption else ""
    return Markup(
        '<div class="scroll" role="region" tabindex="0" aria-label="{}">\n<table>\n{}'
        "<thead><tr>{}</tr></thead>\n{}</table>\n</div>\n"
    ).format(inline(label).striptags(), shown, head, body)


def _group(rows: list[list[str]], numeric: list[bool], grouped: bool) -> Markup:
    lines = []
    for place, row in enumerate(rows):
        cells = []
        for column, (cell, number) in enumerate(zip(row, numeric, strict=True)):
            if column > grouped:
                line = Markup("<td{}>{}</td>").format(_class(cell, number), inline(cell))
            elif grouped and not column:
                span = Markup('<th scope="rowgroup" rowspan="{}">{}</th>')
                line = Markup("") if place else span.format(len(rows), inline(cell))
            else:
                line = Markup('<th scope="row"{}>{}</th>').format(
                    _class(number=number), inline(cell)
                )
            cells.append(line)
        lines.append(Markup("<tr>{}</tr>\n").format(Markup("").join(cells)))
    return Markup("").join(lines)


def _class(cell: str = "", number: bool = False) -> Markup:
    said = cell.strip("*")
    mark = next((mark for word, mark in MARKS.items() if said.startswith(word)), "")
    names = " ".join(filter(None, ["number" if number else "", mark]))
    return Markup(' class="{}"').format(names) if names else Markup("")
