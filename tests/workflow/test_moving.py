"""A finished study in another place, with other times; and the plan of what is left to do."""

import os
import shutil
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.workflow


def stage(project, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "maskedteeth", *arguments],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": f"workflow{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def moved(project, new_project, tmp_path_factory):
    """The finished study, exported and imported in a fresh copy of the project."""
    archive = tmp_path_factory.mktemp("archives") / "tiny.tar.zst"
    assert stage(project, "export", str(archive)).returncode == 0
    other = new_project(tmp_path_factory.mktemp("another place"))
    for path in other.folder.rglob("*"):  # newer than anything in the archive
        os.utime(path, (time.time(), time.time()))
    came = stage(other, "import", str(archive))
    assert came.returncode == 0, came.stderr
    return other


def test_a_moved_study_is_up_to_date(moved):
    assert moved.planned() == {}


def test_one_table_can_be_remade_from_a_moved_study(moved, project):
    for table in (moved.results / "tables").glob("table2.*"):
        table.unlink()
    assert moved.planned("table2") == {"table2": 1}
    moved.snakemake("table2")
    for table in (project.results / "tables").glob("table2.*"):
        assert (moved.results / "tables" / table.name).read_bytes() == table.read_bytes()
    assert moved.planned() == {}


def test_a_moved_table_still_says_where_it_comes_from(moved, project):
    file = "results/tiny/tables/table1.md"
    assert stage(moved, "why", file).stdout == stage(project, "why", file).stdout != ""


def test_an_unfinished_study_moves_as_far_as_it_is(project, new_project, tmp_path):
    (tmp_path / "part").mkdir()
    (tmp_path / "other").mkdir()
    part = new_project(tmp_path / "part")
    shutil.copytree(project.results, part.results, copy_function=shutil.copy2)
    shutil.copytree(project.folder / ".snakemake", part.folder / ".snakemake")
    shutil.rmtree(part.results / "runs" / "unet")
    shutil.rmtree(part.results / "tables")
    left = part.planned("table2")
    assert stage(part, "export", "tiny.tar.zst").returncode == 0
    other = new_project(tmp_path / "other")
    assert stage(other, "import", str(part.folder / "tiny.tar.zst")).returncode == 0
    assert other.planned("table2") == left == {"train": 2, "evaluate": 2, "table2": 1}


def test_a_plan_says_what_why_and_how_long_and_changes_nothing(project):
    before = {p: p.stat().st_mtime_ns for p in project.results.rglob("*")}
    settings = ["--configfile", *project.settings, "--config"]
    plan = stage(project, "plan", *settings, "training={epochs: 3}")
    assert plan.returncode == 0, plan.stderr
    lines = plan.stdout.splitlines()
    assert "train                    6     0  epochs 1 → 3" in lines
    done = " ".join(plan.stdout.partition("\nDone: ")[2].partition("\n\n")[0].split())
    assert "pretrain 1" in done.split(", ")
    assert "of CPU time for 6 trainings" in plan.stdout and "Estimate" in plan.stdout
    assert max(map(len, lines)) <= 80
    assert {p: p.stat().st_mtime_ns for p in project.results.rglob("*")} == before
    assert "Nothing to be done" in stage(project, "plan", "--configfile", *project.settings).stdout


def test_a_plan_of_an_unknown_target_is_a_sentence(project):
    plan = stage(project, "plan", "table9", "--configfile", *project.settings)
    assert plan.returncode == 2 and "No rule to produce table9" in plan.stderr
