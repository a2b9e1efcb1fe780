"""Snakemake's log comes in, lines go out."""

import io
import logging
import re
import subprocess
import sys
import threading
import time
from itertools import pairwise
from types import SimpleNamespace

import pytest
from snakemake.settings.enums import Quietness

from maskedteeth.study.progress import follow
from maskedteeth.study.progress.finish import Estimate
from maskedteeth.study.progress.follow import Follower
from maskedteeth.study.progress.jobs import Job, Jobs

COMMAND = "python -m maskedteeth train > log 2>&1"
KILLED = f"RuleException:\nCommand '{COMMAND}' died with <Signals.SIGKILL: 9>."


class Run:
    """A run of Snakemake that is followed, without Snakemake."""

    def __init__(self, folder, jobs, cluster=False):
        self.stream, self.folder = io.StringIO(), folder / "results" / "tiny"
        self.logger = logging.Logger("run")
        handler = logging.StreamHandler(self.stream)
        handler.name = "DefaultStreamHandler"
        self.logger.addHandler(handler)
        output = SimpleNamespace(verbose=False, nocolor=False, show_failed_logs=False)
        self.follower = Follower(
            SimpleNamespace(
                dag=SimpleNamespace(needrun_jobs=list),
                local_exec=not cluster,
                scheduler=SimpleNamespace(global_resources={"_cores": 2}),
                output_settings=output,
            ),
            self.folder,
            self.logger,
        )
        self.follower.jobs = Jobs(jobs)
        self.follower.begin()

    def log(self, event, message="Snakemake's own line", level=logging.INFO, **about):
        self.logger.log(level, message, extra={"event": event, **about})

    def begin(self, number, **about):
        about = {"rule_msg": f"Training: {number}", "resources": {"_cores": 1}, **about}
        self.log("job_info", jobid=number, **{"local": False, **about})

    def finish(self, number):
        self.log("job_finished", job_id=number)

    def fail(self, number, message=None):
        self.log("job_error", jobid=number, rule_msg=message, shellcmd=COMMAND)

    def wait_for(self, text, times=1, seconds=20):
        """Wait until something is printed, so many times."""
        deadline = time.monotonic() + seconds
        while self.stream.getvalue().count(text) < times:
            assert self.follower.thread.is_alive(), self.stream.getvalue()
            assert time.monotonic() < deadline, self.stream.getvalue()
            time.sleep(0.01)

    def end(self):
        """The run ends; returns what was printed and what stands in the log."""
        self.follower.close()
        return self.stream.getvalue(), (self.folder / "progress.log").read_text()


@pytest.fixture
def run(tmp_path):
    """Starts a run of jobs 1, 2 and 3."""
    runs = []

    def start(**known):
        jobs = [Job(n, "train", "train a", "train", log=tmp_path / f"{n}.log") for n in (1, 2, 3)]
        runs.append(Run(tmp_path, jobs, **known))
        return runs[-1]

    yield start
    for one in runs:
        one.follower.close()


def without_times(text):
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\d:\d\d:\d\d", "T", text)


def test_a_line_for_every_finished_job_and_none_of_snakemakes_about_them(run):
    study = run()
    study.begin(1)
    study.begin(2)
    study.finish(1)
    study.finish(2)
    study.log(None, "Another line of Snakemake")
    study.begin(3)
    study.finish(3)
    printed, log = study.end()
    lines = without_times(printed).splitlines()
    lines.remove("Another line of Snakemake")
    assert lines == without_times(log).splitlines()
    assert lines == [
        f"T  3 jobs to do; what happens is also in {study.folder}/progress.log",
        *("T  1/3  Training: 1 (T)", "T  2/3  Training: 2 (T)", "T  3/3  Training: 3 (T)"),
        "T  Ended after T: 3 of 3 jobs done.",
    ]


def test_one_run_is_appended_to_another(run):
    first = run().end()[1]
    both = run().end()[1]
    assert both.startswith(first) and both.count("Ended") == 2


def test_a_failure_is_told_at_once_with_its_reason(run, tmp_path):
    study = run()
    study.begin(1)
    study.begin(2)
    (tmp_path / "1.log").write_text("epoch 1/2\nmaskedteeth train: The loss is nan.\nTry 1.\n")
    study.fail(1)
    study.wait_for("Try 1.")
    study.log("error", KILLED, logging.ERROR, exception="RuleException")
    study.fail(2)
    printed, log = study.end()
    said = "Failed after T: Training: 1\n    maskedteeth train: The loss is nan.\n    Try 1.\n"
    assert f"{said}    log: {tmp_path}/1.log\n" in without_times(printed)
    assert "Training: 2\n    It was killed by signal 9 (SIGKILL), most likely" in printed
    assert "0 of 3 jobs done, 2 failed, 1 did not run." in printed
    assert "RuleException" not in printed and log == printed


def test_what_a_cluster_says_of_a_failure_and_that_the_job_is_tried_again(run, tmp_path):
    (tmp_path / "1.log").write_text("maskedteeth train: of last week\n")
    study = run(cluster=True)
    study.begin(1)
    further = "For further error details see the cluster/cloud log."
    study.fail(1, f"SLURM-job '7' failed, SLURM status is: 'OUT_OF_MEMORY'. {further}")
    study.log(None, "Trying to restart job 1.")
    study.begin(1)
    study.finish(1)
    printed, _ = study.end()
    said = "Training: 1\n    SLURM-job '7' failed, SLURM status is: 'OUT_OF_MEMORY'.\n"
    assert f"{said}    It ended before its log began.\n" in printed
    assert "Tried again: Training: 1" in printed and "1/3  Training: 1" in printed
    assert "For further" not in printed


def test_stopped_is_not_failed(run, tmp_path):
    study = run()
    for number in (1, 2):
        study.begin(number)
    (tmp_path / "1.log").write_text("maskedteeth train: stopped by SIGTERM; its state is in x.\n")
    study.fail(1)
    study.log(None, "Terminating processes on user request, this might take some time.")
    study.fail(2)
    study.begin(3)
    printed, _ = study.end()
    assert re.findall(r"(\w+) after \S+ (\S+)", printed)[:2] == [
        ("Stopped", "Training:"),
        ("Stopped", "Training:"),
    ]
    assert "stopped by SIGTERM; its state is in x." in printed
    assert "0 of 3 jobs done, 3 stopped." in printed


def test_summaries_come_now_and_then(run, monkeypatch):
    monkeypatch.setattr(follow, "SUMMARY", 0.2)
    monkeypatch.setattr(follow, "FRAME", 0.05)
    study = run()
    study.begin(1)
    study.wait_for("0 of 3 jobs done, 1 running, 2 left", times=2)
    assert "  Training: 1: 0:00:00\n" in study.end()[0]


def test_snakemake_does_not_wait_for_an_estimate(run, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def slow(jobs, *_):
        begun.set()
        assert go_on.wait(20)
        return Estimate(None, {})

    monkeypatch.setattr(follow, "estimate", slow)
    study = run()
    assert begun.wait(20)
    hears = threading.Thread(target=study.begin, args=[1], daemon=True)
    hears.start()
    hears.join(10)
    waited = hears.is_alive()
    go_on.set()
    assert not waited


@pytest.mark.parametrize(("takes", "times"), [(0.0, (3, 8)), (0.1, (2, 3))])
def test_many_events_do_not_make_many_estimates(run, monkeypatch, takes, times):
    """At the most one in 0.2 s, and five times as long between them as they take."""
    begun = []

    def slow(*_):
        begun.append(time.monotonic())
        time.sleep(takes)
        return Estimate(None, {})

    monkeypatch.setattr(follow, "estimate", slow)
    monkeypatch.setattr(follow, "SOON", 0.2)
    monkeypatch.setattr(follow, "PAUSE", 5)
    study = run()
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        study.begin(1)
        time.sleep(0.01)
    apart = [after - before for before, after in pairwise(begun)]
    assert times[0] <= len(begun) <= times[1]
    assert min(apart) >= max(0.2, 6 * takes)


def test_an_error_in_it_is_said_once_and_snakemakes_own_lines_come_back(run):
    study = run()
    study.log("job_info", jobid=1)  # lacks all that a job's information has
    study.begin(2)
    study.finish(2)
    printed = study.stream.getvalue()
    assert printed.count("The progress is no longer shown (KeyError('rule_msg')). The run") == 1
    assert printed.count("Snakemake's own line") == 2
    assert study.end()[0].count("no longer shown") == 1


def test_an_error_in_its_thread_does_not_harm_the_run_either(run, monkeypatch):
    monkeypatch.setattr(follow, "estimate", lambda *_: 1 / 0)
    study = run()
    study.follower.thread.join(timeout=10)
    study.begin(1)
    printed = study.stream.getvalue()
    assert "The progress is no longer shown (ZeroDivisionError" in printed
    assert "Snakemake's own line" in printed


def test_a_log_that_cannot_be_written_is_named_and_the_rest_is_told(run, tmp_path):
    log = tmp_path / "results" / "tiny" / "progress.log"
    log.mkdir(parents=True)
    study = run()
    study.wait_for("progress.log cannot be written: Is a directory.")
    log.rmdir()
    study.begin(1)
    study.finish(1)
    printed, logged = study.end()
    assert printed.count("cannot be written") == 1
    assert "1/3  Training: 1" in printed and "1/3  Training: 1" in logged


def test_a_second_interrupt_leaves_the_terminal_all_the_same(run, monkeypatch):
    study = run()

    def interrupted(timeout):
        raise KeyboardInterrupt

    monkeypatch.setattr(study.follower.thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        study.follower.close()
    assert study.follower not in study.logger.handlers
    study.log("progress", "Snakemake's own line")
    assert "Snakemake's own line" in study.stream.getvalue()
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("quiet", "followed"), [("RULES HOST", 1), ("RULES PROGRESS", 0), ("ALL", 0), ("", 1)]
)
def test_who_wants_quiet_about_progress_has_it(quiet, followed, monkeypatch, tmp_path):
    begun = []
    monkeypatch.setattr(
        follow, "Follower", lambda *_: SimpleNamespace(begin=lambda: begun.append(1))
    )
    monkeypatch.setattr(follow, "_followed", [])
    output = SimpleNamespace(quiet={Quietness[name] for name in quiet.split()} or None)
    follow.follow(SimpleNamespace(touch=False, output_settings=output), tmp_path)
    assert len(begun) == followed


def test_nothing_heavy_is_imported_for_it():
    heavy = "{'torch', 'pandas', 'matplotlib', 'numpy', 'rich', 'snakemake'}"
    code = f"import sys, maskedteeth.study.progress.follow; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
