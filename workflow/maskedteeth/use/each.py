"""One radiograph after the other: a failed one is a line with the reason, the others go on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maskedteeth.data.records import printable
from maskedteeth.errors import InputError
from maskedteeth.files import write_csv
from maskedteeth.use.radiographs import names_of


def do_each(
    files: list[Path],
    work: Callable[[Path, str], dict[str, Any]],
    table: Path,
    columns: tuple[str, ...],
) -> None:
    """Work on radiographs and write a line each.

    Args:
        files: radiographs.
        work: gets a file and its name in the results and returns the line's values.
        table: CSV to write: file, name, ``columns``, problem (why there is no result, or empty).
        columns: of ``work``'s values.

    Raises:
        InputError: some failed. All others are done by then, and the table is written; where
            something else ends the work (a full disk, Ctrl-C), with those that were done.
    """
    rows: list[dict[str, Any]] = []
    failed: list[str] = []
    pairs = zip(files, names_of(files), strict=True)
    try:
        for file, name in tqdm(pairs, total=len(files), unit="radiograph", disable=None):
            row: dict[str, Any] = {"file": printable(str(file)), "name": printable(name)}
            try:
                row |= work(file, name)
            except InputError as error:
                row["problem"] = printable(str(error))
                failed.append(row["problem"])
            rows.append(row)
    finally:
        if rows:
            write_csv(table, rows, ("file", "name", *columns, "problem"))
    if failed:
        raise InputError(
            f"{len(failed)} of {len(files)} radiographs failed; {table} says why, and has the "
            f"results of the others. The first: {failed[0]}"
        )
