"""Artefacts reach their names whole or not at all."""

import csv
import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskedteeth.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: What the system says when a file cannot be written, and what to do then.
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
    errno.EEXIST: "move it away",
    errno.EISDIR: "a file was expected there; move the folder away",
    errno.ENOTDIR: "a folder was expected in its path; move the file away",
    errno.ENAMETOOLONG: "use shorter names",
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
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix
        )
        os.close(handle)
    temporary = Path(name)
    try:
        with naming(path, temporary):
            yield temporary
            _finish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _finish(temporary: Path, path: Path) -> None:
    with temporary.open("rb") as written:
        os.fsync(written.fileno())
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod(0o666 & ~umask)  # mkstemp makes files that only their owner can read
    temporary.replace(path)


@contextmanager
def naming(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """Let an error of writing name ``path``: by itself it names no file, or the temporary one.

    Raises:
        OSError: as in the block, with ``path`` for its ``filename``, unless it names a third file.
    """
    try:
        yield
    except Exception as error:
        number, name = error_number(error), getattr(error, "filename", None)
        foreign = temporary and name and not Path(str(name)).is_relative_to(temporary)
        if number is None or foreign:
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def error_number(error: Exception) -> int | None:
    """Return the system's number of an error; also of one that safetensors reports as its own."""
    if isinstance(error, OSError):
        return error.errno
    if type(error).__name__ == "SafetensorError" and (
        found := re.search(r"\(os error (\d+)\)", str(error))
    ):
        return int(found[1])
    return None


def new_array(path: Path, dtype: "type[np.generic]", shape: tuple[int, ...]) -> "np.ndarray":
    """Make an NPY file of ``shape``, all 0, and return it memory-mapped.

    Its whole size is taken on the disk now: where that is full, a later write through the memory
    map would end the process without a word (SIGBUS).

    Raises:
        OSError: no room.
    """
    import numpy as np

    array = np.lib.format.open_memmap(path, "w+", dtype, shape)
    with naming(path), path.open("r+b") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        else:  # macOS
            file.seek(array.offset)
            file.writelines(bytes(array[0].nbytes) for _ in array)
    return array


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``path``; it becomes ``path`` when the block succeeds.

    After an error the new folder is removed and whatever stood at ``path`` before still does.

    Raises:
        OSError: it could not be written; its ``filename`` is ``path``.
    """
    path = Path(path)
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        workshop = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    new, old = workshop / "new", workshop / "old"
    try:
        with naming(path, workshop):
            new.mkdir()
            yield new
            if path.exists():
                path.rename(old)
            new.rename(path)
    finally:
        if old.exists() and not path.exists():
            old.rename(path)
        shutil.rmtree(workshop, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` to ``path`` as indented JSON, atomically; NaN is refused."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path, keys: tuple[str, ...] | None = None) -> Any:
    """Read JSON from ``path``.

    Args:
        path: the file.
        keys: what it must have, being an object then; None: it may be anything.

    Raises:
        InputError: the file is missing, not UTF-8 or not JSON, or lacks a key.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid JSON: {error}. Restore or remove it.") from None
    if keys is not None and not isinstance(content, dict):
        raise InputError(
            f"{path} holds a {type(content).__name__} where an object with named entries was "
            "expected. Restore or remove it."
        )
    _refuse_lacking(path, keys or (), content, "entry")
    return content


def write_csv(path: Path, rows: list[dict[str, Any]], columns: tuple[str, ...] = ()) -> None:
    """Write ``rows`` to ``path``, atomically; ``columns`` default to the first row's."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns or tuple(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path, columns: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """Read a CSV file with a header as a list of rows.

    Args:
        path: the file.
        columns: what it must have, and at least one row then.

    Raises:
        InputError: the file is missing, not UTF-8 or no CSV, lacks a column, or has a row of
            another length.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            header, rows = reader.fieldnames or (), list(reader)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not valid CSV: {error}. Restore or remove it.") from None
    _refuse_lacking(path, columns, header, "column")
    if columns and not rows:
        raise InputError(f"{path} has a header and no rows. Restore or remove it.")
    for number, row in enumerate(rows, start=1):
        if None in row or None in row.values():
            raise InputError(
                f"{path} has another number of values than of columns ({len(header)}) in row "
                f"{number}. Restore or remove it."
            )
    return rows


def read_frame(path: Path, columns: tuple[str, ...], **options: Any) -> "pd.DataFrame":
    """Read a CSV file with a header as pandas does.

    Args:
        path: the file.
        columns: what it must have.
        **options: of `pandas.read_csv`.

    Raises:
        InputError: the file is missing, not UTF-8 or no CSV, or lacks a column.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(path, **options)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except (OSError, ValueError) as error:  # what pandas raises itself is a ValueError
        message = str(error).strip().rstrip(".").replace("\n", " ")
        raise InputError(f"{path} is not valid CSV: {message}. Restore or remove it.") from None
    _refuse_lacking(path, columns, frame.columns, "column")
    return frame


def _refuse_lacking(path: Path, wanted: tuple[str, ...], found: Container[str], kind: str) -> None:
    missing = [name for name in wanted if name not in found]
    if missing:
        raise InputError(
            f"{path} has no {kind} {missing[0]!r}; {', '.join(wanted)} are expected. It is of "
            "something else or of another version: restore it, or remove it so that it is made "
            "again."
        )
