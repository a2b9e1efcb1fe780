"""The display in a real (pseudo-)terminal."""

import re
import sys

import pytest
from pseudo_terminal import run_in_terminal, seen

SCRIPT = """
import os, subprocess, sys
from pathlib import Path
from maskedteeth.study.progress.epochs import Reached
from maskedteeth.study.progress.finish import Estimate
from maskedteeth.study.progress.jobs import Job, Jobs, Training
from maskedteeth.study.progress.terminal import Terminal, frame

job = Job(1, "train", "train a", "Training: linknet, fraction 0.9, seed 42")
job.training = Training(8, 1.0, Path("needs.json"))
job.begin(100, queued=False)
jobs = Jobs([job, *(Job(n, "r", "r", "[red]Writing[/red]") for n in range(2, 5))])
print("before")
terminal = Terminal(sys.stderr, colours=True)
try:
    for epoch in (1, 2, 3):
        job.reached = Reached(epoch, 3, epoch * 10, 0.3621, 50.8)
        terminal.draw(frame(jobs, Estimate(60.0, {1: 20.0}), 90, 110, terminal.columns()))
        subprocess.run(["sh", "-c", f"echo a child in epoch {epoch}; echo '10%\\r20%' >&2"])
        print("printed in epoch", epoch)
    terminal.say("Failed: [something]\\n    log: a.log")
    if "fail" in sys.argv:
        raise KeyboardInterrupt
finally:
    terminal.close()
    assert os.isatty(1) and os.isatty(2)
print("after")
"""
ABOVE = [
    *("before", "a child in epoch 1", "20%", "printed in epoch 1"),
    *("a child in epoch 2", "20%", "printed in epoch 2"),
    *("a child in epoch 3", "20%", "printed in epoch 3"),
    *("Failed: [something]", "    log: a.log"),
]


@pytest.fixture
def terminal():
    """Runs the script in a terminal of some columns; returns what it wrote."""

    def run(*words, columns=100, **environment):
        command = [sys.executable, "-c", SCRIPT, *words]
        environment = {"PYTHONPATH": ":".join(sys.path), **environment}
        return run_in_terminal(command, environment, columns)

    return run


def test_the_display_is_in_place_and_what_is_printed_stands_above_it(terminal):
    written = terminal()
    title = "Training: linknet, fraction 0.9, seed 42"
    assert len(re.findall(title, written)) >= 3 and "\x1b[1A" in written  # drawn over and over
    for epoch in (1, 2, 3):
        assert f"epoch {epoch}/3  loss 0.3621  50.8 images/s  20 s left" in written
    assert "0 of 4 jobs done, 1 running, 3 left" in written
    assert "0:00:20 so far" in written and "(in 60 s)" in written
    lines = [line for line in seen(written) if line]
    assert sorted(lines[:-1]) == sorted(ABOVE)  # a child's and a parent's lines may change places
    assert lines[-1] == "after"  # and nothing of the display


def test_the_terminal_is_left_clean_after_an_interrupt(terminal):
    written = terminal("fail")
    assert "KeyboardInterrupt" in written.rpartition("log: a.log")[2]
    assert not [line for line in seen(written) if "jobs done" in line or "images/s" in line]
    assert written.rfind("\x1b[?25h") > written.rfind("\x1b[?25l")  # the cursor is there


def test_the_cursor_is_there_all_the_time(terminal):
    """A process that is killed cannot bring it back."""
    assert re.search(r"\x1b\[\?25l(?!.{0,20}\x1b\[\?25h)", terminal(), re.DOTALL) is None


@pytest.mark.parametrize("columns", [20, 45])
def test_a_narrow_terminal_cuts_lines_and_wraps_none(terminal, columns):
    written = terminal(columns=columns)
    assert [line for line in seen(written) if line and "epoch" not in line][-1] == "after"
    frames = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", written).splitlines()
    drawn = {line for text in frames for line in text.split("\r")} - {*ABOVE, "after"}
    assert len(drawn) >= 3
    assert max(map(len, drawn)) <= columns - len(
        "^C"
    )  # which the terminal itself shows at the end of a line


def test_where_room_lacks_the_title_is_cut_and_then_has_a_line_of_its_own(terminal):
    far = "epoch 3/3  loss 0.3621  50.8 images/s  20 s left"
    drawn = [re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", terminal(columns=n)) for n in (100, 85, 60)]
    assert f"Training: linknet, fraction 0.9, seed 42  {far}" in drawn[0]
    assert re.search(f"Training: linknet, fr[^\\n]*…  {far}", drawn[1])
    assert re.search(f"Training: linknet, fraction 0.9, seed 42\r?\n    {far}", drawn[2])


def test_no_color_is_heeded(terminal):
    assert re.search(r"\x1b\[\d*;?3\d", terminal())
    assert not re.search(r"\x1b\[\d*;?3\d", terminal(NO_COLOR="1"))
