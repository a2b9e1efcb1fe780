"""What Snakemake keeps about finished files, and which of it moves along with them."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from snakemake.persistence.file import FilePersistence

#: Files in which Snakemake notes when it made a folder.
TIMESTAMP = ".snakemake_timestamp"


class Record(BaseModel):
    """Snakemake's record of a finished file, as of its format 6; anything else is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rule: str
    input: list[str]
    log: list[str]
    shellcmd: str | None
    params: list[str]
    code: str | None
    record_format_version: int
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


class Records:
    """Snakemake's records in a project's folder, read and written by Snakemake's own code."""

    def __init__(self, project: Path):
        self.folder = project / ".snakemake"

    def _open(self) -> "FilePersistence":
        from snakemake.persistence.file import FilePersistence

        return FilePersistence(path=self.folder)

    def read(self, outputs: list[str]) -> dict[str, Record]:
        """Return the records of those ``outputs``, files or folders, that have one."""
        if not self.folder.is_dir():
            return {}
        snakemake = self._open()
        found = {}
        for output in outputs:
            record = snakemake._read_record(output)
            if record is not None and record.rule is not None:
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

    def remove(self, outputs: list[str]) -> None:
        """Forget ``outputs``."""
        snakemake = self._open()
        for output in outputs:
            snakemake._delete_record(output)
            snakemake._unmark_incomplete(output)
