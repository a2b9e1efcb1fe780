"""`maskedteeth export STUDY.tar.zst`: a study's results in one file, to be moved or kept."""

import json
import os
import re
import tarfile
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import IO

from maskedteeth.errors import InputError
from maskedteeth.files import replacing
from maskedteeth.study.archive import (
    ENDING,
    MANIFEST,
    RESULTS,
    STUDY,
    Entry,
    Manifest,
    header,
    member,
    outside,
    parents,
    size,
)
from maskedteeth.study.locks import Held, resting
from maskedteeth.study.records import TIMESTAMP, Records


def export_study(archive: Path, /, *, study: str = "") -> None:
    """Write the results of a study, and what Snakemake knows about them, to one file.

    It holds results/<study>/; not what a stopped job left unfinished, the states of unfinished
    trainings, downloads, or radiographs that are read where you keep them. Run it in the project's
    folder. Logs, and Snakemake's records, may name paths of this machine. Nobody else can work on
    the study meanwhile.

    Args:
        archive: file to write, <study>.tar.zst; it must not exist yet.
        study: its name, where the file has another.

    Raises:
        InputError: there is no such study, it is being worked on, or a file changes meanwhile.
    """
    if not archive.name.endswith(ENDING):
        raise InputError(f"{archive} should end in {ENDING}: maskedteeth export demo{ENDING}.")
    if archive.exists():
        raise InputError(f"{archive} exists already; name another file, or remove it first.")
    study = study or archive.name.removesuffix(ENDING)
    folder = Path(RESULTS, study)
    if not re.fullmatch(STUDY, study) or not folder.is_dir():
        there = sorted(p.parent.name for p in Path(RESULTS).glob("[!.]*/data/"))
        known = f"studies here: {', '.join(there)}" if there else "there are no results here"
        raise InputError(
            f"{folder} is no study; {known}. Call this in the project's folder, and name the "
            "file after the study, or the study by --study."
        )
    try:
        with resting(Path(".snakemake", "holders"), study, read_only=True):
            manifest, left_out = _listed(study)
            try:
                packed = _write(archive, manifest)
            except OSError as error:
                raise InputError(f"{archive} cannot be written: {error}.") from None
    except Held as held:
        raise InputError(str(held)) from None
    print(
        f"{archive}: {len(manifest.files)} files of {folder}, {size(manifest.bytes)} in "
        f"{size(packed)}"
    )
    if left_out:
        print(f"Left out, because unfinished: {', '.join(left_out)}")


def _listed(study: str) -> tuple[Manifest, list[str]]:
    """Return the manifest of what is to move, and what is left out because it is unfinished."""
    from maskedteeth.provenance import git_commit, sha256

    snakemake = Records(Path())
    files, unfinished = _walk(Path(RESULTS, study))
    folders = {parent for file in files for parent in parents(file)}
    outputs = sorted({*files, *folders})
    partly = snakemake.incomplete(outputs)
    files = [file for file in files if not partly.intersection([file, *parents(file)])]
    records = {k: v for k, v in snakemake.read(outputs).items() if k not in partly}
    if not records:
        raise InputError(
            f"Snakemake keeps no records of {RESULTS}/{study} in .snakemake/metadata here. Without "
            "them it would go by the files' dates alone elsewhere, and take results of other "
            "settings or code for up to date. Call this in the folder where the study was made."
        )
    entries = []
    for file in sorted(files):
        wrong = outside(file, study)
        if wrong:
            raise InputError(f"{file} {wrong}; rename or remove it.")
        status = Path(file).stat()
        entries.append(
            Entry(
                path=file,
                size=status.st_size,
                sha256=sha256(Path(file)),
                mtime_ns=status.st_mtime_ns,
            )
        )
    manifest = Manifest(
        format=1,
        study=study,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        git_commit=git_commit(),
        snakemake=metadata.version("snakemake"),
        files=entries,
        records=records,
    )
    return manifest, sorted({*partly, *unfinished})


def _walk(folder: Path) -> tuple[list[str], list[str]]:
    """Return a study's files, and its folders of states. Links are followed: files move, not links.

    Hidden files, which are temporary names of files to be, are left out.
    """
    files, states, seen = [], [], set()
    for path, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(path)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        states += [f"{path}/{name}" for name in folders if name.endswith(".state")]
        folders[:] = [f for f in folders if not f.startswith(".") and not f.endswith(".state")]
        files += [f"{path}/{n}" for n in names if not n.startswith(".") or n == TIMESTAMP]
    return files, states


def _write(archive: Path, manifest: Manifest) -> int:
    """Write the archive; return its size in bytes."""
    from backports import zstd

    options = {zstd.CompressionParameter.checksum_flag: 1}
    content = json.dumps(manifest.model_dump()).encode()
    with replacing(archive) as temporary:
        with zstd.open(temporary, "wb", options=options) as packed:
            packed.write(header(member(MANIFEST, len(content))) + content)
            _pad(packed, len(content))
            for entry in manifest.files:
                packed.write(header(member(entry.path, entry.size)))
                with Path(entry.path).open("rb") as file:
                    left = entry.size
                    while left and (block := file.read(min(left, 2**20))):
                        packed.write(block)
                        left -= len(block)
                    if (
                        left
                        or file.read(1)
                        or os.fstat(file.fileno()).st_mtime_ns != entry.mtime_ns
                    ):
                        raise InputError(f"{entry.path} changes; export the study when it rests.")
                _pad(packed, entry.size)
            packed.write(bytes(2 * tarfile.BLOCKSIZE))
        return temporary.stat().st_size


def _pad(packed: IO[bytes], length: int) -> None:
    packed.write(bytes(-length % tarfile.BLOCKSIZE))
