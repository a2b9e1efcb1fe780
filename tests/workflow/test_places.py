"""The project in any folder, also a read-only one, and Snakemake started from any other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow

MADE = ("results/audit/audit.md", "results/tiny/data/index.csv")


@pytest.fixture
def clone(new_project, tmp_path):
    """A clone whose path holds odd characters, beside an empty folder ``work``."""
    (tmp_path / "work").mkdir()
    folder = tmp_path / "Zähne (ü) 'neu' a b"
    folder.mkdir()
    new_project(folder)
    return folder


def read_only(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)


def snakemake(folder, *arguments):
    """Run Snakemake as a user whom permissions bind; return its status and what it printed."""
    bound = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    command = [*bound, sys.executable, "-m", "snakemake", "--cores", "1", *MADE, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    return done.returncode, done.stdout + done.stderr


def with_settings_of(clone):
    return "--configfile", f"{clone}/config/demo.yaml", f"{clone}/tiny.yaml"


@pytest.mark.parametrize("how", ["--snakefile", "--directory", "results on another disk"])
def test_results_are_where_they_are_wanted(clone, how):
    work = clone.parent / "work"
    if how == "--snakefile":
        read_only(clone)
        given = (work, how, "../" + clone.name + "/Snakefile")
    elif how == "--directory":
        read_only(clone)
        given = (clone, how, "../work")
    else:
        (work / "results").mkdir()
        (clone / "results").symlink_to(work / "results")
        given = (clone,)
    status, printed = snakemake(*given, *with_settings_of(clone))
    assert status == 0, printed[-4000:]
    assert all((work / file).is_file() for file in MADE)
    assert "Nothing to be done" in snakemake(*given, "--dry-run", *with_settings_of(clone))[1]


@pytest.mark.parametrize("what", ["read-only clone", "disk that is not there"])
def test_results_that_cannot_be_written_are_a_sentence(clone, what):
    if what == "read-only clone":
        read_only(clone)
    else:
        (clone / "results").symlink_to(clone.parent / "no_disk")
    status, printed = snakemake(clone, "--dry-run", *with_settings_of(clone))
    assert status and "Traceback" not in printed
    assert "cannot be written in" in printed and "add --directory with a folder of" in printed


def test_a_card_that_cannot_be_used_is_said_once_before_anything_runs(clone, monkeypatch):
    tool = clone.parent / "work" / "nvidia-smi"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    settings = (*with_settings_of(clone), "--config", "compute={device: auto}")
    assert "the CPU is used" not in snakemake(clone, "--dry-run", *settings)[1]
    _, printed = snakemake(clone, *settings)
    assert printed.count("NVIDIA's driver is here, but the CPU is used: ") == 1
    assert printed.index("set compute.device to 'cpu'") < printed.index("Select jobs to execute")
