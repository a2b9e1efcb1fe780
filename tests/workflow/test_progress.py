"""What a person sees of a run while it is under way."""

import os
import re
import sys
from pathlib import Path

import pytest
from pseudo_terminal import run_in_terminal, seen

pytestmark = pytest.mark.workflow


def test_elsewhere_than_on_a_terminal_plain_lines_say_what_has_ended(project):
    printed = project.printed
    assert "\x1b" not in printed and "\r" not in printed
    jobs = int(re.search(r"(\d+) jobs to do", printed)[1])
    ended = re.findall(r"^[\d-]{10} [\d:]{8}  (\d+)/(\d+)  (.*)$", printed, re.MULTILINE)
    assert [(int(n), int(total)) for n, total, _ in ended] == [(n + 1, jobs) for n in range(jobs)]
    titles = [title for *_, title in ended]
    trainings = [title for title in titles if title.startswith("Training: ")]
    assert len(trainings) == 6
    assert all(re.search(r", seed 42 \(\d:\d\d:\d\d, loss \d\.\d{4}\)$", t) for t in trainings)
    places = "Report: results/tiny/report.html  Tables: results/tiny/tables"
    assert f"{jobs} of {jobs} jobs done.\n\nDone. {places}" in printed
    for line in ("Job stats:", "Building DAG of jobs..."):
        assert line in printed
    for line in ("Finished jobid", "steps (", "Reason: ", "Select jobs to execute"):
        assert line not in printed
    log = (project.results / "progress.log").read_text()
    assert set(log.splitlines()) <= set(printed.splitlines()) and log.count("\n") > jobs
    assert str(project.folder) not in log


def test_a_dry_run_leaves_no_line(project):
    log = (project.results / "progress.log").read_bytes()
    project.snakemake("--dry-run", "--forcerun", "table2")
    assert (project.results / "progress.log").read_bytes() == log


def test_on_a_terminal_it_is_shown_in_place_and_failures_where_they_happen(project, tmp_path):
    project = project.copy(tmp_path / "copy")
    for table in ("table2.md", "table3.md"):
        (project.results / "tables" / table).unlink()
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "table2", "table3"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    layout = "workflow/maskedteeth/report/tables/table2.py"
    with project.edit(layout, "    ours = mean_over", "    1 / 0\n    ours = mean_over"):
        written = run_in_terminal(
            [*command, "--configfile", *project.settings],
            {"PATH": path},
            folder=project.folder,
        )
    assert "Writing table2" in written and "0 of 2 jobs done, 1 running, 1 left" in written
    lines = seen(written)
    assert not [line for line in lines if "1 running" in line or "so far" in line]
    at = next(n for n, line in enumerate(lines) if "Failed after 0:00:" in line)
    assert lines[at].endswith(": Writing table2")
    assert lines[at + 1] == "    It ended with exit status 1. The last lines of its log:"
    assert lines[at + 2 :].index("    log: results/tiny/logs/table2.log") > 2
    rest = "\n".join(lines[at:])
    assert rest.count("ZeroDivisionError: division by zero") == 2  # there, and at the end
    assert "1 of 2 jobs done, 1 failed.\n" in rest and "1 job failed; 1 of 2 are fin" in rest
    assert "Finished jobid" not in written and "RuleException" not in written
    assert (project.results / "tables" / "table3.md").exists()
