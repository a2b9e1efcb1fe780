import time

from maskedteeth.study.progress import words
from maskedteeth.study.progress.finish import Estimate
from maskedteeth.study.progress.jobs import Is, Job, Jobs


def test_durations():
    assert [words.duration(s) for s in (12, 89.6, 600, 9000)] == ["12 s", "90 s", "10 min", "2.5 h"]
    assert [words.elapsed(s) for s in (0.9, 75, 90061)] == ["0:00:00", "0:01:15", "25:01:01"]


def test_one_job_is_one_job():
    assert words.begin(Jobs([Job(1, "r", "r", "r")]), "x") == "1 job to do; x"
    assert words.begin(Jobs([]), "x") == "0 jobs to do; x"


def test_a_moment_of_another_day_says_which():
    now = time.mktime((2024, 5, 1, 10, 0, 0, 0, 0, -1))
    moments = [words.clock(now + s, now) for s in (3600, 86_400, 30 * 86_400)]
    assert moments == ["11:00", "Thu 10:00", "2024-05-31 10:00"]


def test_a_summary_says_what_runs_and_how_far_it_is(training, say_epoch):
    job, queued = training(1), training(2)
    job.begin(100, queued=False)
    say_epoch(job, 3)
    job.look(110)
    queued.begin(100, queued=True)
    failed, blocked = Job(3, "r", "r", "Failing"), Job(4, "r", "r", "r", after=frozenset({3}))
    failed.begin(100, queued=False)
    failed.end(Is.FAILED, 101)
    jobs = Jobs([job, queued, failed, blocked, Job(5, "r", "r", "r")])
    first, *rest = words.summary(jobs, Estimate(None, {1: 7.0}), 50, 110).splitlines()
    counts = "0 of 5 jobs done, 1 running, 1 in the queue, 1 left, 1 failed"
    counts += ", 1 cannot run without those"
    assert first == f"{counts}; 0:01:00 so far, finishing time not known yet"
    assert rest == [
        "  Training: 1: epoch 3/10  loss 0.5000  100.0 images/s  7 s left",
        "  Training: 2: in the queue for 0:00:10",
    ]
    assert words.end(jobs, 60) == (
        "Ended after 0:01:00: 0 of 5 jobs done, 1 failed, 2 stopped, 2 did not run."
    )


def test_of_many_running_jobs_trainings_are_listed_and_the_others_counted(training):
    jobs = [Job(n, "r", "r", "r") for n in range(60)] + [training(n) for n in range(60, 64)]
    shown, more = words.listed(jobs)
    assert [job.number for job in shown[:4]] == [60, 61, 62, 63]
    assert more == f"and {len(jobs) - len(shown)} more"
    assert words.listed(shown) == (shown, "")
