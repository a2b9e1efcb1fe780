"""Who works on a study: a second Snakemake on the same one stops with a sentence that says so.

Snakemake locks the files of a run, but does not say for whom, and the first of two runs in a folder
to end takes the other's locks along. So every run holds its study too: a POSIX record lock, which
ends with its process however that ends and which jobs do not inherit, on a file that names the
process.

Beside that, :func:`alone` has processes do one after the other what they would do twice at once.
"""

import errno
import fcntl
import getpass
import json
import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

from maskedteeth.errors import say
from maskedteeth.study import processes

#: Seconds that a holder may take to write its name after it took hold.
PATIENCE = 2.0
MOST_OF_A_COMMAND = 300


class Held(Exception):
    """Another process holds the study; the message says which and what to do."""


def hold_when_locking(study: str) -> None:
    """Have Snakemake, in this process, hold ``study`` whenever it locks its working directory.

    It locks for real runs alone: neither for dry runs, nor in the processes of single jobs.
    """
    from snakemake.exceptions import LockException, WorkflowError
    from snakemake.persistence import PersistenceBase

    lock = getattr(PersistenceBase.lock, "of_snakemake", PersistenceBase.lock)

    @contextmanager
    def lock_and_hold(persistence: PersistenceBase) -> Iterator[None]:
        try:
            with holding(Path(persistence.path) / "holders", study) as holder:
                try:
                    locked = lock(persistence)
                    locked.__enter__()
                except LockException:
                    raise Held(_sentence(holder.before or _other(holder), study)) from None
                try:
                    holder.sign()
                    yield
                finally:
                    holder.wipe()
                    locked.__exit__(None, None, None)
        except Held as held:
            raise WorkflowError(str(held)) from None

    lock_and_hold.of_snakemake = lock
    PersistenceBase.lock = lock_and_hold


class Holder:
    """A study's file: what an earlier holder left in it, and this process's name."""

    def __init__(self, file: TextIO):
        self.file = file
        self.before = _read(file)

    def sign(self) -> None:
        """Write who holds the study now."""
        who = {
            **processes.describe(os.getpid()),
            "user": _user(),
            "since": time.strftime("%Y-%m-%d %H:%M:%S %Z"),
            "command": shlex.join(sys.argv)[:MOST_OF_A_COMMAND],
        }
        self.wipe()
        json.dump(who, self.file)
        self.file.flush()

    def wipe(self) -> None:
        """Leave the file empty."""
        self.file.seek(0)
        self.file.truncate()


@contextmanager
def holding(folder: Path, study: str) -> Iterator[Holder]:
    """Hold ``study`` for a while; ``folder`` keeps a file for each.

    Raises:
        Held: another process does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{study}.json").open("a+", encoding="utf-8") as file:
        if not _taken(file):
            raise Held(_sentence(_patiently(file), study, alive=True))
        yield Holder(file)


@contextmanager
def alone(path: Path, busy: str) -> Iterator[None]:
    """Hold a lock for the block; say ``busy`` and wait while another process has it.

    Args:
        path: the file that is locked; it stays. Where it cannot be, a sentence says so.
        busy: a sentence.
    """
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(path.open("a+"))
            if not _taken(file):
                say(busy)
                fcntl.lockf(file, fcntl.LOCK_EX)
        except OSError as error:  # read-only, or another user's
            say(f"{path} cannot be locked ({error}); another process may do the same meanwhile.")
        yield


def _taken(file: TextIO, how: int = fcntl.LOCK_EX) -> bool:
    """Lock a file, or say that it cannot be locked; tell whether no other process has it."""
    try:
        fcntl.lockf(file, how | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # the two that POSIX allows
        return False
    except OSError as error:
        say(f"{file.name} cannot be locked ({error}); another process may do the same meanwhile.")
    return True


@contextmanager
def resting(folder: Path, study: str, read_only: bool = False) -> Iterator[None]:
    """Hold ``study`` so that nobody changes it for a while; ``folder`` is as of :func:`holding`.

    Args:
        folder: it keeps a file for each study.
        study: the study.
        read_only: one may lack the permission to write here, and then shares a lock with other
            readers without leaving a name.

    Raises:
        Held: another process works on the study.
    """
    with ExitStack() as stack:
        try:
            holder = stack.enter_context(holding(folder, study))
        except OSError as error:
            if not read_only or error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
            stack.enter_context(_reading(folder / f"{study}.json", study))
        else:
            stack.callback(holder.wipe)
            holder.sign()
        yield


@contextmanager
def _reading(path: Path, study: str) -> Iterator[None]:
    try:
        file = path.open(encoding="utf-8")
    except OSError as error:
        say(f"Nothing keeps others from working on {study} meanwhile: {error}.")
        yield
        return
    with file:
        if not _taken(file, fcntl.LOCK_SH):
            raise Held(_sentence(_patiently(file), study, alive=True))
        yield


def _other(holder: Holder) -> dict[str, Any]:
    """Return who holds another study in the same folder and runs, if anyone does."""
    for path in sorted(Path(holder.file.name).parent.glob("*.json")):
        if path.name != Path(holder.file.name).name:
            with path.open(encoding="utf-8") as file:
                who = _read(file)
            if who and _same(who):
                return who
    return {}


def _same(who: dict[str, Any]) -> bool:
    """Tell whether the process that ``who`` describes runs on this machine."""
    identity = processes.describe(who.get("pid"))
    return bool(identity["started"]) and all(who.get(k) == v for k, v in identity.items())


def _patiently(file: TextIO) -> dict[str, Any]:
    """Read who holds the study; wait a little for it to be written."""
    end = time.monotonic() + PATIENCE
    while not (who := _read(file)) and time.monotonic() < end:
        time.sleep(0.1)
    return who


def _read(file: TextIO) -> dict[str, Any]:
    file.seek(0)
    try:
        who = json.load(file)
    except ValueError:
        return {}
    return who if isinstance(who, dict) else {}


def _sentence(who: dict[str, Any], study: str, alive: bool = False) -> str:
    unlock = "run the same command with --unlock once, and then again as it was"
    intact = "Nothing was changed."
    if alive and not who:
        return (
            f"The study {study} is in use by a process that left no name, as an export by somebody "
            f"who may only read here does. Wait until it ends, and start again. {intact}"
        )
    if not who:
        return (
            f"The study {study} is locked here, and the one who locked it left no name. If no "
            f"other Snakemake works in this folder, {unlock}. {intact}"
        )
    name = (
        f"process {who.get('pid')} on {who.get('host')}, started by {who.get('user')} at "
        f"{who.get('since')} as `{who.get('command')}`"
    )
    if alive or _same(who):
        return (
            f"The study {study} is being worked on by {name}. Wait until it ends, or stop it with "
            f"Ctrl-C or `kill {who.get('pid')}`, and start again. {intact}"
        )
    here = processes.describe(os.getpid())
    if any(who.get(key) != here[key] for key in ("host", "space")):
        return (
            f"The study {study} is being worked on by {name}, which cannot be seen from here. Wait "
            f"until it ends. If it no longer runs there, {unlock}. {intact}"
        )
    return (
        f"The study {study} is locked by {name}, which no longer runs: it was killed, or the power "
        f"failed. To go on, {unlock}. {intact}"
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a number without a name, as in some containers
        return str(os.getuid())
