"""`maskedteeth import STUDY.tar.zst`: a study's results from elsewhere, whole or not at all."""

import hashlib
import json
import os
import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from maskedteeth.errors import InputError
from maskedteeth.study.archive import (
    MANIFEST,
    MOST_OF_A_MANIFEST,
    RESULTS,
    Entry,
    Manifest,
    outside,
    parents,
    size,
)
from maskedteeth.study.locks import Held, resting
from maskedteeth.study.records import Records
from maskedteeth.study.staging import staging


class _Refused(Exception):
    """What is wrong with an archive, as the rest of a sentence that begins with its name."""


def import_study(archive: Path, /, *, replace: bool = False, data: str = "") -> None:
    """Bring the results of a study in from an archive, so that Snakemake sees them as up to date.

    Run it in the project's folder. The archive is read and checked to its end in a folder of its
    own before anything gets its place: it comes in whole or not at all.

    Args:
        archive: what `maskedteeth export` wrote.
        replace: replace the results of a study of that name.
        data: where the radiographs are here, as in data.path, when they are read in place and were
            elsewhere there.

    Raises:
        InputError: the archive is damaged, or not what it should be; the study exists, or is being
            worked on; or there is no room.
    """
    if not archive.is_file():
        raise InputError(f"{archive} does not exist; name a file that `maskedteeth export` wrote.")
    try:
        Path(RESULTS).mkdir(exist_ok=True)
        with staging(Path(RESULTS)) as folder, _opened(archive) as stream:
            manifest = _manifest(stream)
            _refuse_paths(manifest)
            with resting(Path(".snakemake", "holders"), manifest.study):
                _refuse_present(manifest.study, replace)
                _unpack(stream, manifest, folder)
                if data:
                    _move_data(manifest, data)
                _place(manifest, folder)
    except Held as held:
        raise InputError(f"{archive} cannot come in now. {held}") from None
    except _Refused as refused:
        raise InputError(f"{archive} {refused}. Nothing was imported.") from None
    except OSError as error:
        raise InputError(f"{archive} cannot be imported: {error}. Nothing was imported.") from None
    print(
        f"{RESULTS}/{manifest.study}: {len(manifest.files)} files, {size(manifest.bytes)}, made "
        f"with commit {manifest.git_commit or 'unknown'}. `snakemake --dry-run` with the same "
        "settings says what is left to do."
    )


def _unpack(stream: IO[bytes], manifest: Manifest, folder: Path) -> None:
    """Unpack to ``folder`` and check everything."""
    free = shutil.disk_usage(folder).free
    if manifest.bytes > free:
        raise _Refused(
            f"needs {size(manifest.bytes)} to unpack where {size(free)} are free; make room"
        )
    for entry in manifest.files:
        _member(stream, entry.path, entry.size)
        _copy(stream, entry, folder / entry.path)
    if any(_exactly(stream, 2 * tarfile.BLOCKSIZE)):
        raise _Refused("holds files that its list does not name")
    if stream.read(1):
        raise _Refused("goes on after its end")
    # A clock that was ahead there must not make files of the future here.
    ahead = max((e.mtime_ns for e in manifest.files), default=0) - time.time_ns()
    for entry in manifest.files:
        moment = entry.mtime_ns - max(ahead, 0)
        os.utime(folder / entry.path, ns=(moment, moment))


@contextmanager
def _opened(archive: Path) -> Iterator[IO[bytes]]:
    from backports import zstd

    try:
        with zstd.open(archive, "rb") as stream:
            yield stream
    except (zstd.ZstdError, EOFError) as error:
        raise _Refused(f"is not a whole zstandard file ({error}); bring a whole copy") from None


def _exactly(stream: IO[bytes], length: int) -> bytes:
    block = stream.read(length)
    while block and len(block) < length:
        more = stream.read(length - len(block))
        if not more:
            break
        block += more
    if len(block) < length:
        raise _Refused("is cut off; bring a whole copy")
    return block


def _member(stream: IO[bytes], expected: str, length: int | None = None) -> int:
    """Read a header, which must be of the file ``expected``; return the file's size in bytes."""
    try:
        info = tarfile.TarInfo.frombuf(
            _exactly(stream, tarfile.BLOCKSIZE), "utf-8", "surrogateescape"
        )
    except tarfile.HeaderError as error:
        raise _Refused(
            f"is damaged or no tar file ({error}) where {expected} was expected"
        ) from None
    if not info.isreg() or info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        raise _Refused(
            f"has a member {info.name!r} that is a link, a device or otherwise no plain file"
        )
    if info.name != expected:
        wrong = outside(info.name, expected.split("/")[1]) if "/" in expected else None
        wrong = f"that {wrong}" if wrong else "that its list does not name there"
        raise _Refused(f"has a member {info.name!r} {wrong} where {expected} was expected")
    if length is not None and info.size != length:
        raise _Refused(f"holds {expected} with {info.size} bytes where its list says {length}")
    return info.size


