"""The format of a moved study: a tar file, compressed by zstandard.

Its first member is ``manifest.json``, a :class:`Manifest`; all others are the files that it lists,
at their paths from the project's folder, in its order. Nothing else is allowed in it: no folder, no
link, no extended header.
"""

import re
import tarfile
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from maskedteeth.errors import InputError
from maskedteeth.study.records import Record

RESULTS = "results"
MANIFEST = "manifest.json"
MOST_OF_A_MANIFEST = 256 * 2**20
MOST_FILES = 1_000_000
ENDING = ".tar.zst"
STUDY = r"[A-Za-z0-9][A-Za-z0-9_-]*"

Count = Annotated[int, Field(ge=0, lt=2**63)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Entry(_Strict):
    """A file: its path from the project's folder, size in bytes, and modification time in ns."""

    path: str
    size: Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    mtime_ns: Count


class Manifest(_Strict):
    """What an archive holds, and where it comes from."""

    format: Literal[1]
    study: Annotated[str, Field(pattern=f"^{STUDY}$")]
    made: str = Field(description="When, ISO 8601.")
    git_commit: str | None = Field(description="Of the workflow's code.")
    snakemake: str
    files: Annotated[list[Entry], Field(max_length=MOST_FILES)]
    records: dict[str, Record] = Field(description="Snakemake's, by the output's path.")

    @property
    def bytes(self) -> int:
        """Size of all files, unpacked."""
        return sum(entry.size for entry in self.files)


def member(path: str, size: int) -> tarfile.TarInfo:
    """Return the header of a file in the archive."""
    info = tarfile.TarInfo(path)
    info.size, info.mode = size, 0o644
    return info


def header(info: tarfile.TarInfo) -> bytes:
    """Return the 512 bytes of a member's header.

    Raises:
        InputError: the oldest common format, which needs no extended headers, cannot hold it.
    """
    try:
        return info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape")
    except ValueError as error:
        raise InputError(
            f"{info.name} does not fit into an archive ({error}): paths end at 255 characters and "
            "files at 8 GiB."
        ) from None


def outside(path: str, study: str) -> str | None:
    """Say what is wrong with a file's path in an archive of ``study``; None if nothing is."""
    parts = path.split("/")
    if path.startswith("/") or "\\" in path or re.match(r"^[A-Za-z]:", path):
        return "is an absolute path"
    if any(part in ("", ".", "..") for part in parts):
        return "leads out of its folder"
    if not path.isprintable():
        return "holds characters that cannot be printed"
    if len(parts) < 3 or parts[0] != RESULTS or parts[1] != study:
        return f"does not belong to {RESULTS}/{study}"
    return None


def parents(path: str) -> list[str]:
    """Return the folders that ``path`` lies in, without the project's."""
    return [str(folder) for folder in PurePosixPath(path).parents][:-1]


def size(number: int) -> str:
    """Print a number of bytes: 9.5 MB."""
    value = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
