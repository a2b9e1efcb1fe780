"""A folder in which something is put together before it gets its place."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

PREFIX = ".import-"
#: The file in it that its process holds the lock of, for as long as it runs.
LOCK = "lock"


@contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """Yield an empty folder in ``parent``, and remove it with all that is left in it.

    Those of processes that were killed are removed as well.
    """
    for folder in parent.glob(f"{PREFIX}*/"):
        _sweep(folder)
    folder, lock = _new(parent)
    try:
        with lock:  # an open file could not be removed on NFS
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(folder: Path) -> None:
    try:
        with (folder / LOCK).open("a+") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # it is in use, or another user's, or there are no locks here
        return


def _new(parent: Path) -> tuple[Path, TextIO]:
    """Make a folder and lock it; again when it was swept away between the two."""
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=PREFIX))
        try:
            lock = (folder / LOCK).open("a+")
        except FileNotFoundError:
            continue
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX)
        except OSError:  # without locks here, others do not sweep either
            return folder, lock
        if (folder / LOCK).exists():
            return folder, lock
        lock.close()
