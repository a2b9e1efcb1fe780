"""Finished files, read so that a damaged one is a sentence and never a wrong number."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from maskedteeth.errors import InputError
from maskedteeth.files import read_csv, read_json

#: What to do about a file that cannot be right.
MEND = "Restore it, or remove it and run the same command again."


def read_table(
    file: Path,
    columns: tuple[str, ...],
    *,
    text: tuple[str, ...] = (),
    whole: tuple[str, ...] = (),
    blank: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Read columns of a CSV file of numbers.

    Args:
        file: with a header, at least one row, and a line break at its end.
        columns: to read. What else the file has is left out, whatever its cells hold.
        text: those of them that are no numbers. All others are, and finite.
        whole: those of whole numbers from 0 up.
        blank: those of numbers that may be missing; they are NaN then.

    Returns:
        The columns, in the order asked for: text as str, whole numbers as int64, all others as
        float64.

    Raises:
        InputError: the file is missing, damaged or cut off, lacks a column, or a cell holds
            something else.
    """
    rows = read_csv(file, columns)
    refuse_cut(file)

    def number(place: int, name: str, cell: str) -> float | int:
        if name in whole and cell.isascii() and cell.isdecimal() and len(cell) < 19:
            return int(cell)
        if name in blank and not cell:
            return math.nan
        try:
            value = math.nan if name in whole else float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            expected = "a whole number from 0 up" if name in whole else "a number"
            raise InputError(
                f"{file} has {cell!r} under {name!r} in row {place} where {expected} was expected. "
                f"{MEND}"
            )
        return value

    return pd.DataFrame(
        {
            name: [
                row[name] if name in text else number(place, name, row[name])
                for place, row in enumerate(rows, start=1)
            ]
            for name in columns
        }
    )


def read_values(file: Path, keys: tuple[str, ...], values: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a table of the paper: numbers, but for models and metrics, which are names.

    Raises:
        InputError: it is damaged, lacks a column, or has a row twice.
    """
    table = read_table(file, (*keys, *values), text=("model", "metric"), whole=("seed",))
    twice = table[list(keys)][table.duplicated(list(keys))]
    if len(twice):
        row = ", ".join(map(str, twice.iloc[0]))
        raise InputError(f"{file} has the row of {row} twice. {MEND}")
    return table


def refuse_cut(file: Path) -> None:
    """Refuse a text file, not an empty one, whose last line has no end.

    Raises:
        InputError: it is so.
    """
    with file.open("rb") as stream:
        stream.seek(-1, 2)
        if stream.read(1) not in b"\r\n":
            raise InputError(f"{file} is cut off: its last line has no end. {MEND}")


def read_content(file: Path, kind: Any) -> Any:
    """Read a JSON file of a certain form.

    Args:
        file: to read.
        kind: what it holds, as pydantic knows types.

    Raises:
        InputError: it is missing, damaged or of another form; the sentence says where.
    """
    try:
        return TypeAdapter(kind).validate_python(read_json(file), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "its content"
        raise InputError(
            f"{file} is of another form than expected: {place}: {first['msg']}. {MEND}"
        ) from None
