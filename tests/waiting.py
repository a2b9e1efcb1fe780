"""Waiting for what another process does, with an end."""

import time


def wait_until(condition, seconds=60):
    """Return what ``condition()`` returns as soon as that is true; fail when it takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not in {seconds} s: {condition}"
        time.sleep(0.05)
    return found
