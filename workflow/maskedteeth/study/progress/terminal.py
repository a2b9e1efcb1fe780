"""The display on a terminal: a few lines in place, and above them whatever else is printed."""

import os
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from rich.cells import cell_len
from rich.columns import Columns
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from maskedteeth.study.progress import words
from maskedteeth.study.progress.finish import Estimate
from maskedteeth.study.progress.jobs import Is, Jobs

#: Columns of the display at the most, and those left free: a terminal shows ^C there.
WIDTH, FREE = 110, 3
#: Columns of the bar, and of a title that stands in one line with how far its job is.
BAR, TITLE = 20, 24


def frame(jobs: Jobs, estimate: Estimate, begun: float, now: float, columns: int) -> Group:
    """Return what the display shows now.

    Args:
        jobs: of the run.
        estimate: of its end.
        begun: when it began, like ``now`` in seconds since 1970.
        now: the present.
        columns: how wide it may be.
    """
    done, running = jobs.are(Is.DONE), jobs.are(Is.RUNNING)
    times = f"{words.elapsed(now - begun)} so far, {words.finish(estimate.run, now)}"
    head: Text | Columns = _line(times)
    if columns >= BAR + 2 + len(times):
        bar = ProgressBar(total=max(len(jobs.all), 1), completed=len(done), width=BAR)
        head = Columns([bar, head], padding=(0, 2))
    shown, more = words.listed(running)
    rows = [
        (f"  {job.title}", "  ".join(words.of_running(job, estimate.jobs.get(job.number), now)))
        for job in shown
    ]
    return Group(_line(words.counts(jobs), "bold"), head, *_rows(rows, columns), _line(f"  {more}"))


def _rows(rows: list[tuple[str, str]], columns: int) -> list[Text]:
    """Lay out titles and how far their jobs are, in two lines each where room lacks."""
    room = columns - 2 - max((len(said) for _, said in rows), default=0)
    if room < TITLE:
        return [_line(part) for title, said in rows for part in (title, f"    {said}")]
    wide = min(room, max((cell_len(title) for title, _ in rows), default=0))
    lines = []
    for title, said in rows:
        line = _line(title)
        line.truncate(wide, overflow="ellipsis", pad=True)
        lines.append(line.append("  ").append(said, "cyan"))
    return lines


def _line(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")


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
        self.console = Console(file=self.file, force_terminal=True, no_color=not colours or None)
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

    def columns(self) -> int:
        """Return how wide the display may be at present."""
        return max(1, min(self._size()[0] - FREE, WIDTH))

    def _fit(self) -> None:
        self.console.size = (self.columns(), self._size()[1])

    def _size(self) -> tuple[int, int]:
        try:
            columns, lines = os.get_terminal_size(self.fd)
        except OSError:
            columns = lines = 0
        return columns or 80, lines or 25


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
