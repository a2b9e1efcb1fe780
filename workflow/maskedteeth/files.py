"""Artefacts reach their names whole or not at all."""

import csv
import errno
import json
import math
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from maskedteeth.errors import InputError

#: What the system says when a file cannot be written → what to do then.
_ROOM = "make room and run the same command again"
_PERMISSION = "change its permissions, or run where you may write"
ADVICE = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "raise the limit on the size of files (ulimit -f) and run the same command again",
    errno.EROFS: "make it writable, or run in another folder",
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EIO: "check the disk, and run the same command again",
    errno.ENOENT: "bring it back, or run the stage that makes it",
    errno.EISDIR: "a file was expected there; move the folder away",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.ENOTDIR: "a folder was expected in its path; move the file away",
}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; rename it to ``path`` when the block succeeds.

    The temporary name keeps the suffix of ``path`` (writers choose formats by it). The content is
    flushed to disk before the rename; after an error the temporary file is removed and whatever
    stood at ``path`` before still does.

    Raises:
        OSError: it could not be written; its ``filename`` is ``path``.
    """
    path = Path(path)
    temporary = path.with_name(f".{uuid4().hex}{path.suffix}")
    try:
        with _naming(path, temporary):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.touch()
            mode = temporary.stat().st_mode
            yield temporary
            temporary.chmod(mode)  # safetensors makes files that only their owner can read
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``path``; it becomes ``path`` when the block succeeds.

    After an error the new folder is removed and whatever stood at ``path`` before still does.

    Raises:
        OSError: it could not be written; its ``filename`` is ``path``.
    """
    path = Path(path)
    temporary = path.with_name(f".{uuid4().hex}")
    try:
        with _naming(path, temporary):
            temporary.mkdir(parents=True)
            yield temporary
            if path.exists():
                shutil.rmtree(path)
            temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _naming(path: Path, temporary: Path) -> Iterator[None]:
    """Let an error of writing name ``path``: by itself it names the temporary file, or none."""
    try:
        yield
    except Exception as error:
        number, name = getattr(error, "errno", None), getattr(error, "filename", None)
        if type(error).__name__ == "SafetensorError":  # which has the number in its text
            found = re.search(r"\(os error (\d+)\)", str(error))
            number = int(found[1]) if found else None
        if number is None or (name and not Path(str(name)).is_relative_to(temporary)):
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` to ``path`` as indented JSON, atomically; NaN is refused."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON that a person brings.

    Raises:
        InputError: it is not UTF-8 or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON: {error}. Restore it.") from None


def write_csv(path: Path, rows: list[dict[str, Any]], columns: tuple[str, ...] = ()) -> None:
    """Write ``rows`` to ``path``, atomically; ``columns`` default to the first row's."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns or tuple(*rows[:1]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_columns(path: Path, tables: list[dict[str, Any]]) -> None:
    """Write tables of the same columns to ``path``, one below the other, atomically.

    (Not with pandas, whose import takes longer than many a job has.)

    Args:
        path: CSV to write; numbers that are not whole have six digits, NaN is blank.
        tables: of each the columns by name: values, or one value for all rows.
    """
    rows = []
    for table in tables:
        count = max(len(column) for column in table.values() if not isinstance(column, str | int))
        columns = [[c] * count if isinstance(c, str | int) else c for c in table.values()]
        rows += [
            dict(zip(table, map(_printed, row), strict=True)) for row in zip(*columns, strict=True)
        ]
    write_csv(path, rows)


def _printed(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else f"{value:.6f}"


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read rows, as text."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
