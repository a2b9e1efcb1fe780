"""The jobs of a run, and what has become of each."""

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskedteeth.study import needs
from maskedteeth.study.progress import epochs

if TYPE_CHECKING:
    from snakemake.workflow import Workflow


class Is(Enum):
    """What has become of a job."""

    LEFT = "left"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass
class Training:
    """What is known of a training before it begins.

    Attributes:
        batch_size: of its recipe.
        share: its steps in those of the longest training of its kind.
        needs: JSON file of what was measured for its kind; made in the same run, as a rule.
    """

    batch_size: int
    share: float
    needs: Path

    def measured_seconds(self) -> float | None:
        """Return the seconds that its steps would take as measured; None if they were not yet."""
        if self.needs.is_file():
            return self._measured * self.share
        return None

    @cached_property
    def _measured(self) -> float:
        measured = needs.read(self.needs)
        return measured["steps"] * measured["seconds_per_step"]


@dataclass
class Job:
    """A job.

    Attributes:
        number: Snakemake's.
        rule: its rule.
        kind: jobs of one kind take about as long.
        title: what it does, in words.
        networks: whether it runs networks, which takes longer to start.
        after: numbers of the jobs that it waits for.
        log: its log, if it has one.
        priority: higher ones run first.
        threads: of its rule.
        takes: what it takes of the run's resources, known when it begins.
        training: of trainings.
        state: what has become of it.
        begun: when it began, or was submitted, in seconds since 1970.
        ended: likewise.
        queued: submitted to a cluster, where it has not begun.
        reached: the last epoch of a training.
        went_on: share of a training's steps that were done before.
        written: when its log was written last.
    """

    number: int
    rule: str
    kind: str
    title: str
    networks: bool = False
    after: frozenset[int] = frozenset()
    log: Path | None = None
    priority: int = 0
    threads: int = 1
    takes: dict[str, int] = field(default_factory=dict)
    training: Training | None = None
    state: Is = Is.LEFT
    begun: float = 0.0
    ended: float = 0.0
    queued: bool = False
    reached: epochs.Reached | None = None
    went_on: float = 0.0
    written: float = 0.0
    _seen: tuple[int, int] | None = None

    def begin(self, now: float, queued: bool) -> None:
        """Take note that it runs, or waits for a cluster; an earlier attempt is forgotten."""
        self.state, self.begun, self.queued = Is.RUNNING, now, queued
        self.reached, self.went_on, self._seen = None, 0.0, self._signature()

    def end(self, state: Is, now: float) -> None:
        """Take note of its end, with the last that its log says."""
        self.look(now)
        self.state, self.ended, self.queued = state, now, False

    def look(self, now: float) -> None:
        """Read its log if that has changed; what an earlier run left there does not count."""
        signature = self._signature()
        if signature in (None, self._seen):
            return
        self._seen = signature
        if self.queued:
            self.queued, self.begun = False, now
        if self.training:
            text = epochs.tail(self.log)
            self.reached = epochs.reached(text)
            self.went_on = max(self.went_on, epochs.went_on(text))
            self.written = min(now, signature[0] / 1e9)

    def seconds(self, now: float) -> float:
        """Return how long it has run, or ran."""
        return max(0.0, (now if self.state is Is.RUNNING else self.ended) - self.begun)

    def loop_seconds(self) -> float | None:
        """Return what all epochs of a training take, told from those so far; None before any."""
        if not (self.training and self.reached):
            return None
        share = self.reached.epoch / self.reached.epochs
        here = share - self.went_on  # of the epochs, without those of earlier starts
        elapsed = (self.written - self.begun) * share / here if here > 0 else 0.0
        return self.reached.seconds(self.training.batch_size, elapsed) / share

    def _signature(self) -> tuple[int, int] | None:
        try:
            status = self.log.stat() if self.log else None
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size) if status else None


class Jobs:
    """All jobs of a run.

    Attributes:
        all: by their numbers.
        most_at_once: the most that have run, and not waited for a cluster, at the same time.
    """

    def __init__(self, jobs: Iterable[Job]):
        self.all = {job.number: job for job in jobs}
        self.most_at_once = 0

    def are(self, state: Is) -> list[Job]:
        """Return the jobs of a state, those that began first first."""
        return sorted((j for j in self.all.values() if j.state is state), key=lambda j: j.begun)

    def look(self, now: float, lock: AbstractContextManager | None = None) -> None:
        """Read the logs of the running jobs; the lock, if any, is held for one at a time."""
        for job in self.are(Is.RUNNING):
            with lock or nullcontext():
                if job.state is Is.RUNNING:
                    job.look(now)
        at_once = sum(not job.queued for job in self.are(Is.RUNNING))
        self.most_at_once = max(self.most_at_once, at_once)

    def copy(self) -> "Jobs":
        """Return them as they are now."""
        found = Jobs(copy(job) for job in self.all.values())
        found.most_at_once = self.most_at_once
        return found

    def blocked(self) -> set[int]:
        """Return the numbers of jobs that wait for one that failed or was stopped."""
        found = {job.number for job in self.are(Is.FAILED) + self.are(Is.STOPPED)}
        failed = set(found)
        while more := {
            job.number
            for job in self.are(Is.LEFT)
            if job.number not in found and not found.isdisjoint(job.after)
        }:
            found |= more
        return found - failed


def jobs_of(workflow: "Workflow") -> list[Job]:
    """Return the jobs that Snakemake is about to run, without those that only collect others."""
    dag = workflow.dag
    needed = [job for job in dag.needrun_jobs() if not job.rule.norun]
    numbers = {job: dag.jobid(job) for job in needed}
    return [
        Job(
            number,
            job.rule.name,
            f"{job.rule.name} {getattr(job.input, 'needs', '')}",
            job.rule.name,
            networks=hasattr(job.input, "needs"),
            after=frozenset(numbers[other] for other in dag.dependencies[job] if other in numbers),
            log=Path(job.log[0]) if job.log else None,
            priority=job.rule.priority if isinstance(job.rule.priority, int) else 0,
            threads=_threads(job.rule, workflow.resource_settings.max_threads),
            training=_training(job),
        )
        for job, number in numbers.items()
    ]


def _threads(rule: Any, most: int | None) -> int:
    """Return the threads of a rule; 1 where they are told only when a job begins."""
    cores = rule.resources["_cores"]
    return 1 if cores.is_evaluable() else cores.constrain(most).value


def _training(job: Any) -> Training | None:
    if job.rule.name not in ("train", "pretrain"):
        return None
    settings = json.loads(job.params.settings)
    share = settings["fraction"] if settings.get("budget") == "equal-epochs" else 1.0
    return Training(settings["batch_size"], share, Path(job.input.needs))
