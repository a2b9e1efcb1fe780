"""The exceptions, and the other sentences, that a user is meant to read."""

import re
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


#: How torch and the libraries below it say that memory did not suffice.
NO_MEMORY = re.compile(
    "out of memory|tried to allocate|can't allocate memory|_ALLOC_FAILED", re.IGNORECASE
)


def out_of_memory(error: Exception) -> str | None:
    """Return what to do where memory did not suffice; None for another error.

    Args:
        error: as raised by torch, NumPy or Python.
    """
    text = str(error)
    if not isinstance(error, MemoryError) and not NO_MEMORY.search(text):
        return None
    whose = "GPU" if re.search("cuda|cublas|cudnn", text, re.IGNORECASE) else "computer"
    asked = re.search(r"allocate (\d[\d.]* ?(?:[KMGTP]iB|bytes))", text)
    more = f": {asked[1]} more were needed" if asked else ""
    return (
        f"The {whose}'s memory is not enough{more}. In a study, set a smaller "
        "training.batch_size, pretext.<name>.batch_size or image (image.height, image.width); for "
        "radiographs of your own, use --device cpu or a machine with more memory."
    )


def say(sentence: str) -> None:
    """Print a sentence at once, on standard error; a log that is full stops nothing."""
    with suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)
