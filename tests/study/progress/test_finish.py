"""The finishing time, with durations that are given. A training's epochs take 10 s here."""

import os

import pytest

from maskedteeth.study.progress.finish import START, estimate
from maskedteeth.study.progress.jobs import Is, Job, Jobs

TWO = {"_cores": 2}


def table(number, *after, **known):
    return Job(number, "table", "table", "Writing", after=frozenset(after), **known)


def ran(job, begun, ended):
    """The job has run."""
    job.begin(begun, queued=False)
    job.takes = {"_cores": 1}
    job.end(Is.DONE, ended)
    return job


def test_nothing_is_known_of_trainings_before_they_were_measured(training):
    jobs = Jobs([training(1), table(2)])
    assert estimate(jobs, TWO, 0).run is None
    jobs = Jobs([training(1, seconds_per_step=0.2), table(2, 1)])
    assert estimate(jobs, TWO, 0).run == pytest.approx(START + 20 + START)


def test_jobs_run_side_by_side_as_cores_and_what_they_wait_for_allow():
    done = ran(table(0), 0, 6)
    jobs = Jobs([done, *(table(n) for n in range(1, 6)), table(6, 5)])
    assert estimate(jobs, TWO, 6).run == 6 * 4  # three rounds, and the one after the fifth
    assert estimate(jobs, {"_cores": 1}, 6).run == 6 * 6
    assert estimate(jobs, {"_cores": 9}, 6).run == 6 * 2


def test_what_takes_more_of_a_card_runs_alone():
    done = ran(table(0), 0, 6)
    done.takes = {"_cores": 1, "gpu_mem_mb": 60}
    jobs = Jobs([done, table(1), table(2)])
    assert estimate(jobs, {"_cores": 8, "gpu_mem_mb": 100}, 6).run == 12
    assert estimate(jobs, {"_cores": 8, "gpu_mem_mb": 120}, 6).run == 6
    assert estimate(jobs, {"_cores": 8, "gpu_mem_mb": 40}, 6).run == 12  # all of it, one by one


def test_before_a_job_of_a_rule_has_begun_it_takes_the_rules_threads():
    jobs = Jobs(table(n, threads=2) for n in range(4))
    assert estimate(jobs, {"_cores": 4}, 0).run == 2 * START
    assert estimate(jobs, {"_cores": 1}, 0).run == 4 * START  # all there is, one by one


def test_higher_priorities_come_first_and_others_fill_the_gaps():
    done = [ran(table(0), 0, 6), ran(Job(1, "wide", "wide", "Wide"), 0, 10)]
    done[1].takes = {"_cores": 2}
    wide, after = Job(5, "wide", "wide", "Wide", priority=10), table(6, 5)
    jobs = Jobs([*done, table(2), table(3), table(4), wide, after])
    assert estimate(jobs, TWO, 10).run == 10 + 6 + 6  # 28 if it came last
    jobs = Jobs([*done, table(2), table(3), wide])
    jobs.all[2].begin(10, queued=False)
    assert estimate(jobs, TWO, 10).run == 6 + 10  # the third has run beside the second


def test_a_training_that_is_too_slow_for_its_rate_in_print_is_not_over_at_once(training, say_epoch):
    job = training(1)
    job.begin(1000, queued=False)
    say_epoch(job, 2, before="Going on after step 10 of 100.\n", rate=0.0)
    os.utime(job.log, (7000, 7000))
    job.look(7000)
    assert job.loop_seconds() == 10 * 6000  # an epoch in this start took that
    found = estimate(Jobs([job]), TWO, 7300)
    assert found.run == found.jobs[1] == 8 * 6000 - 300


def test_a_running_training_has_its_epochs_left(training, say_epoch):
    job = training(1)
    job.begin(100, queued=False)
    say_epoch(job, 4)
    os.utime(job.log, (110, 110))
    job.look(110)
    found = estimate(Jobs([job]), TWO, 110)
    assert (found.run, found.jobs) == (6, {1: 6})
    assert estimate(Jobs([job]), TWO, 112).run == 4  # two seconds into the next epoch
    assert estimate(Jobs([job]), TWO, 999).run == 0


def test_trainings_take_what_others_of_their_kind_take_with_their_start(training, say_epoch):
    first, second = training(1, seconds_per_step=9.9), training(2)
    first.begin(100, queued=False)
    say_epoch(first, 10)
    first.end(Is.DONE, 113)  # its start and end took 3 s
    assert estimate(Jobs([first, second]), TWO, 113).run == 13
    second.training.share = 0.5  # half as many steps
    assert estimate(Jobs([first, second]), TWO, 113).run == 3 + 5


def test_a_slower_run_is_slower_for_trainings_of_other_kinds_too(training, say_epoch):
    first, other = training(1, seconds_per_step=0.05), training(2)
    other.kind = "train b"  # measured alike: 5 s, where the first took 10 s
    first.begin(100, queued=False)
    say_epoch(first, 10)
    first.end(Is.DONE, 113)
    assert estimate(Jobs([first, other]), TWO, 113).run == 13


def test_a_training_that_goes_on_has_less_to_do(training, say_epoch):
    first, second = training(1), training(2)
    first.begin(100, queued=False)
    say_epoch(first, 10)
    first.end(Is.DONE, 113)
    second.begin(113, queued=False)
    second.log.write_text("Going on after step 60 of 100.\n")
    second.look(114)
    assert estimate(Jobs([first, second]), TWO, 114).run == 3 + 4 - 1


def test_jobs_that_cannot_run_are_not_waited_for():
    failed = table(1)
    failed.begin(0, queued=False)
    failed.end(Is.FAILED, 1)
    assert estimate(Jobs([failed, table(2, 1)]), TWO, 1).run == 0


def test_on_a_cluster_as_many_run_at_once_as_were_seen_to(tmp_path):
    jobs = Jobs(table(n, log=tmp_path / f"{n}.log") for n in range(4))
    for number in range(3):  # the fourth is not submitted yet
        jobs.all[number].begin(0, queued=True)
    submitted = {"_nodes": 100}
    jobs.look(1)
    assert estimate(jobs, submitted, 1).run is None  # nothing has begun
    jobs.all[0].log.write_text("begun")
    jobs.look(2)
    assert estimate(jobs, submitted, 2).run == 4 * START
    jobs.all[1].log.write_text("begun")
    jobs.look(2)
    assert estimate(jobs, submitted, 2).run == 2 * START


def test_a_grid_of_thousands_is_estimated_in_a_blink(training, say_epoch):
    import time

    first = training(0)
    first.begin(0, queued=False)
    say_epoch(first, 10)
    first.end(Is.DONE, 13)
    others = [training(n) for n in range(1, 1500)]
    jobs = Jobs([first, *others, *(table(n + 1500, n) for n in range(1, 1500))])
    begin = time.process_time()
    left = estimate(jobs, TWO, 13).run
    assert time.process_time() - begin < 0.5
    assert left == pytest.approx((1499 * 13 + 1499 * START) / 2, rel=0.02)
