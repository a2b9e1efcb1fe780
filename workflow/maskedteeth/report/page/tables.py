"""Tables as a page shows them: grouped lines, aligned numbers, the paper's values apart."""

import re
from base64 import b64encode
from dataclasses import dataclass, field, replace
from pathlib import Path

from markupsafe import Markup

from maskedteeth.errors import InputError
from maskedteeth.report.page.markdown import Grid, Text, plain, read
from maskedteeth.report.reading import MEND
from maskedteeth.report.tables.layout import CELL, MINUS_PAPER, NOTHING, PAPER

#: Lines up numbers of a column on their point.
FIGURE_SPACE = "\N{FIGURE SPACE}"
NUMBER = re.compile(r"[<≤+−]? ?\d[\d.,]*%?(?:[ ±−+\d.,%†\[\]()]*)|not available|never|–|")
LEADING = re.compile(r"[<≤+−]? ?\d+")
#: Word of a verdict → how a page marks it; words that stand for nothing good or bad are left plain.
VERDICTS = {
    "supported": "good",
    "agrees": "good",
    "refuted": "bad",
    "impossible": "bad",
    "disagrees": "bad",
    "inconclusive": "open",
    "undecided": "open",
    "not tested": "none",
}
#: Stands before the word, so that colour alone says nothing.
SIGNS = {"good": "✓", "bad": "✗", "open": "≈", "none": "–"}
VERDICT = re.compile(rf"({'|'.join(VERDICTS)})(?: ([+−]\d.*))?")


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        html: what it shows; ours, where the paper's value stands beside it.
        scope: of a header: row or rowgroup; else empty.
        rows: how many rows it spans.
        paper: the paper's value, in a table that has such ones; else None.
        difference: ours minus the paper's, or empty.
    """

    html: Markup
    scope: str = ""
    rows: int = 1
    paper: str | None = None
    difference: str = ""


@dataclass(frozen=True)
class Row:
    """A line; ``kind`` is ours, paper or difference where the paper's values have lines."""

    cells: list[Cell]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        caption: its title.
        columns: its header.
        numeric: which columns hold numbers.
        groups: its lines, those together that belong to one thing.
        switched: whether the paper's values stand in it.
    """

    caption: Markup
    columns: list[Markup]
    numeric: list[bool]
    groups: list[list[Row]]
    switched: bool

    @property
    def count(self) -> int:
        """How many lines it has."""
        return sum(map(len, self.groups))


@dataclass(frozen=True)
class Page:
    """One table of a study as it was written: tables and paragraphs, in parts.

    Attributes:
        name: of its files.
        title: of the whole.
        lead: paragraphs and lists before the first heading, of a page that has headings and no
            table before them.
        parts: title, blocks (tables and paragraphs) of each.
        csv: all its numbers, as a data URI.
    """

    name: str
    title: Markup
    lead: list[Markup]
    parts: list[tuple[Markup, list]]
    csv: str = field(repr=False)


def read_page(md: Path, csv: Path) -> Page:
    """Read a table of a study, as the stages write it.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        document, numbers = read(md.read_text(encoding="utf-8")), csv.read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{getattr(error, 'filename', None) or md} cannot be read: {error}. {MEND}"
        ) from None
    first, *rest = document.parts
    title = document.title.html
    in_front = any(isinstance(block, Grid) for block in first.blocks)
    lead, parts = (first.blocks, []) if rest and not in_front else ([], [(title, first.blocks)])
    parts += [(part.title.html, part.blocks) for part in rest]
    built = [(t, [built_of(b, t) for b in blocks]) for t, blocks in parts]
    return Page(md.stem, title, lead, built, data_uri("text/csv", numbers))


def built_of(block: Grid | Markup, caption: Markup) -> Table | Markup:
    """Build a table; leave a paragraph."""
    return build(block, caption) if isinstance(block, Grid) else block


def data_uri(kind: str, content: bytes) -> str:
    """Return a file's content as a URI that needs no file."""
    return f"data:{kind};base64,{b64encode(content).decode()}"


def build(grid: Grid, caption: Markup) -> Table:
    """Build a table from cells as they are printed.

    A blank first cell repeats the one above it, so such rows are one group, told apart by their
    second cell.
    """
    numeric = [
        all(NUMBER.fullmatch(row[place].plain) for row in grid.rows) and bool(grid.rows)
        for place in range(len(grid.columns))
    ]
    widths = [_width(grid.rows, place) if number else 0 for place, number in enumerate(numeric)]
    beside = [
        any(_beside_paper(row[place]) for row in grid.rows) for place in range(len(grid.columns))
    ]
    blanks = any(not row[0].plain for row in grid.rows[1:])
    grouped = blanks and bool(grid.rows[0][0].plain)
    groups: list[list[Row]] = []
    in_rows = any(_is_difference(row) for row in grid.rows)
    for row in grid.rows:
        cells = [_cell(*column) for column in zip(row, widths, beside, strict=True)]
        name = Markup(cells[0].html.replace("_", Markup("_<wbr>")))  # a long name may break there
        cells[0] = replace(cells[0], scope="row", html=name)
        if grouped:
            cells[0] = replace(cells[0], scope="rowgroup")
            cells[1] = replace(cells[1], scope="row")
        line = Row(cells, _kind(row) if in_rows else "")
        if groups and grouped and not row[0].plain:
            first = groups[-1][0].cells
            first[0] = replace(first[0], rows=first[0].rows + 1)
            groups[-1].append(replace(line, cells=cells[1:]))
        elif groups and not grouped:
            groups[-1].append(line)
        else:
            groups.append([line])
    columns = [column.html for column in grid.columns]
    return Table(caption, columns, numeric, groups, any(beside) or in_rows)


def grid_of(columns: list[str], rows: list[list[str | Text]]) -> Grid:
    """Make a grid of texts, none of which is read as Markdown."""
    return Grid(
        [plain(column) for column in columns],
        [[cell if isinstance(cell, Text) else plain(cell) for cell in row] for row in rows],
    )


def _is_difference(row: list[Text]) -> bool:
    return len(row) > 1 and row[1].plain == MINUS_PAPER


def _kind(row: list[Text]) -> str:
    """Tell lines apart in a table that has the paper's values in lines of their own."""
    if row[0].plain == PAPER:
        return "paper"
    return "difference" if _is_difference(row) else "ours"


def _beside_paper(cell: Text) -> bool:
    match = CELL.fullmatch(cell.plain)
    return bool(match and match[2])


def _width(rows: list[list[Text]], place: int) -> int:
    """Return the longest start of a column's numbers, up to the point."""
    starts = [LEADING.match(row[place].plain) for row in rows]
    return max((len(start[0]) for start in starts if start), default=0)


def _cell(text: Text, width: int, beside: bool) -> Cell:
    if verdict := VERDICT.fullmatch(text.plain):
        mark = VERDICTS[verdict[1]]
        badge = Markup('<span class="verdict {}"><span aria-hidden="true">{}</span> {}</span>')
        rest = Markup(' <span class="margin">{}</span>').format(verdict[2]) if verdict[2] else ""
        return Cell(badge.format(mark, SIGNS[mark], verdict[1]) + rest)
    paper, difference, html = None, "", text.html
    if beside and (match := CELL.fullmatch(text.plain)):
        html, paper, difference = Markup.escape(match[1]), match[2] or NOTHING, match[3] or ""
    start = LEADING.match(text.plain)
    if width and start:
        html = Markup.escape(FIGURE_SPACE * (width - len(start[0]))) + html
    return Cell(html, paper=paper, difference=difference)
