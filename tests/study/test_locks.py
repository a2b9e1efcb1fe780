"""A study that moves, and one that is worked on: one of the two waits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from maskedteeth.errors import InputError
from maskedteeth.study.exporting import export_study
from maskedteeth.study.importing import import_study

HOLD = """
import sys
from pathlib import Path
from maskedteeth.study.locks import Held, resting
try:
    with resting(Path(".snakemake/holders"), "tiny"):
        print("holds", flush=True)
        sys.stdin.read()
except Held as held:
    print(held)
"""


def another():
    """Start another process that works on the study, or says why it cannot."""
    command = [sys.executable, "-c", HOLD]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("step", ["exporting._write", "importing._copy", "importing._place"])
def test_nobody_else_works_on_a_study_while_it_moves(there, tmp_path, here, monkeypatch, step):
    module, name = step.split(".")
    module = sys.modules[f"maskedteeth.study.{module}"]
    function, said = getattr(module, name), []

    def meanwhile(*arguments):
        with another() as process:
            said.append(process.communicate()[0])
        return function(*arguments)

    monkeypatch.setattr(module, name, meanwhile)
    os.chdir(there)
    export_study(tmp_path / "held.tar.zst", study="tiny")
    os.chdir(here)
    import_study(tmp_path / "held.tar.zst")
    assert said and all(f"being worked on by process {os.getpid()} " in text for text in said)
    with another() as process:
        assert process.communicate()[0] == "holds\n"


@pytest.mark.parametrize("move", ["export", "export, only reading", "import"])
def test_a_study_that_is_worked_on_does_not_move(archive, there, here, monkeypatch, move):
    os.chdir(here if move == "import" else there)
    with another() as process:
        assert process.stdout.readline() == "holds\n"
        if move == "export, only reading":
            refuse_writing(monkeypatch)
        with pytest.raises(InputError, match=f"worked on by process {process.pid} "):
            import_study(archive) if move == "import" else export_study(Path("tiny.tar.zst"))
        process.communicate()
    assert not Path("tiny.tar.zst").exists() and not (here / "results" / "tiny").exists()


def refuse_writing(monkeypatch):
    """Have the holders' files be those of another user (the tests may run as root)."""
    opened = Path.open

    def open_(self, mode="r", *arguments, **options):
        if self.parent.name == "holders" and mode != "r":
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", open_)


@pytest.mark.parametrize("ever_run", [True, False])
def test_a_study_that_one_may_only_read_can_be_exported(
    there, tmp_path, monkeypatch, ever_run, capsys
):
    if ever_run:
        Path(".snakemake/holders").mkdir()
        Path(".snakemake/holders/tiny.json").touch()
    refuse_writing(monkeypatch)
    export_study(tmp_path / "read.tar.zst", study="tiny")
    assert (tmp_path / "read.tar.zst").exists()
    assert ("Nothing keeps others from working" in capsys.readouterr().err) is not ever_run
