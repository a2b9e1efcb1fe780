"""The display on a terminal: a few lines in place, and above them whatever else is printed."""

import os
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from maskedteeth.study.progress import words
from maskedteeth.study.progress.finish import Estimate
from maskedteeth.study.progress.jobs import Is, Jobs

#: Columns of the display at the most, and those left free: a terminal shows ^C there.
WIDTH, FREE = 110, 3


def frame(jobs: Jobs, estimate: Estimate, begun: float, now: float) -> Group:
    """Return what the display shows now.

    Args:
        jobs: of the run.
        estimate: of its end.
        begun: when it began, like ``now`` in seconds since 1970.
        now: the present.
    """
    done, running = jobs.are(Is.DONE), jobs.are(Is.RUNNING)
    head = Table.grid(padding=(0, 2))
    for _ in range(3):
        head.add_column(no_wrap=True)
    bar = ProgressBar(total=max(len(jobs.all), 1), completed=len(done), width=20)
    so_far = f"{words.elapsed(now - begun)} so far"
    head.add_row(bar, Text(so_far), Text(words.finish(estimate.run, now)))
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="ellipsis")  # may wrap, if it did: so it is what a lack of room cuts
    table.add_column(no_wrap=True, overflow="ellipsis")
    shown, more = words.listed(running)
    for job in shown:
        said = words.of_running(job, estimate.jobs.get(job.number), now)
        table.add_row(Text(f"  {job.title}", no_wrap=True), Text("  ".join(said), style="cyan"))
    if more:
        table.add_row(Text(f"  {more}"), Text(""))
    counted = Text(words.counts(jobs), style="bold", no_wrap=True, overflow="ellipsis")
    return Group(counted, head, table)


class Terminal:
    """A display in place.

    All that this process and its jobs write to the same terminal meanwhile is caught, line by line,
    and printed above the display, which it would tear otherwise.

    Args:
        stream: of a terminal.
        colours: whether to use any; NO_COLOR in the environment forbids them too.
    """

    def __init__(self, stream: TextIO, colours: bool):
        self.caught = Caught([s.fileno() for s in (sys.stdout, sys.stderr) if s.isatty()], self.say)
        self.fd = os.dup(self.caught.terminal(stream.fileno()))
        self.file = os.fdopen(self.fd, "w", encoding=stream.encoding, errors="replace")
        size = {"width": WIDTH, "height": 25}  # until it is drawn
        self.console = Console(
            file=self.file, force_terminal=True, no_color=not colours or None, **size
        )
        self.lock = threading.Lock()
        self.live = Live(
            console=self.console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        try:
            self.caught.begin()
            self.live.start()
            # A process that is killed or put to sleep leaves no hidden cursor behind.
            self.console.show_cursor(True)
        except BaseException:
            self.caught.end()
            raise

    def say(self, text: str) -> None:
        """Print lines above the display; what colours them is kept."""
        with self.lock:
            self._fit()
            self.console.print(Text.from_ansi(text), soft_wrap=True)

    def draw(self, shown: Group) -> None:
        """Show something in place of what was shown."""
        with self.lock:
            self._fit()
            self.live.update(shown, refresh=True)

    def close(self) -> None:
        """Remove the display; from now on all goes to the terminal itself."""
        try:
            self.caught.end()
        finally:
            with self.lock:
                self.live.stop()
                self.file.flush()

    def _fit(self) -> None:
        try:
            columns, lines = os.get_terminal_size(self.fd)
        except OSError:
            return
        if columns and lines:
            self.console.size = (max(1, min(columns - FREE, WIDTH)), lines)


class Caught:
    """What is written to some file descriptors, also by child processes, goes to a function.

    Args:
        fds: file descriptors.
        take: is given every line, without its end.
    """

    def __init__(self, fds: list[int], take: Callable[[str], None]):
        self.saved = {fd: os.dup(fd) for fd in fds}
        self.take = take
        self.thread = threading.Thread(target=self._read, daemon=True)

    def terminal(self, fd: int) -> int:
        """Return a file descriptor of where ``fd`` led to before."""
        return self.saved[fd]

    def begin(self) -> None:
        """Catch from now on."""
        self.reader, writer = os.pipe()
        _flush()
        for fd in self.saved:
            os.dup2(writer, fd)
        os.close(writer)
        self.thread.start()

    def end(self) -> None:
        """Let all go where it went before; what was written until now has been handed on."""
        _flush()
        for fd, saved in self.saved.items():
            os.dup2(saved, fd)
        # It ends with the last process that writes; one that outlives this run is not waited for.
        if self.thread.is_alive():
            self.thread.join(timeout=1)

    def _read(self) -> None:
        with os.fdopen(self.reader, encoding="utf-8", errors="replace", newline="\n") as lines:
            for line in lines:
                self.take(line.rstrip("\r\n").rpartition("\r")[2])


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
