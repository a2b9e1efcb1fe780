"""Reads Markdown, of our tables and of docs/decisions.md, as what a page is built from.

Nothing of it becomes markup that is not meant to: HTML, links and pictures stay text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup


@dataclass(frozen=True)
class Text:
    """A line of text.

    Attributes:
        html: with its emphasis and code, safe to show.
        plain: without.
    """

    html: Markup
    plain: str


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        columns: its header, M.
        rows: its cells, N × M.
    """

    columns: list[Text]
    rows: list[list[Text]]


@dataclass(frozen=True)
class Part:
    """What stands under a heading; ``blocks`` are tables, and paragraphs and lists as HTML."""

    title: Text
    blocks: list[Grid | Markup]


@dataclass(frozen=True)
class Document:
    """A page with its title; the first part is what stands before the first heading."""

    title: Text
    parts: list[Part]


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    return parser.disable(["image", "link", "autolink", "reference"])


def text(content: str) -> Text:
    """Read a line of Markdown."""
    tokens = _parser().parseInline(content)
    return _text(tokens[0]) if tokens else plain("")


def plain(content: str) -> Text:
    """Return text as it is, with no sign read as Markdown."""
    return Text(Markup.escape(content), content)


def read(content: str) -> Document:
    """Read a page: a title (#), parts (## and deeper), paragraphs, lists and tables."""
    title, parts = plain(""), [Part(plain(""), [])]
    for block in _blocks(_parser().parse(content)):
        if block[0].type == "heading_open":
            if block[0].tag == "h1":
                title = _text(block[1])
            else:
                parts.append(Part(_text(block[1]), []))
        elif block[0].type == "table_open":
            parts[-1].blocks.append(_grid(block))
        else:
            html = _parser().renderer.render(block, _parser().options, {})
            parts[-1].blocks.append(Markup(html))  # safe: the parser escapes what is no Markdown
    return Document(title, parts)


def _blocks(tokens: list[Token]) -> Iterator[list[Token]]:
    """Yield the tokens of each block that stands in no other one."""
    block: list[Token] = []
    depth = 0
    for token in tokens:
        block.append(token)
        depth += token.nesting
        if depth == 0:
            yield block
            block = []


def _grid(tokens: list[Token]) -> Grid:
    lines: list[list[Text]] = []
    for token in tokens:
        if token.type == "tr_open":
            lines.append([])
        elif token.type == "inline":
            lines[-1].append(_text(token))
    return Grid(lines[0], lines[1:])


def _text(token: Token) -> Text:
    children = token.children or []
    html = _parser().renderer.renderInline(children, _parser().options, {})
    words = [child.content for child in children if child.type in ("text", "code_inline")]
    return Text(Markup(html), "".join(words))  # safe: the parser escapes what is no Markdown
