"""Several Snakemakes in one folder."""

import json
import os
import shutil
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


def test_equal_studies_side_by_side_prepare_and_pretrain_once(new_project, tmp_path):
    project = new_project(tmp_path)
    for study in "ab":
        (project.folder / f"{study}.yaml").write_text(f"study: {study}\n")
    (project.folder / "c.yaml").write_text("study: c\npretext: {random_block_masking: {seed: 1}}\n")
    settings, target = list(project.settings), "figure6"
    runs = {}
    for study in "ab":
        project.settings = [*settings, f"{study}.yaml"]
        runs[study] = project.start(target)
    for process in runs.values():
        assert process.wait(timeout=600) == 0, process.communicate()[0]
    results = project.folder / "results"
    pretext = "pretext/random_block_masking"
    files = ("data/images.npy", "data/masks.npy", f"{pretext}/weights.safetensors")
    for file in files:
        assert (results / "a" / file).read_bytes() == (results / "b" / file).read_bytes()
    logs = [log for study in "ab" for log in (results / study / "logs").glob("pre[pt]*.log")]
    copied = sorted(log.name for log in logs if "Copied from" in log.read_text())
    assert copied == ["prepare.log", "pretrain-random_block_masking.log"]
    records = [json.loads((results / study / pretext / "run.json").read_text()) for study in "ab"]
    assert sum("shared_from" in record for record in records) == 1
    for study in "ab":
        project.settings = [*settings, f"{study}.yaml"]
        assert project.planned(target) == {}
    shutil.rmtree(results / "a")
    assert project.planned(target) == {}  # of b, which needs a no more
    project.settings = [*settings, "c.yaml"]
    project.snakemake(target)
    assert "Copied from" in (results / "c/logs/prepare.log").read_text()
    assert "Copied from" not in (results / "c/logs/pretrain-random_block_masking.log").read_text()
    assert (results / "c" / files[2]).read_bytes() != (results / "b" / files[2]).read_bytes()
