"""Following a run: what Snakemake logs comes in, the display and ``progress.log`` come out."""

import atexit
import logging
import os
import re
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskedteeth.study import failures
from maskedteeth.study.progress import words
from maskedteeth.study.progress.finish import Estimate, estimate
from maskedteeth.study.progress.jobs import Is, Job, Jobs, jobs_of

if TYPE_CHECKING:
    from snakemake.workflow import Workflow

    from maskedteeth.study.progress.terminal import Terminal

#: Seconds between two frames.
FRAME = 1.0
#: Seconds between two looks at the logs of the running jobs, of which a cluster may have many, and
#: likewise if something has happened meanwhile. A look takes a twentieth of the time at the most.
LOOK, SOON, PAUSE = 4.0, 1.0, 19
#: Seconds between two summaries in plain lines: the first, of a long run its hundredth, the most.
SUMMARY, PART, MOST = 30.0, 0.01, 600.0

#: What is said here in another way.
_MUTED = {"job_info", "job_started", "job_finished", "progress", "group_info"}
_ERRORS = {"job_error", "group_error"}
_EXITED = re.compile(r"returned non-zero exit status \d|died with <Signals")

#: How Snakemake begins to obey Ctrl-C, and how a training says that it was asked to stop.
_INTERRUPTED = "Terminating processes on user request"
_STOPPED = re.compile(r"maskedteeth [a-z-]+: stopped by SIG")

_followed: list["Follower"] = []


def follow(workflow: "Workflow", folder: Path) -> None:
    """Show what happens in a run that is about to begin, and write it to ``folder/progress.log``.

    On a terminal it is shown in place, elsewhere in plain lines. Nothing is shown where Snakemake
    is told to be quiet about its progress (``--quiet``, ``--quiet progress``, ``--quiet all``).
    With ``--verbose`` Snakemake's own lines stay, with ``--show-failed-logs`` those on failures.
    """
    from snakemake.logging import logger
    from snakemake.settings.enums import Quietness

    try:
        quiet = {Quietness.PROGRESS, Quietness.ALL} & set(workflow.output_settings.quiet or ())
        if not workflow.touch and not quiet:
            follower = Follower(workflow, folder, logger)
            _followed.append(follower)
            follower.begin()
    except Exception as error:
        unfollow()
        logger.warning(f"The progress is not shown ({error!r}). The run goes on.")


def unfollow() -> None:
    """Close the display before something else is printed at the end."""
    while _followed:
        _followed.pop().close()


@dataclass(frozen=True)
class News:
    """Something to be said.

    Attributes:
        when: seconds since 1970.
        text: a line, or more.
        scrolls: also said above a display in place.
    """

    when: float
    text: str
    scrolls: bool = False


class Mute(logging.Filter):
    """Keeps from a terminal or a plain log what is said there in another way.

    Args:
        errors: also Snakemake's lines on failed jobs.
    """

    def __init__(self, errors: bool):
        super().__init__()
        self.events = _MUTED | (_ERRORS if errors else set())

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether Snakemake's own line is to be seen."""
        event = getattr(record, "event", None)
        if getattr(record, "exception", "") == "RuleException" and _EXITED.search(str(record.msg)):
            return False
        return event not in self.events and record.msg != "Select jobs to execute..."


