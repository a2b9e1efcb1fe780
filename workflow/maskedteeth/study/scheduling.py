"""What Snakemake does between two jobs."""

from typing import Any

#: Snakemake's own `--max-jobs-per-timespan`: jobs, and seconds.
DEFAULT_LIMIT = (100, 1)


def look_when_a_job_ends(workflow: Any) -> None:
    """Let Snakemake look for jobs to start when one has ended, and not every second as well.

    While Snakemake 9 limits how many jobs start in a second, each look that finds jobs ready calls
    for another one a second later, and each job that ends begins such a series anew: after n jobs
    all that are ready are looked at n times a second. A limit that somebody asked for stays.

    Args:
        workflow: as Snakemake's ``onstart`` has it.
    """
    scheduler = getattr(workflow, "scheduler", None)
    limiter = getattr(scheduler, "job_rate_limiter", None)
    if limiter is not None and (limiter.max_jobs, limiter.timespan) == DEFAULT_LIMIT:
        scheduler.job_rate_limiter = None
