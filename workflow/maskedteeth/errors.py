"""The exceptions, and the other sentences, that a user is meant to read."""

import sys
from contextlib import suppress


class InputError(Exception):
    """Something outside the code is wrong: a file, a setting, the network, the machine.

    The message is a sentence that names the file or setting, what was found, what was expected
    and what to do. The command line prints it without a traceback and exits with status 2.
    """


class Diverged(InputError):
    """A training no longer has finite numbers. Its state is of no use either, and is removed."""


class Stopped(Exception):
    """A signal asked the process to stop, and it has put its work in order.

    Args:
        signal: its number. The command line exits with 128 more, as shells do.
        message: what became of the work.
    """

    def __init__(self, signal: int, message: str):
        super().__init__(message)
        self.signal = signal


def say(sentence: str) -> None:
    """Print a sentence at once, on standard error; a log that is full stops nothing."""
    with suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)
