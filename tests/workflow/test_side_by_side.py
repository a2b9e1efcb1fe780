"""Several Snakemakes in one folder."""

import json
import os
import signal
import time

import pytest

pytestmark = pytest.mark.workflow


def held_by(project, process):
    """Wait until a Snakemake holds the study; return what it wrote about itself."""
    file = project.folder / ".snakemake" / "holders" / "tiny.json"
    deadline = time.monotonic() + 120
    while not (file.exists() and file.stat().st_size):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[0]
        time.sleep(0.05)
    return json.loads(file.read_text())


def tree(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_second_snakemake_says_who_holds_the_study_and_leaves_all_as_it_is(new_project, tmp_path):
    project = new_project(tmp_path)
    first = project.start("draw_phantom")
    try:
        who = held_by(project, first)
        os.killpg(first.pid, signal.SIGSTOP)
        locks = project.folder / ".snakemake" / "locks"
        before = tree(locks), tree(project.folder / "results")
        for arguments in (["table2"], ["--unlock"], ["table2"]):
            printed = project.snakemake(*arguments, check=False)
            if arguments != ["--unlock"]:
                assert f"is being worked on by process {first.pid} on {who['host']}" in printed
                assert who["since"] in printed
                assert "draw_phantom" in printed and "Wait until it ends" in printed
                assert "Nothing was changed." in printed
                assert tree(locks) in (before[0], {})
                assert tree(project.folder / "results") == before[1]
        assert "draw_phantom" in project.planned("table2")  # a dry run needs no lock
    finally:
        os.killpg(first.pid, signal.SIGCONT)
    printed = first.communicate(timeout=120)[0]
    assert first.returncode == 0, printed
    assert (project.results / "data" / "raw").is_dir()
    assert "Nothing to be done" in project.snakemake("draw_phantom")


def test_of_a_killed_holder_it_says_that_it_no_longer_runs(new_project, tmp_path):
    project = new_project(tmp_path)
    first = project.start("draw_phantom")
    held_by(project, first)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    printed = project.snakemake("draw_phantom", check=False)
    assert f"locked by process {first.pid} on" in printed
    assert "which no longer runs" in printed and "--unlock" in printed
    project.snakemake("--unlock")
    project.snakemake("draw_phantom")
