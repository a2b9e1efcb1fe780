"""What is said of a run's progress, in plain lines."""

import time

from maskedteeth.study.progress.finish import Estimate
from maskedteeth.study.progress.jobs import Is, Job, Jobs

#: Running jobs that are listed one by one.
MOST_LISTED = 8


def duration(seconds: float) -> str:
    """Return an estimated duration in print: 12 s, 35 min, 4.2 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def elapsed(seconds: float) -> str:
    """Return a measured duration in print: 0:00:12, 4:12:00."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def clock(moment: float, now: float) -> str:
    """Return a moment in print, with its day where that is not today."""
    there, here = time.localtime(moment), time.localtime(now)
    if there[:3] == here[:3]:
        return time.strftime("%H:%M", there)
    if moment - now < 6 * 86400:
        return time.strftime("%a %H:%M", there)
    return time.strftime("%Y-%m-%d %H:%M", there)


def begin(jobs: Jobs, log: str) -> str:
    """Return the line on a run that begins; ``log`` says something of its log."""
    number = len(jobs.all)
    return f"{number} job{'' if number == 1 else 's'} to do; {log}"


def counts(jobs: Jobs) -> str:
    """Return how many jobs are done, running and left: `3 of 9 jobs done, 2 running, 4 left`."""
    running = jobs.are(Is.RUNNING)
    queued = sum(job.queued for job in running)
    failed, stopped = len(jobs.are(Is.FAILED)), len(jobs.are(Is.STOPPED))
    blocked = len(jobs.blocked())
    parts = [f"{len(jobs.are(Is.DONE))} of {len(jobs.all)} jobs done"]
    parts += [f"{len(running) - queued} running"]
    parts += [f"{queued} in the queue"] if queued else []
    parts += [f"{len(jobs.are(Is.LEFT)) - blocked} left"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{stopped} stopped"] if stopped else []
    parts += [f"{blocked} cannot run without those"] if blocked else []
    return ", ".join(parts)


def finish(left: float | None, now: float) -> str:
    """Return when the run will have finished."""
    if left is None:
        return "finishing time not known yet"
    return f"finished about {clock(now + left, now)} (in {duration(left)})"


def of_running(job: Job, left: float | None, now: float) -> list[str]:
    """Return what is known of a running job: its epoch, loss, rate and time left, or its time."""
    if job.queued:
        return [f"in the queue for {elapsed(job.seconds(now))}"]
    if not job.reached:
        return [elapsed(job.seconds(now))]
    at = job.reached
    parts = [f"epoch {at.epoch}/{at.epochs}", f"loss {at.loss:.4f}", f"{at.rate:.1f} images/s"]
    return parts + ([] if left is None else [f"{duration(left)} left"])


def listed(running: list[Job]) -> tuple[list[Job], str]:
    """Choose the running jobs that are listed; return them and a line on the others.

    Trainings come before others, and what runs before what waits in a queue, the oldest first.
    """
    ordered = sorted(running, key=lambda job: (job.queued, job.training is None))
    shown, rest = ordered[:MOST_LISTED], len(ordered) - MOST_LISTED
    return shown, f"and {rest} more" if rest > 0 else ""


def done(job: Job, number: int, total: int) -> str:
    """Return the line on a job that has ended well."""
    loss = f", loss {job.reached.loss:.4f}" if job.reached else ""
    return f"{number}/{total}  {job.title} ({elapsed(job.seconds(job.ended))}{loss})"


def summary(jobs: Jobs, estimate: Estimate, begun: float, now: float) -> str:
    """Return lines on the whole run: the counts, the finishing time, and the running jobs."""
    shown, more = listed(jobs.are(Is.RUNNING))
    so_far = f"{elapsed(now - begun)} so far"
    lines = [f"{counts(jobs)}; {so_far}, {finish(estimate.run, now)}"]
    for job in shown:
        said = "  ".join(of_running(job, estimate.jobs.get(job.number), now))
        lines.append(f"  {job.title}: {said}")
    return "\n".join(lines + ([f"  {more}"] if more else []))


def failure(job: Job, reason: list[str]) -> str:
    """Return the lines on a job that has failed or was stopped, at the moment when it does."""
    head = f"{job.state.value.capitalize()} after {elapsed(job.seconds(job.ended))}: {job.title}"
    lines = [head, *reason, *([f"log: {job.log}"] if job.log else [])]
    return "\n    ".join(lines)


def end(jobs: Jobs, seconds: float) -> str:
    """Return the line on a run that has ended, well or not."""
    total, finished = len(jobs.all), len(jobs.are(Is.DONE))
    parts = [f"{finished} of {total} jobs done"]
    failed = len(jobs.are(Is.FAILED))
    stopped = len(jobs.are(Is.STOPPED) + jobs.are(Is.RUNNING))
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{stopped} stopped"] if stopped else []
    parts += [f"{waiting} did not run"] if (waiting := len(jobs.are(Is.LEFT))) else []
    return f"Ended after {elapsed(seconds)}: {', '.join(parts)}."
