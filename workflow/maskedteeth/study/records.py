"""What Snakemake keeps about finished files, and which of it moves along with them."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from maskedteeth.errors import InputError

if TYPE_CHECKING:
    from snakemake.persistence import MetadataRecord
    from snakemake.persistence.file import FilePersistence

#: Of Snakemake's records.
RECORD_FORMAT = 6
#: Files in which Snakemake notes when it made a folder.
TIMESTAMP = ".snakemake_timestamp"


class Record(BaseModel):
    """Snakemake's record of a finished file, as of its format 6; any other is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rule: str
    input: list[str]
    log: list[str]
    shellcmd: str | None
    params: list[str]
    code: str | None
    record_format_version: Literal[6]
    conda_env: str | None
    container_img_url: str | None
    software_stack_hash: str | None
    starttime: float
    endtime: float
    input_checksums: dict[str, str]

    def elsewhere(self, old: str, new: str) -> "Record":
        """Return the record with inputs at ``old``, or below it, at ``new`` instead."""

        def moved(path: str) -> str:
            return new + path[len(old) :] if f"{path}/".startswith(f"{old}/") else path

        return self.model_copy(
            update={
                "input": sorted(map(moved, self.input)),
                "input_checksums": {moved(k): v for k, v in self.input_checksums.items()},
            }
        )


class Kept(NamedTuple):
    """All that Snakemake knows about some outputs, in its own form, to be put back as it was."""

    outputs: list[str]
    records: "dict[str, MetadataRecord]"
    incomplete: set[str]


class Records:
    """Snakemake's records in a project's folder, read and written by Snakemake's own code."""

    def __init__(self, project: Path):
        self.folder = project / ".snakemake"

    def _open(self) -> "FilePersistence":
        from snakemake.persistence.file import FilePersistence

        return FilePersistence(path=self.folder)

    def read(self, outputs: list[str]) -> dict[str, Record]:
        """Return the records of those ``outputs``, files or folders, that have one.

        Raises:
            InputError: one is of another format.
        """
        if not self.folder.is_dir():
            return {}
        snakemake = self._open()
        found = {}
        for output in outputs:
            record = snakemake._read_record(output)
            if record is not None and record.rule is not None:
                if record.record_format_version != RECORD_FORMAT:
                    raise InputError(
                        f"Snakemake's record of {output} is of format "
                        f"{record.record_format_version}, and {RECORD_FORMAT} was expected: it was "
                        "made with another version of Snakemake. Make it again with this one: run "
                        f"the command that made it with --forcerun {record.rule} added."
                    )
                known = {k: v for k, v in record.items() if k in Record.model_fields}
                found[output] = Record.model_validate(known)
        return found

    def incomplete(self, outputs: list[str]) -> set[str]:
        """Return those ``outputs`` that a job was writing when it was stopped."""
        return self._open()._filter_incomplete_keys(outputs) if self.folder.is_dir() else set()

    def write(self, records: dict[str, Record]) -> None:
        """Write the records of outputs."""
        from snakemake.persistence import MetadataRecord

        snakemake = self._open()
        for output, record in records.items():
            known = MetadataRecord(**record.model_dump(), incomplete=False)
            snakemake._write_record(output, known)
            snakemake._unmark_incomplete(output)

    def keep(self, outputs: list[str]) -> Kept:
        """Return all that there is about ``outputs``, of any format."""
        if not self.folder.is_dir():
            return Kept(outputs, {}, set())
        snakemake = self._open()
        found = {output: snakemake._read_record(output) for output in outputs}
        records = {output: record for output, record in found.items() if record is not None}
        return Kept(outputs, records, self.incomplete(outputs))

    def put_back(self, kept: Kept) -> None:
        """Have Snakemake know about the outputs of ``kept`` what it knew then."""
        self.remove(kept.outputs)
        snakemake = self._open()
        for output, record in kept.records.items():
            snakemake._write_record(output, record)
        for output in kept.incomplete:
            snakemake._mark_incomplete(output, None)

    def remove(self, outputs: list[str]) -> None:
        """Forget ``outputs``."""
        snakemake = self._open()
        for output in outputs:
            snakemake._delete_record(output)
            snakemake._unmark_incomplete(output)
