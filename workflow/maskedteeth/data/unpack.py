"""Unpack a zip that a stranger may have made, into a folder that appears whole or not at all."""

import errno
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from maskedteeth.errors import InputError
from maskedteeth.files import replacing_folder

#: The folder of the dataset that everything else reads.
DATASET = "Teeth Segmentation JSON"

#: What zipfile raises for damaged files; names that are not the UTF-8 they claim are a ValueError.
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(NotImplementedError, OverflowError, ValueError),
)

#: More than the dataset could ever be: bytes unpacked, and members.
MOST_BYTES = 8 << 30
MOST_MEMBERS = 50_000


def unpack(archive: Path, raw: Path) -> None:
    """Unpack the dataset's zip to the folder ``raw``.

    The layout is checked from the list of names before anything is written. Folders that wrap
    the dataset are taken off, so that ``raw/Teeth Segmentation JSON`` exists; whatever lies beside
    it in the zip comes along.

    Raises:
        InputError: as :func:`check_layout`; a damaged file inside, or no space; or ``raw`` holds
            something else.
    """
    _refuse_foreign(raw)
    with _opened(archive) as content, replacing_folder(raw) as folder:
        members, wrapper = _checked(archive, content)
        _refuse_full_disk(archive, members, folder, raw)
        unwrapped = folder / ".zip"
        for member in members:
            content.extract(member, unwrapped)
        for part in (unwrapped / wrapper).iterdir():
            part.rename(folder / part.name)
        shutil.rmtree(unwrapped)


def check_layout(archive: Path) -> None:
    """Check from its list of names that ``archive`` is the dataset and safe to unpack.

    Raises:
        InputError: not a zip, another layout, names that lead out of the folder, links, encrypted,
            or larger than :data:`MOST_BYTES`.
    """
    with _opened(archive) as content:
        _checked(archive, content)


def _refuse_foreign(raw: Path) -> None:
    """Refuse to replace anything but an empty folder or an earlier dataset."""
    if raw.is_dir():
        if any(raw.iterdir()) and not (raw / DATASET).is_dir():
            raise InputError(f"{raw} holds files that are not the dataset; move them away.")
    elif raw.exists() or raw.is_symlink():
        raise InputError(f"{raw} is a file where a folder is to be made; move it away.")


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with _damage_told(f"{archive} is not a whole zip file"):
            content = zipfile.ZipFile(archive)
    except FileNotFoundError:
        raise InputError(f"The zip {archive} does not exist; correct data.path.") from None
    with content, _damage_told(f"{archive} is damaged inside"):
        yield content


@contextmanager
def _damage_told(sentence: str) -> Iterator[None]:
    try:
        yield
    except (*_DAMAGE, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # a place before the start
            raise
        raise InputError(f"{sentence} ({error}). Replace it by a whole copy.") from None


def _checked(
    archive: Path, content: zipfile.ZipFile
) -> tuple[list[zipfile.ZipInfo], PurePosixPath]:
    """Return the members to unpack, and the folder inside the zip that holds the dataset."""
    members = [m for m in content.infolist() if not m.filename.startswith("__MACOSX/")]
    _refuse_hostile(archive, members)
    return members, _find_wrapper(archive, members)


def _refuse_hostile(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    """Refuse a zip that would write elsewhere, make links, or fill the disk."""
    size = sum(member.file_size for member in members)
    if size > MOST_BYTES or len(members) > MOST_MEMBERS:
        raise InputError(
            f"{archive} would unpack to {size / 1e9:.1f} GB in {len(members)} files, far more than "
            "the dataset; it is not unpacked. Check where it comes from."
        )
    for member in members:
        name = member.filename.replace("\\", "/")
        kind = stat.S_IFMT(member.external_attr >> 16)
        leads_out = name.startswith("/") or ".." in name.split("/") or ":" in name.split("/")[0]
        if leads_out or kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            problem = "leads out of its folder" if leads_out else "is a link or a device"
            raise InputError(
                f"{archive} has a member {member.filename!r} that {problem}; nothing is unpacked. "
                "Check where the zip comes from."
            )
        if member.flag_bits & 1:
            raise InputError(f"{archive} is encrypted; unpack it and set data.path to the folder.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(
                f"{archive} compresses {member.filename!r} by method {member.compress_type} where "
                "Deflate (8) was expected; unpack it and set data.path to the folder."
            )
    _refuse_collisions(archive, members)


def _refuse_collisions(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    """Refuse members of which one would overwrite another, also where case does not count."""
    files: dict[str, str] = {}
    for member in members:
        if not member.is_dir():
            name = str(PurePosixPath(member.filename)).casefold()
            if name in files:
                raise InputError(
                    f"{archive} has two members {files[name]!r} and {member.filename!r} where one "
                    "was expected; nothing is unpacked. Check where the zip comes from."
                )
            files[name] = member.filename
    for member in members:
        within = PurePosixPath(member.filename.casefold()).parents
        own = [PurePosixPath(member.filename.casefold())] * member.is_dir()
        if file := next((files[str(p)] for p in (*own, *within) if str(p) in files), None):
            raise InputError(
                f"{archive} has a file {file!r} where {member.filename!r} needs a folder; nothing "
                "is unpacked. Check where the zip comes from."
            )


def _find_wrapper(archive: Path, members: list[zipfile.ZipInfo]) -> PurePosixPath:
    """Return the folder inside the zip that holds the dataset ('.' where nothing wraps it)."""
    counts: dict[PurePosixPath, dict[str, int]] = {}
    for member in members:
        parts = PurePosixPath(member.filename).parts
        for kind in ("img", "ann"):
            inside = len(parts) > 3 and parts[-4:-1] == (DATASET, "d2", kind)
            if inside and not member.is_dir() and not parts[-1].startswith("."):
                found = counts.setdefault(PurePosixPath(*parts[:-4]), {"img": 0, "ann": 0})
                found[kind] += 1
    if len(counts) != 1:
        tops = sorted({PurePosixPath(member.filename).parts[0] for member in members})
        raise InputError(
            f"{archive} holds the folder '{DATASET}/d2/img' {len(counts)} times where once was "
            f"expected. At its top are: {', '.join(tops[:8]) or 'no files'}. Set data.path to the "
            "zip that the publisher or Kaggle gives, or to its unpacked folder."
        )
    ((wrapper, found),) = counts.items()
    if found["img"] != found["ann"]:
        raise InputError(
            f"{archive} has {found['img']} radiographs in '{DATASET}/d2/img' and {found['ann']} "
            "annotations in '.../ann' where equal numbers were expected. Download it again."
        )
    return wrapper


def _refuse_full_disk(
    archive: Path, members: list[zipfile.ZipInfo], folder: Path, raw: Path
) -> None:
    need, free = sum(member.file_size for member in members), shutil.disk_usage(folder).free
    if need > free:
        raise InputError(
            f"{archive} needs {need / 1e6:.1f} MB to unpack, and where {raw} is to be made "
            f"{free / 1e6:.1f} MB are left; make room and run the same command again."
        )
