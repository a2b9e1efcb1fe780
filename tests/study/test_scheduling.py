from types import SimpleNamespace

import pytest
from snakemake.cli import get_argument_parser
from snakemake.scheduling.job_scheduler import JobRateLimiter, JobScheduler
from snakemake.settings.types import MaxJobsPerTimespan

from maskedteeth.study.scheduling import look_when_a_job_ends


def limited(words):
    """A workflow whose scheduler has the limit that Snakemake's command line gives it."""
    limit = get_argument_parser().parse_args(words).max_jobs_per_timespan
    if isinstance(limit, str):
        limit = MaxJobsPerTimespan.parse_choice(limit)
    return SimpleNamespace(scheduler=SimpleNamespace(job_rate_limiter=JobRateLimiter(limit)))


def test_snakemakes_own_limit_is_taken_away():
    workflow = limited([])
    look_when_a_job_ends(workflow)
    assert workflow.scheduler.job_rate_limiter is None
    # What it stands in, by its name, so that another Snakemake does not bring it back unseen.
    assert "job_rate_limiter" in JobScheduler.schedule.__code__.co_names


@pytest.mark.parametrize("limit", ["1/1s", "100/1m", "99/1s"])
def test_a_limit_that_was_asked_for_stays(limit):
    workflow = limited(["--max-jobs-per-timespan", limit])
    kept = workflow.scheduler.job_rate_limiter
    look_when_a_job_ends(workflow)
    assert workflow.scheduler.job_rate_limiter is kept


@pytest.mark.parametrize("workflow", [SimpleNamespace(), SimpleNamespace(scheduler=None)])
def test_a_workflow_without_a_scheduler_is_left_alone(workflow):
    before = dict(vars(workflow))
    look_when_a_job_ends(workflow)
    assert vars(workflow) == before
