"""A table as its stage returns it."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Part:
    """One printed table: strings, in which inline Markdown emphasis (``**``, ``*``, `) is allowed.

    Attributes:
        text: what is printed; may be empty, then only the notes are shown.
        title: of this part.
        notes: go under it.
    """

    text: pd.DataFrame
    title: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Table:
    """A table as numbers, for the CSV, and as what is printed.

    Attributes:
        title: of the whole.
        frame: numbers, for the CSV, with six digits after the point.
        parts: what is printed.
        lead: what a reader in a hurry must know; comes first.
        notes: the legend, a line each.
    """

    title: str
    frame: pd.DataFrame
    parts: tuple[Part, ...]
    lead: str = ""
    notes: tuple[str, ...] = ()