class Follower(logging.Handler):
    """Listens to Snakemake's log, and tells from a thread of its own.

    Args:
        workflow: whose jobs are about to run.
        folder: of the study, where ``progress.log`` is.
        logger: of Snakemake.
    """

    def __init__(self, workflow: "Workflow", folder: Path, logger: logging.Logger):
        super().__init__(logging.INFO)
        self.logger = logger
        self.begun = time.time()
        self.jobs = Jobs(jobs_of(workflow))
        self.cluster = not workflow.local_exec
        pools = workflow.scheduler.global_resources.items()
        self.capacity = {
            k: n for k, n in pools if n < sys.maxsize and not (self.cluster and k == "_cores")
        }
        if self.cluster:
            self.capacity.setdefault("_nodes", sys.maxsize)
        self.printed: deque[str] = deque(maxlen=50)
        self.news: list[News] = []
        self.state = threading.Lock()
        self.wake = threading.Event()
        self.ending = self.broken = self.interrupted = False
        self.next_look = self.soon = self.next_summary = 0.0
        self.estimate = Estimate(None, {})
        self.log_path = folder / "progress.log"
        self.gap = False
        self.terminal: Terminal | None = None
        self.mute = Mute(errors=not workflow.output_settings.show_failed_logs)
        self.of_snakemake = next(
            (h for h in logger.handlers if h.name == "DefaultStreamHandler"), None
        )
        self.verbose = workflow.output_settings.verbose
        self.colours = not workflow.output_settings.nocolor
        self.thread = threading.Thread(target=self._tell, daemon=True)

    def begin(self) -> None:
        """Open the display, and listen."""
        self._note(words.begin(self.jobs, f"what happens is also in {self.log_path}"), scrolls=True)
        if self.of_snakemake and not self.verbose:
            stream = self.of_snakemake.stream
            if stream.isatty() and os.environ.get("TERM") not in (None, "", "dumb"):
                from maskedteeth.study.progress.terminal import Terminal

                self.terminal = Terminal(stream, self.colours)
            self.of_snakemake.addFilter(self.mute)
        self.logger.addHandler(self)
        atexit.register(self.close)
        self.thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of what Snakemake logs."""
        if self.broken or self.ending:
            return
        try:
            with self.state:
                self._hear(record, time.time())
        except Exception as error:
            self._give_up(error)
        self.wake.set()

    def close(self) -> None:
        """Say how it ended, and leave terminal and log as they were before."""
        self.ending = True
        self.wake.set()
        try:
            if self.thread.is_alive() and self.thread is not threading.current_thread():
                self.thread.join(timeout=5)
        finally:  # also after another Ctrl-C
            self._leave()
            super().close()

    def _hear(self, record: logging.LogRecord, now: float) -> None:
        event, about = getattr(record, "event", None), record.__dict__
        if event == "error":
            self.printed.append(str(record.msg))
        if event in (None, "error"):
            self._hear_text(str(record.msg))
            return
        job = self.jobs.all.get(about.get("jobid", about.get("job_id")))
        if job is None:
            return
        if event == "job_info":
            job.title = about["rule_msg"] or job.rule
            job.takes = _numbers(about["resources"], self.capacity)
            job.begin(now, queued=self.cluster and not about["local"])
        elif event == "job_finished" and job.state is not Is.DONE:
            job.end(Is.DONE, now)
            done, total = len(self.jobs.are(Is.DONE)), len(self.jobs.all)
            self._note(words.done(job, done, total))
        elif event == "job_error" and job.state not in (Is.FAILED, Is.STOPPED):
            job.look(now)
            reason = self._reason(job, about)
            stopped = self.interrupted or any(map(_STOPPED.match, reason))
            job.end(Is.STOPPED if stopped else Is.FAILED, now)
            self._note(words.failure(job, reason), scrolls=True)
        self.next_look = min(self.next_look, self.soon)

    def _hear_text(self, text: str) -> None:
        if text.startswith(_INTERRUPTED):
            self.interrupted = True
        elif found := re.fullmatch(r"Trying to restart job (\d+)\.", text):
            job = self.jobs.all.get(int(found[1]))
            if job and job.state in (Is.FAILED, Is.STOPPED):
                job.state = Is.LEFT
                self._note(f"Tried again: {job.title}", scrolls=True)

    def _reason(self, job: Job, about: dict[str, Any]) -> list[str]:
        """Return why a job failed: what its cluster says, and what its log does."""
        of_cluster = (about["rule_msg"] or "").partition("For further error details")[0].strip()
        if job.queued:  # a log that is there is of an earlier attempt
            return [*of_cluster.splitlines(), "It ended before its log began."]
        mem = job.takes.get("mem_mb") if self.cluster else None
        failed = failures.Failed(
            *(job.rule, {}, [job.log] if job.log else [], about["shellcmd"] or "", mem)
        )
        return [*of_cluster.splitlines(), *failures.reason(failed, "\n".join(self.printed))]

    def _note(self, text: str, scrolls: bool = False) -> None:
        self.news.append(News(time.time(), text, scrolls))

    def _tell(self) -> None:
        try:
            while not self.ending:
                self._tick(time.time())
                self.wake.wait(FRAME)
                self.wake.clear()
            if self.broken:
                return
            with self.state:
                self._note(words.end(self.jobs, time.time() - self.begun), scrolls=True)
            self._tick(time.time())
        except Exception as error:
            self._give_up(error)

    def _tick(self, now: float) -> None:
        """Tell what is new; Snakemake's threads do not wait for a slow terminal."""
        if not self.ending and time.monotonic() >= self.next_look:
            self._look(now)
        with self.state:
            if not self.next_summary:
                self.next_summary = now + SUMMARY
            elif now >= self.next_summary and not self.ending:
                self._note(words.summary(self.jobs, self.estimate, self.begun, now))
                part = min(max(SUMMARY, PART * (now - self.begun)), MOST)
                self.next_summary = now + part
            news, self.news = self.news, []
            shown = None
            if self.terminal and not self.ending:
                from maskedteeth.study.progress.terminal import frame

                columns = self.terminal.columns()
                shown = frame(self.jobs, self.estimate, self.begun, now, columns)
        for one in news:
            self._say(one)
        if shown:
            self.terminal.draw(shown)

    def _look(self, now: float) -> None:
        """Look how far the jobs are, and estimate when they end; nobody waits for that."""
        begin = time.monotonic()
        self.jobs.look(now, self.state)
        with self.state:
            jobs = self.jobs.copy()
        self.estimate = estimate(jobs, self.capacity, now)
        end = time.monotonic()
        pause = PAUSE * (end - begin)
        with self.state:
            self.soon = end + max(SOON, pause)
            self.next_look = end + max(LOOK * (1 + len(jobs.are(Is.RUNNING)) // 20), pause)

    def _say(self, news: News) -> None:
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(news.when))
        line = f"{moment}  {news.text}"
        try:
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            with self.log_path.open("a", encoding="utf-8") as log:
                print(line, file=log)
        except OSError as error:
            if not self.gap:
                said = f"{self.log_path} cannot be written: {error.strerror}."
                self._note(said, scrolls=True)
            self.gap = True
        if self.terminal:
            if news.scrolls:
                self.terminal.say(line)
        elif self.of_snakemake:
            print(line, file=self.of_snakemake.stream, flush=True)

    def _give_up(self, error: Exception) -> None:
        if not self.broken:
            self.broken = self.ending = True
            self._leave()
            self.logger.warning(f"The progress is no longer shown ({error!r}). The run goes on.")

    def _leave(self) -> None:
        atexit.unregister(self.close)
        self.logger.removeHandler(self)
        if self.of_snakemake:
            self.of_snakemake.removeFilter(self.mute)
        terminal, self.terminal = self.terminal, None
        with suppress(Exception):
            if terminal:
                terminal.close()


def _numbers(resources: Any, capacity: dict[str, int]) -> dict[str, int]:
    """Return of a job's resources those that are numbers and that the run has so much of."""
    found = {name: resources.get(name) for name in {*capacity, "mem_mb"}}
    return {name: number for name, number in found.items() if isinstance(number, int)}
