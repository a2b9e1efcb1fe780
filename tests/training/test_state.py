import json
import os
import signal
import time

import pytest
import torch
from safetensors import safe_open
from torch import nn
from waiting import wait_until

from maskedteeth.errors import Stopped
from maskedteeth.files import write_json
from maskedteeth.settings.config import Recipe
from maskedteeth.training import state as state_module
from maskedteeth.training.device import Machine
from maskedteeth.training.engine import Task, fit
from maskedteeth.training.state import StateFile

MACHINE = Machine(torch.device("cpu"), torch.float32, "test")
RECIPE = Recipe(epochs=3, batch_size=4, learning_rate=0.01)
IDENTITY = {"settings": {"learning_rate": 0.01}, "code": "abc", "machine": {"device": "this"}}
STEPS = 8
OFTEN = 1e-9  # minutes: after every step


class Noting(Task):
    """A regression that notes what it saw, and does something after a step."""

    def __init__(self, then=lambda step: None):
        self.x = torch.rand(10, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        self.seen = torch.zeros(STEPS, 4)
        self.then = then

    def loss(self, network, rows, step):
        self.seen[step] = rows.float()
        self.then(step)
        return (network(self.x[rows]) - 1 + 2 * self.x[rows]).square().mean()

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen.copy_(state["seen"])


def network(seed=0):
    """With everything that has a state: parameters, running statistics, random numbers."""
    torch.manual_seed(seed)
    layers = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(), nn.Conv2d(4, 1, 1)
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def train(folder, then=lambda step: None, seed=0, minutes=OFTEN, identity=IDENTITY):
    """Train, from the state where there is one; return all that comes of it."""
    net, task = network(seed), Noting(then)
    options = {"samples": 10, "epoch_samples": 10, "seed": 0, "machine": MACHINE}
    with StateFile(folder, identity, minutes) as state:
        progress = fit(net, task, RECIPE, **options, state=state)
    return net.state_dict(), progress.history, task.seen, progress.resumed


def stop_at(moment, number=signal.SIGTERM):
    # To this thread, so that it is there before the next line.
    return lambda step: signal.raise_signal(number) if step == moment else None


def same(one, other):
    weights = all(torch.equal(one[0][name], other[0][name]) for name in one[0])
    return weights and one[1] == other[1] and torch.equal(one[2], other[2])


@pytest.fixture
def left_over(tmp_path):
    """The state of a training that was stopped after its fourth step."""
    with pytest.raises(Stopped):
        train(tmp_path / "state", stop_at(3))
    return tmp_path / "state"


@pytest.mark.parametrize(
    ("moment", "number"),
    [*((moment, signal.SIGTERM) for moment in range(STEPS)), (4, signal.SIGINT)],
)
def test_a_training_stopped_after_any_step_ends_with_the_same_bits(tmp_path, moment, number):
    expected = train(None)
    with pytest.raises(Stopped, match=rf"stopped by {number.name}.*a new start goes on from it"):
        train(tmp_path / "state", stop_at(moment, number), minutes=5)
    torch.manual_seed(99)  # another process draws other numbers
    # Other first weights: all of them have to come from the state.
    found = train(tmp_path / "state", seed=1)
    assert same(found, expected) and found[3] == [moment + 1]


def test_a_training_stopped_after_each_of_its_steps_ends_with_the_same_bits(tmp_path):
    for step in range(STEPS):
        with pytest.raises(Stopped):
            train(tmp_path / "state", stop_at(step))
    found = train(tmp_path / "state")
    assert same(found, train(None)) and found[3] == list(range(1, STEPS + 1))


def test_a_training_killed_without_warning_goes_on_from_its_last_state(tmp_path):
    child = os.fork()
    if child == 0:  # in a process of its own, because nothing survives SIGKILL
        train(tmp_path / "state", stop_at(5, signal.SIGKILL))
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    found = train(tmp_path / "state")
    assert same(found, train(None)) and found[3] == [5]


def test_states_are_written_only_when_it_is_time(tmp_path, monkeypatch):
    written = []
    save = StateFile.save
    monkeypatch.setattr(
        StateFile, "save", lambda self, parts: (written.append(1), save(self, parts))
    )
    train(tmp_path / "state", minutes=5)
    assert not written
    train(tmp_path / "state", minutes=OFTEN)
    assert len(written) == STEPS
    train(tmp_path / "state", lambda step: time.sleep(0.05), minutes=0.12 / 60)
    assert STEPS < len(written) < 2 * STEPS


def test_the_state_is_removed_when_the_result_stands_and_kept_when_it_does_not(tmp_path):
    train(tmp_path / "state")
    assert not (tmp_path / "state").exists()

    def fail(step):
        if step == 5:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        train(tmp_path / "state", fail)
    assert train(tmp_path / "state")[3] == [5]


def test_a_second_signal_is_not_held_back(tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it

    def twice(step):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    try:
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "state", twice)
    finally:
        signal.signal(signal.SIGINT, before)


def test_signals_mean_what_they_meant_before_when_the_loop_is_over(tmp_path):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    train(tmp_path / "state")
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


# --- What is not to be trusted ---


@pytest.mark.parametrize("damage", [slice(0), slice(500), slice(-1)])
def test_a_damaged_state_is_reported_and_the_training_begins_anew(left_over, capsys, damage):
    file = left_over / "state.safetensors"
    file.write_bytes(file.read_bytes()[damage])
    found = train(left_over)
    said = capsys.readouterr().err
    assert "state.safetensors is damaged" in said and "begins anew" in said
    assert same(found, train(None)) and found[3] == []


@pytest.mark.parametrize("what", ["settings", "code", "inputs_sha256"])
def test_the_state_of_another_training_is_reported_and_ignored(left_over, what, capsys):
    found = train(left_over, identity=IDENTITY | {what: "another", "machine": {"device": "other"}})
    said = capsys.readouterr().err
    assert f"is of another training ({', '.join(sorted([what, 'machine']))} differ)" in said
    assert same(found, train(None)) and found[3] == []


def test_a_training_goes_on_on_another_machine_says_so_and_remembers_it(left_over, capsys):
    there = IDENTITY | {"machine": {"device": "other", "threads": 1}}
    with pytest.raises(Stopped):
        train(left_over, stop_at(5), identity=there)
    said = capsys.readouterr().err
    assert "begun elsewhere (device, threads differ). It goes on" in said
    state = StateFile(left_over, there)
    assert state.load({}) and state.machines == [IDENTITY["machine"], there["machine"]]
    assert same(train(left_over, identity=there), train(None))


def test_a_state_is_plain_safetensors_and_says_what_it_belongs_to(left_over):
    with safe_open(left_over / "state.safetensors", framework="pt") as file:
        assert json.loads(file.metadata()["identity"]) == IDENTITY
        names = set(file.keys())
    assert {"network/0.weight", "network/1.running_mean", "adam/first.0.weight"} <= names
    assert {"adam/steps.0.weight", "random/cpu", "progress/history", "task/seen"} <= names


def test_a_disk_that_is_full_stops_no_training(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(state_module, "save_file", full)
    found = train(tmp_path / "state")
    assert "goes on, but its state could not be written" in capsys.readouterr().err
    assert same(found, train(None))
    with pytest.raises(Stopped, match="could not be written.*No space left"):
        train(tmp_path / "state", stop_at(3))


def test_a_state_survives_when_the_next_cannot_be_written(left_over, monkeypatch):
    def cut_off(tensors, path, metadata):
        path.write_bytes(b"half a sta")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(state_module, "save_file", cut_off)
        with pytest.raises(Stopped):
            train(left_over, stop_at(6))
    found = train(left_over)
    assert same(found, train(None)) and found[3] == [4]


# --- One process at a time ---


def test_a_training_that_was_left_over_is_asked_to_stop_and_its_work_taken_up(tmp_path, capfd):
    expected = train(None)
    child = os.fork()

    def wait_to_be_stopped(step):
        (tmp_path / "waits").touch()
        while step == 5 and signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
            time.sleep(0.01)

    if child == 0:
        try:
            train(tmp_path / "state", wait_to_be_stopped, minutes=5)
        except Stopped:
            os._exit(0)
        finally:
            os._exit(1)
    wait_until((tmp_path / "waits").exists)
    found = train(tmp_path / "state")
    said = capfd.readouterr().err
    assert f"Process {child} on" in said and "is asked to stop" in said
    assert os.waitpid(child, 0)[1] == 0
    assert same(found, expected) and found[3] == [6]


def test_a_process_of_another_machine_is_waited_for(tmp_path, capfd):
    child = os.fork()
    if child == 0:
        with StateFile(tmp_path / "state", IDENTITY):
            write_json(tmp_path / "state/holder.json", {"host": "elsewhere", "pid": 1})
            (tmp_path / "ready").touch()
            time.sleep(1)
        os._exit(0)
    wait_until((tmp_path / "ready").exists)
    found = train(tmp_path / "state")
    assert "Process 1 on elsewhere trains the same. Waiting" in capfd.readouterr().err
    assert os.waitpid(child, 0)[1] == 0
    assert same(found, train(None)) and not (tmp_path / "state").exists()
