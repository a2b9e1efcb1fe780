"""An import that fails or is stopped leaves what was there, and one that succeeds nothing of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_study import CONTENT, INDEX, RAW, RECORDS, record

from maskedteeth.errors import InputError
from maskedteeth.study.importing import import_study
from maskedteeth.study.records import Records

MINE = {"results/tiny/mine.txt": b"mine", INDEX: b"id\n2\n"}


@pytest.fixture
def mine(here):
    """A study of the same name, with records of its own and an output of a stopped job."""
    for path, content in MINE.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)
    Records(Path()).write({INDEX: record("mine")})
    Records(Path())._open()._mark_incomplete("results/tiny/mine.txt", None)
    return here


def stands(contents):
    """Tell whether the results are these files and nothing else, hidden or not."""
    files = {str(p): p.read_bytes() for p in Path("results").rglob("*") if p.is_file()}
    return files == contents


def known():
    """What Snakemake knows about all files that there were on either side."""
    paths = sorted({*CONTENT, *MINE, RAW})
    return Records(Path()).read(paths), Records(Path()).incomplete(paths)


def full(self, records):
    """A disk that gets full while the records are written."""
    first = min(records)
    WRITE(self, {first: records[first]})
    raise OSError(28, "No space left on device")


WRITE, RENAME = Records.write, Path.rename


@pytest.mark.parametrize("replace", [False, True])
def test_a_disk_that_gets_full_at_the_end_leaves_what_was_there(
    archive, here, request, monkeypatch, replace
):
    if replace:
        request.getfixturevalue("mine")
    before = known()
    monkeypatch.setattr(Records, "write", full)
    with pytest.raises(InputError, match="No space left.* Nothing was imported"):
        import_study(archive, replace=replace)
    assert stands(MINE if replace else {})
    assert known() == before


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("count", "replace"), [(1, False), (1, True), (2, True)])
def test_ctrl_c_between_the_renames_leaves_what_was_there(
    archive, here, request, monkeypatch, moment, count, replace
):
    if replace:
        request.getfixturevalue("mine")
    before, renames = known(), []

    def rename(self, target):
        renames.append(target)
        if len(renames) == count and moment == "before":
            raise KeyboardInterrupt
        RENAME(self, target)
        if len(renames) == count:
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(KeyboardInterrupt):
        import_study(archive, replace=replace)
    assert stands(MINE if replace else {})
    assert known() == before


def test_what_cannot_be_put_back_is_kept_and_named(archive, mine, monkeypatch):
    def rename(self, target):
        if self.name.startswith(".replaced-"):
            raise OSError(5, "Input/output error")
        RENAME(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(Records, "write", full)
    with pytest.raises(InputError, match="What was there before is in results/.replaced-tiny"):
        import_study(archive, replace=True)
    monkeypatch.undo()
    os.chdir(mine)
    assert Path("results/.replaced-tiny/mine.txt").read_bytes() == b"mine"
    with pytest.raises(InputError, match="Move that to results/tiny.* Nothing was imported"):
        import_study(archive, replace=True)
    RENAME(Path("results/.replaced-tiny"), "results/tiny")
    import_study(archive, replace=True)
    assert stands(CONTENT)


def test_replacing_leaves_nothing_of_the_old_behind(archive, mine):
    import_study(archive, replace=True)
    assert stands(CONTENT)
    assert known() == (RECORDS, set())


def test_leftovers_of_killed_imports_are_swept_and_those_of_others_are_not(archive, here):
    killed = Path("results/.import-killed")
    for part in ("results/tiny/data", "replaced"):
        (killed / part).mkdir(parents=True)
    code = (
        "import sys; from pathlib import Path; from maskedteeth.study.staging import staging\n"
        "with staging(Path('results')) as folder: print(folder, flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        living = Path(process.stdout.readline().strip())
        killed.mkdir(exist_ok=True)
        import_study(archive)
        assert {p.name for p in Path("results").iterdir()} == {"tiny", living.name}
        process.kill()
    import_study(archive, replace=True)
    assert [p.name for p in Path("results").iterdir()] == ["tiny"]
