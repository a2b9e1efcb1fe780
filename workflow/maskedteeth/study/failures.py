"""What a user reads at the end of a run in which jobs failed."""

import re
import signal
import textwrap
from dataclasses import dataclass
from pathlib import Path

#: Columns of a terminal.
WIDTH = 80
#: Lines of a log that are shown where it ends without a sentence.
LAST_LINES = 10


@dataclass(frozen=True)
class Failed:
    """A job that failed.

    Attributes:
        rule: its name.
        wildcards: which of the rule's jobs it was.
        logs: its log files.
        command: its shell command.
        mem_mb: MiB of memory that it had been given; None where nothing limited it.
    """

    rule: str
    wildcards: dict[str, str]
    logs: list[Path]
    command: str = ""
    mem_mb: int | None = None

    @property
    def name(self) -> str:
        """The job in print: `train: method unet, fraction 0.1, seed 42`."""
        which = ", ".join(f"{name} {value}" for name, value in self.wildcards.items())
        return f"{self.rule}: {which}" if which else self.rule


def summary(failed: list[Failed], finished: int, planned: int, printed: str) -> str:
    """List the failed jobs with their reasons, one reason for all that share it.

    Args:
        failed: the jobs.
        finished: number of jobs that succeeded in this run.
        planned: number of jobs that were to run.
        printed: what Snakemake wrote to its own log, where exit statuses stand.
    """
    waiting = planned - finished - len(failed)
    head = f"{len(failed)} job{'' if len(failed) == 1 else 's'} failed" if failed else "Stopped"
    head += f"; {finished} of {planned} are finished and stay as they are"
    head += f"; {waiting} did not run." if waiting else "."
    reasons: dict[tuple[str, ...], list[Failed]] = {}
    for job in sorted(failed, key=lambda job: job.name):
        reasons.setdefault(tuple(reason(job, printed)), []).append(job)
    parts = [textwrap.fill(head, WIDTH)]
    for lines, jobs in reasons.items():
        named = [
            textwrap.fill(part, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")
            for job in jobs
            for indent, part in [("", job.name), *(("  ", f"log: {log}") for log in job.logs)]
        ]
        parts.append("\n".join([*named, *(_wrapped(line) for line in lines)]))
    parts.append("The same command goes on from here once the cause is mended.")
    return "\n\n".join(parts)


def reason(job: Failed, printed: str) -> list[str]:
    """Return why a job failed: the sentence that its log ends with, or else the last lines.

    A job that was killed had no time for either; how it ended is then said first, by the exit
    status that Snakemake printed.
    """
    lines = [line for log in job.logs for line in _lines(log)]
    starts = [n for n, line in enumerate(lines) if re.match(r"maskedteeth [a-z0-9-]+: ", line)]
    if starts:
        return lines[starts[-1] :]
    status = _status(job.command, printed)
    last = lines[-LAST_LINES:]
    if status is not None and status > 128:
        return [_killed(status - 128, job.mem_mb), *last]
    end = "" if status is None else f" with exit status {status}"
    if not last:
        return [f"It ended{end} and its log is empty; what Snakemake says is in .snakemake/log."]
    return [f"It ended{end}. The last lines of its log:", *last]


def _killed(number: int, mem_mb: int | None) -> str:
    try:
        name = f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        name = f"signal {number}"
    if number != signal.SIGKILL:
        return f"It was ended by {name} and could not say why."
    given = "" if mem_mb is None else f" It had been given {mem_mb} MB (mem_mb)."
    return (
        f"It was killed by {name}, most likely by the kernel because the machine ran out of memory."
        f"{given} Run fewer jobs at once (--cores), or lower batch_size."
    )


def _status(command: str, printed: str) -> int | None:
    """Find how a command ended in what Snakemake prints of Python's CalledProcessError."""
    place = printed.rfind(f"{command}' ") if command else -1
    if place < 0:
        return None
    end = printed[place + len(command) + 2 :]
    found = re.match(r"returned non-zero exit status (\d+)|died with <Signals\.\w+: (\d+)>", end)
    if not found:
        return None
    return int(found[1]) if found[1] else 128 + int(found[2])


def _lines(log: Path) -> list[str]:
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def _wrapped(line: str) -> str:
    indent = " " * (2 + len(line) - len(line.lstrip()))
    return textwrap.fill(
        line.strip(),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
