"""A table as one object, and the four files made from it: CSV, Markdown, LaTeX and HTML."""

import re
from collections.abc import Iterator
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

#: Blanks at which no line ends: between the numbers of an interval, and before a sign for percent.
TOGETHER = re.compile(r"(?<=\d,) (?=[+−]?\d\.)|(?<=\d) (?=%)")
#: A cell of a column of numbers.
NUMBER = re.compile(r"[*<≤+−]*\s?\d.*|[–*]*")
#: First words of a cell, and the class that colours it on a page.
MARKS = {"supported": "good", "refuted": "bad", "inconclusive": "open", "not tested": "none"}


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

    The CSV has all its numbers, with six digits after the point; the others title, lead, notes and
    parts. The LaTeX needs the package booktabs; the HTML is a fragment for the report's page.
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
    columns = "".join(f"p{{{share:.2f}\\linewidth}}" if w else "l" for w in wide)
    words = {"caption": _latex(caption), "column_format": columns, "position": "htbp"}
    styled = text.map(_latex).rename(columns=_latex).style.hide(axis="index")
    return styled.to_latex(hrules=True, **words)


def _latex(text: str) -> str:
    escaped = text.translate(ESCAPED)
    return MARKED.sub(lambda found: rf"\{EMPHASIS[found[1]]}{{{found[2]}}}", escaped)


def in_html(table: Table) -> Markup:
    """Return a table as a fragment of HTML: title, lead, notes to unfold, and the parts."""
    blocks = [_tag("h3", inline(table.title))]
    if table.lead:
        blocks.append(_tag("p", inline(table.lead), class_="lead"))
    if table.notes:
        notes = _tag("ul", *(_tag("li", inline(note)) for note in table.notes))
        blocks.append(_folded("How to read it", notes))
    for place, part in enumerate(table.parts):
        rows = len(part.text)
        shown = [_tag("p", inline(part.notes), class_="notes")] if part.notes else []
        if not rows:
            blocks += [_tag("p", inline(part.title), class_="caption")] if part.title else []
            blocks += shown
        elif place and rows > LONG:
            title = inline(f"{part.title} ({rows} rows)")
            blocks.append(_folded(title, grid(part.text, part.title), *shown))
        else:
            blocks += [grid(part.text, part.title or table.title, bool(part.title)), *shown]
    return Markup("\n").join(blocks)


def inline(text: str) -> Markup:
    """Return a line of Markdown as HTML, in which emphasis and code alone are more than text."""
    whole = TOGETHER.sub("\N{NO-BREAK SPACE}", text)
    return Markup(INLINE.renderInline(whole))  # safe: the parser escapes everything else


def grid(text: pd.DataFrame, label: str, caption: bool = False) -> Markup:
    """Return a frame of strings as an HTML table in a box that scrolls by itself.

    Rows whose first cell is empty belong to the row above. ``label`` says what the table is, to
    those who do not see it, and with ``caption`` to all.
    """
    rows = text.to_numpy().tolist()
    numeric = [all(NUMBER.fullmatch(row[place]) for row in rows) for place in range(text.shape[1])]
    grouped = any(not row[0] for row in rows[1:])
    groups: list[list[list[str]]] = []
    for row in rows:
        if not groups or (grouped and row[0]):
            groups.append([])
        groups[-1].append(row)
    head = (
        _tag("th", inline(name), scope="col", class_="number" if number else "")
        for name, number in zip(text.columns, numeric, strict=True)
    )
    body = (_tag("tbody", *_rows(group, numeric, grouped)) for group in groups)
    above = [_tag("caption", inline(label))] if caption else []
    table = _tag("table", *above, _tag("thead", _tag("tr", *head)), *body)
    name = inline(label).striptags()
    return _tag("div", table, class_="scroll", role="region", tabindex="0", aria_label=name)


def _rows(group: list[list[str]], numeric: list[bool], grouped: bool) -> Iterator[Markup]:
    for place, row in enumerate(group):
        cells = []
        for column, (cell, number) in enumerate(zip(row, numeric, strict=True)):
            names = ["number"] if number else []
            if column > grouped:
                names += [m for word, m in MARKS.items() if cell.strip("*").startswith(word)]
                cells.append(_tag("td", inline(cell), class_=" ".join(names)))
            elif column == grouped:
                cells.append(_tag("th", inline(cell), scope="row", class_=" ".join(names)))
            elif not place:
                cells.append(_tag("th", inline(cell), scope="rowgroup", rowspan=len(group)))
        yield _tag("tr", *cells)


def _folded(summary: str, *content: Markup) -> Markup:
    return _tag("details", _tag("summary", summary), *content)


def _tag(name: str, *content: str, **attributes: object) -> Markup:
    """Return an element with the attributes that have a value; what is no markup is escaped."""
    said = (
        Markup(' {}="{}"').format(key.strip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value
    )
    inside = Markup("\n" if name in ("table", "tbody", "ul", "div") else "").join(content)
    return Markup("<{}{}>{}</{}>").format(name, Markup("").join(said), inside, name)
