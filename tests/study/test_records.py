"""What is kept of Snakemake's records is of the form that Snakemake writes."""

from pathlib import Path
from typing import get_args

import pytest
from small_study import INDEX, RECORDS

from maskedteeth.errors import InputError
from maskedteeth.study.exporting import export_study
from maskedteeth.study.records import RECORD_FORMAT, Record, Records


def test_records_are_of_the_format_that_snakemake_writes(there, tmp_path):
    from snakemake.persistence import RECORD_FORMAT_VERSION

    assert RECORD_FORMAT == RECORD_FORMAT_VERSION
    assert get_args(Record.model_fields["record_format_version"].annotation) == (RECORD_FORMAT,)
    old = RECORDS[INDEX].model_copy(update={"record_format_version": 5})
    Records(Path()).write({INDEX: old})
    with pytest.raises(InputError, match=f"{INDEX} is of format 5, and 6 was expected"):
        export_study(tmp_path / "old.tar.zst", study="tiny")
