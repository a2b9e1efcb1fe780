"""When a run will have finished, about: from what its jobs have taken so far.

A job is expected to take the median of the finished ones of its kind, or else of its rule. A
training is its start and its epochs: these as in others of its kind, finished or running, or else
as measured before (``needs``), times the factor by which trainings of this run differ from that.
With these durations the rest of the run is played through: jobs begin, by priority, as soon as what
they are made from is there and the resources are free.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from maskedteeth.study.progress.jobs import Is, Job, Jobs

#: Seconds of a job before one of its rule has ended: mostly the start of Python.
START = 5.0

#: What a job takes of the resources: their names, and how much.
Part = tuple[tuple[str, int], ...]


class Pace:
    """What jobs of a run take, told from those that have ended or are under way."""

    def __init__(self, jobs: Iterable[Job], now: float):
        whole: dict[str, list[float]] = defaultdict(list)
        loops: dict[str, list[float]] = defaultdict(list)
        starts, slower = [], []
        for job in jobs:
            done = job.state is Is.DONE
            if done:
                whole[job.kind].append(job.seconds(now))
                whole[job.rule].append(job.seconds(now))
            loop = job.loop_seconds()
            if loop is None:
                continue
            loops[job.kind].append(loop / job.training.share)
            if measured := job.training.measured_seconds():
                slower.append(loop / measured)
            if done and not job.went_on:
                starts.append(max(0.0, job.seconds(now) - loop))
        self.whole = {name: median(seconds) for name, seconds in whole.items()}
        self.loops = {kind: median(seconds) for kind, seconds in loops.items()}
        # Of a job that runs networks: above all the import of torch, which measuring takes, too.
        self.start = median(starts) if starts else self.whole.get("measure_one", START)
        self.slower = median(slower) if slower else 1.0

    def seconds(self, job: Job) -> float | None:
        """Return what a job that is left will take; None where nothing is known."""
        if not job.training:
            unknown = self.start if job.networks else START
            return self.whole.get(job.kind, self.whole.get(job.rule, unknown))
        if job.kind in self.loops:
            loop = self.loops[job.kind] * job.training.share
        elif (measured := job.training.measured_seconds()) is not None:
            loop = measured * self.slower
        else:
            return None
        return self.start + loop * (1 - job.went_on)

    def left(self, job: Job, now: float) -> float | None:
        """Return the seconds that a job still takes; None where nothing is known."""
        if job.state is Is.RUNNING and not job.queued:
            loop = job.loop_seconds()
            if loop is not None:
                rest = loop * (1 - job.reached.epoch / job.reached.epochs)
                return max(0.0, rest - (now - job.written))
            whole = self.seconds(job)
            return whole if whole is None else max(0.0, whole - job.seconds(now))
        return self.seconds(job)


@dataclass(frozen=True)
class Estimate:
    """How long a run and its jobs will still take, in seconds; None where nobody knows yet.

    Attributes:
        run: until all jobs that can run have ended.
        jobs: likewise of each running job.
    """

    run: float | None
    jobs: dict[int, float | None]


def estimate(jobs: Jobs, capacity: dict[str, int], now: float) -> Estimate:
    """Estimate when a run and its jobs will have ended.

    Args:
        jobs: of the run.
        capacity: what there is of each resource. ``_nodes``, of a cluster, says how many jobs may
            be submitted; that many run at once as were seen to.
        now: seconds since 1970.
    """
    pace = Pace(jobs.all.values(), now)
    blocked = jobs.blocked()
    running = jobs.are(Is.RUNNING)
    left = [job for job in jobs.are(Is.LEFT) if job.number not in blocked]
    lasts = {job.number: pace.left(job, now) for job in running + left}
    of_running = {job.number: lasts[job.number] for job in running}
    if "_nodes" in capacity:
        capacity = {**capacity, "_nodes": min(capacity["_nodes"], jobs.most_at_once)}
    if None in lasts.values() or capacity.get("_nodes") == 0:
        return Estimate(None, of_running)
    waiting = [job for job in running if job.queued] + left
    begun = [job for job in running if not job.queued]
    return Estimate(_play(begun, waiting, lasts, _takes(jobs), capacity), of_running)


def _takes(jobs: Jobs) -> dict[str, dict[str, int]]:
    """Return what jobs take of the resources, by kind and by rule, as the last that began did."""
    begun = sorted((job for job in jobs.all.values() if job.takes), key=lambda job: job.begun)
    return {name: job.takes for job in begun for name in (job.rule, job.kind)}


def _play(
    running: list[Job],
    waiting: list[Job],
    lasts: dict[int, float],
    takes: dict[str, dict[str, int]],
    capacity: dict[str, int],
) -> float:
    """Play the rest of a run through; return when the last job ends."""

    def part_of(job: Job) -> Part:
        alone = {"_cores": job.threads, "_nodes": 1}
        known = job.takes or takes.get(job.kind) or takes.get(job.rule) or alone
        found = ((name, min(n, capacity[name])) for name, n in known.items() if name in capacity)
        return tuple(sorted(found))

    free = dict(capacity)
    ends: list[tuple[float, int, Part]] = []

    def begin(job: Job, time: float, part: Part) -> None:
        for name, amount in part:
            free[name] -= amount
        heapq.heappush(ends, (time + lasts[job.number], job.number, part))

    for job in running:
        begin(job, 0.0, part_of(job))
    # Jobs are known by their places in this order. Those that are ready stand in as many heaps as
    # there are different parts of the resources that jobs take: a few.
    order = sorted(waiting, key=lambda job: -job.priority)
    parts = [part_of(job) for job in order]
    unfinished = {job.number for job in running + waiting}
    missing = [len(job.after & unfinished) for job in order]
    then: dict[int, list[int]] = defaultdict(list)
    ready: dict[Part, list[int]] = defaultdict(list)
    for place, job in enumerate(order):
        for number in job.after & unfinished:
            then[number].append(place)
        if not missing[place]:
            ready[parts[place]].append(place)
    time = 0.0
    while True:
        while first := [
            places[0]
            for part, places in ready.items()
            if places and all(free[name] >= amount for name, amount in part)
        ]:
            place = min(first)
            heapq.heappop(ready[parts[place]])
            begin(order[place], time, parts[place])
        if not ends:
            return time
        time, number, part = heapq.heappop(ends)
        for name, amount in part:
            free[name] += amount
        for place in then[number]:
            missing[place] -= 1
            if not missing[place]:
                heapq.heappush(ready[parts[place]], place)