def _manifest(stream: IO[bytes]) -> Manifest:
    length = _member(stream, MANIFEST)
    if not 0 <= length <= MOST_OF_A_MANIFEST:
        raise _Refused(f"has a list of {size(length)}, which is far too long")
    text = _exactly(stream, length)
    _exactly(stream, -length % tarfile.BLOCKSIZE)
    try:
        return Manifest.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _Refused(
            f"has a list that this version does not read ({where}: {first['msg'].lower()})"
        ) from None
    except (ValueError, RecursionError):
        raise _Refused("has a list that is not valid JSON") from None


def _refuse_paths(manifest: Manifest) -> None:
    """Refuse paths that lead elsewhere, come twice, or are a file and a folder at once."""
    files = [entry.path for entry in manifest.files]
    for path in files:
        wrong = outside(path, manifest.study)
        if wrong:
            raise _Refused(f"names a file {path!r} that {wrong}")
    known = set(files)
    if len(known) < len(files):
        raise _Refused("names a file twice")
    folders = {parent for path in files for parent in parents(path)}
    if known & folders:
        raise _Refused(f"names {min(known & folders)!r} as a file and as a folder")
    strange = manifest.records.keys() - known - folders
    if strange:
        raise _Refused(f"has a record of {min(strange)!r}, a file that it does not hold")
    if not files:
        raise _Refused("holds no file of its study")


def _refuse_present(study: str, replace: bool) -> None:
    folder, replaced = Path(RESULTS, study), _replaced(study)
    if os.path.lexists(replaced):
        raise _Refused(
            f"holds the study {study}, of which an import was killed that was to replace it: "
            f"{replaced} is what there was before. Move that to {folder}, in place of what may be "
            "there, or remove it, and start again"
        )
    if os.path.lexists(folder) and not replace:
        raise _Refused(
            f"holds the study {study}, and {folder} exists already; move it away, or replace it "
            "with --replace"
        )


def _copy(stream: IO[bytes], entry: Entry, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), entry.size
    with path.open("xb") as file:
        while left:
            block = _exactly(stream, min(left, 2**20))
            digest.update(block)
            file.write(block)
            left -= len(block)
    _exactly(stream, -entry.size % tarfile.BLOCKSIZE)
    if digest.hexdigest() != entry.sha256:
        raise _Refused(f"is damaged: {entry.path} does not match its checksum; bring a whole copy")


def _move_data(manifest: Manifest, data: str) -> None:
    """Have the records name radiographs that are read in place where they are here."""
    index = manifest.records.get(f"{RESULTS}/{manifest.study}/data/index.csv")
    old = min(index.input, key=len) if index and index.input else ""
    if not old or old.startswith(f"{RESULTS}/"):
        raise _Refused("is of a study whose radiographs came along; leave --data out")
    new = str(Path(data).expanduser())
    for output, record in manifest.records.items():
        manifest.records[output] = record.elsewhere(old, new)


def _place(manifest: Manifest, unpacked: Path) -> None:
    """Give the study its place, and Snakemake its records; or leave all as it was.

    What is replaced stands beside the studies until everything else is done.
    """
    folder, new = Path(RESULTS, manifest.study), unpacked / RESULTS / manifest.study
    old, records = _replaced(manifest.study), Records(Path())
    before = records.keep(sorted({*map(str, folder.rglob("*")), *manifest.records}))
    try:
        if os.path.lexists(folder):
            folder.rename(old)
        new.rename(folder)
        records.remove(before.outputs)
        records.write(manifest.records)
    except BaseException as error:
        try:
            if not os.path.lexists(new):
                folder.rename(new)
            if os.path.lexists(old):
                old.rename(folder)
            records.put_back(before)
        except OSError as another:
            raise InputError(
                f"The import failed ({str(error) or 'it was stopped'}), and {folder} could not be "
                f"made what it was ({another}). What was there before is in "
                f"{old if old.exists() else folder}, but Snakemake's records of it may be lost: it "
                "may go by the dates of the files."
            ) from error
        raise
    if os.path.lexists(old):  # from here on it may go
        old.rename(unpacked / "replaced")


def _replaced(study: str) -> Path:
    return Path(RESULTS, f".replaced-{study}")
