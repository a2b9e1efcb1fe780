"""What files a dataset consists of, so that other ones are noticed, newer or older."""

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from maskedteeth.data.folders import files_below, folders_named
from maskedteeth.data.given import test_set_of
from maskedteeth.errors import InputError, say
from maskedteeth.settings.config import Data


def state_of_dataset(data: Data, given: str | None, known: Path, setting: str = "data") -> str:
    """Return names, sizes and times (whole seconds) of the user's files, as a digest.

    Args:
        data: settings of the dataset, whose files are at ``data.path``.
        given: split.given, which may name a CSV. Without either the result is "".
        known: where `prepare` left the path and the digest of what it read. Where nothing is at
            that path, as on a drive that is not mounted, its digest is returned: what is finished
            stays usable.
        setting: whose value ``data`` is.

    Raises:
        InputError: ``data.path`` is not there and nothing was indexed, or it is a file where a
            folder is expected, or the other way round.
    """
    split = [_state_of_split(given)] if given and given != "folders" else []
    if data.path is None:
        return _digest(split) if split else ""
    path = Path(data.path).expanduser()
    kind = "folder" if data.in_place else "zip file"
    found = []
    for file in _files_of(path, data):
        with suppress(OSError):  # a broken link, or gone meanwhile
            about = file.stat()
            found.append(f"{file.relative_to(path)} {about.st_size} {int(about.st_mtime)}")
    if not found and known.exists():
        indexed, _, digest = known.read_text(encoding="utf-8").strip().rpartition("\n")
        if indexed == data.path:
            say(f"{setting}.path {path} is missing or empty; its index is used.")
            return digest
    if not (path.is_dir() if data.in_place else path.is_file()):
        within = "" if path.is_absolute() else f" in {Path.cwd()}"
        raise InputError(
            f"{setting}.path {path} is not a {kind}{within}; name the {kind} of the dataset."
        )
    return _digest(split + sorted(found))


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _state_of_split(given: str) -> str:
    file = Path(given).expanduser()
    if file.is_dir():
        return " ".join(test_set_of(file))
    if not file.is_file():
        raise InputError(
            f"split.given {given} does not exist; name a CSV with the columns id and part, the "
            "folder of a study's results, or 'folders'."
        )
    about = file.stat()
    return f"{file.name} {about.st_size} {int(about.st_mtime)}"


def _files_of(path: Path, data: Data) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        folders = [path]
        if data.source == "folder":  # what else lies there is not read
            named = (folders_named(path, name) for name in (data.images, data.masks))
            folders = [folder for found in named for folder in found.values()]
        yield from itertools.chain.from_iterable(map(files_below, folders))
