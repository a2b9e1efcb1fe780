"""A small study, its archive, and another project to bring it to."""

import os
from pathlib import Path

import pytest
from small_study import CONTENT, LEFT_OUT, RECORDS

from maskedteeth.study.exporting import export_study
from maskedteeth.study.records import Records


@pytest.fixture
def there(tmp_path, monkeypatch):
    """A project with a small study, in which the test runs."""
    folder = tmp_path / "there"
    for number, (path, content) in enumerate([*CONTENT.items(), *((p, b"-") for p in LEFT_OUT)]):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, ns=(10**18 + number, 10**18 + number))
    monkeypatch.chdir(folder)
    Records(Path()).write(RECORDS)
    return folder


@pytest.fixture
def archive(there, tmp_path):
    export_study(tmp_path / "tiny.tar.zst")
    return tmp_path / "tiny.tar.zst"


@pytest.fixture
def here(archive, tmp_path, monkeypatch):
    """Another project, empty, in which the test goes on."""
    folder = tmp_path / "elsewhere" / "with a space"
    (folder / "results").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder
