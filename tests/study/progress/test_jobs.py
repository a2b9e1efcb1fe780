import os
import subprocess
import sys

import pytest

from maskedteeth.study.progress.jobs import Is, Job, Jobs

SNAKEFILE = """
from maskedteeth.study.progress.jobs import jobs_of

onstart:
    jobs = {job.rule: job for job in jobs_of(workflow)}
    print(*(f"{name} {jobs[name].threads}" for name in sorted(jobs)), sep=", ", flush=True)
    os._exit(0)

rule all:
    input: "told", "counted"

rule told:
    output: "told"
    threads: 3
    shell: "touch {output}"

rule counted:
    input: "told"
    output: "counted"
    threads: lambda w, input: os.path.getsize(input[0])
    shell: "touch {output}"
"""


@pytest.mark.parametrize(("most", "told"), [((), 3), (("--max-threads", "2"), 2)])
def test_the_threads_of_a_rule_are_known_before_it_begins(most, told, tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    command = [sys.executable, "-m", "snakemake", "--cores", "8", "--quiet", "all", *most]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout == f"counted 1, told {told}\n", done.stderr


def test_jobs_that_wait_for_a_failed_one_are_blocked():
    after = {1: (), 2: (1,), 3: (2,), 4: (), 5: (4, 3), 6: (4,)}
    jobs = Jobs(Job(n, "r", "r", "r", after=frozenset(a)) for n, a in after.items())
    assert jobs.blocked() == set()
    jobs.all[1].begin(0, queued=False)
    jobs.all[1].end(Is.FAILED, 1)
    assert jobs.blocked() == {2, 3, 5}
    jobs.all[1].begin(2, queued=False)  # tried again
    assert jobs.blocked() == set()


def test_a_log_that_an_earlier_run_left_does_not_count(training, say_epoch):
    job = training(1)
    say_epoch(job, 9)
    job.begin(100.0, queued=False)
    job.look(101.0)
    assert job.reached is None
    job.log.unlink()
    job.look(102.0)
    say_epoch(job, 2, before="Going on after step 5 of 100.\n")
    job.look(103.0)
    assert (job.reached.epoch, job.went_on) == (2, 0.05)
    job.begin(110.0, queued=False)  # tried again: what the attempt before left counts no more
    assert job.reached is None


def test_a_job_of_a_cluster_begins_when_its_log_does(training, say_epoch):
    job = training(1)
    jobs = Jobs([job])
    job.begin(100.0, queued=True)
    jobs.look(400.0)
    assert job.queued and jobs.most_at_once == 0
    say_epoch(job, 1)
    jobs.look(500.0)
    assert not job.queued and jobs.most_at_once == 1
    assert job.seconds(510.0) == 10


def test_the_last_line_of_a_log_is_read_when_its_job_ends(training, say_epoch):
    job = training(1)
    job.begin(100.0, queued=False)
    say_epoch(job, 10)
    os.utime(job.log, (109.0, 109.0))
    job.end(Is.DONE, 110.0)
    assert job.reached.epoch == 10 and job.seconds(999.0) == 10 and job.written == 109
    assert job.loop_seconds() == 10
