import os
import signal
import time

import pytest
import torch
from small import Noting, new_network, run
from waiting import wait_until

from maskedteeth.errors import Stopped
from maskedteeth.training import state as state_module
from maskedteeth.training.state import StateFile

IDENTITY = {"settings": {"learning_rate": 0.01}, "code": "abc", "machine": {"device": "this"}}
STEPS = 8
OFTEN = 1e-9  # minutes: after every step


def train(folder, during=lambda network, step: None, seed=0, minutes=OFTEN, identity=IDENTITY):
    """Train, from the state where there is one; return all that comes of it."""
    network, task = new_network(seed), Noting(during)
    with StateFile(folder, identity, minutes) as state:
        progress = run(network, task, state=state)
    return network.state_dict(), progress.history, task.losses, progress.resumed


def stop_at(moment, number=signal.SIGTERM):
    # To this thread, so that it is there before the next line.
    return lambda network, step: signal.raise_signal(number) if step == moment else None


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
    with pytest.raises(Stopped, match=rf"stopped by {number.name}.*the next start resumes from it"):
        train(tmp_path / "state", stop_at(moment, number), minutes=5)
    torch.manual_seed(99)  # another process draws other numbers
    # Other first weights: all of them have to come from the state.
    found = train(tmp_path / "state", seed=1)
    assert same(found, expected) and found[3] == [moment + 1]


def test_a_state_is_written_when_it_is_time(tmp_path):
    state = StateFile(tmp_path, IDENTITY, minutes=0.1 / 60)
    for _ in range(2):
        assert not state.due()
        time.sleep(0.11)
        assert state.due()
        state.save({})
    assert not StateFile(minutes=0).due()


def test_the_state_is_removed_when_the_result_stands_and_kept_when_it_does_not(tmp_path):
    train(tmp_path / "state")
    assert not (tmp_path / "state").exists()
    with pytest.raises(ZeroDivisionError):
        train(tmp_path / "state", lambda network, step: 1 / (5 - step))
    assert train(tmp_path / "state")[3] == [5]


def test_a_second_signal_is_not_held_back_and_afterwards_signals_mean_what_they_did(tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it

    def twice(network, step):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    try:
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "state", twice)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("damage", [slice(0), slice(500), slice(-1)])
def test_a_damaged_state_is_reported_and_the_training_begins_anew(left_over, capsys, damage):
    file = left_over / "state.safetensors"
    file.write_bytes(file.read_bytes()[damage])
    found = train(left_over)
    said = capsys.readouterr().err
    assert "state.safetensors is damaged" in said and "The training starts again" in said
    assert same(found, train(None)) and found[3] == []


@pytest.mark.parametrize("what", ["settings", "code", "inputs_sha256"])
def test_the_state_of_another_training_is_reported_and_ignored(left_over, what, capsys):
    found = train(left_over, identity=IDENTITY | {what: "another", "machine": {"device": "other"}})
    said = capsys.readouterr().err
    assert f"belongs to another training ({', '.join(sorted([what, 'machine']))} differ)" in said
    assert same(found, train(None)) and found[3] == []


def test_a_training_goes_on_on_another_machine_says_so_and_remembers_it(left_over, capsys):
    there = IDENTITY | {"machine": {"device": "other", "threads": 1}}
    with pytest.raises(Stopped):
        train(left_over, stop_at(5), identity=there)
    said = capsys.readouterr().err
    assert "began elsewhere (device, threads differ) and continues here." in said
    state = StateFile(left_over, there)
    assert state.load({}) and state.machines == [IDENTITY["machine"], there["machine"]]
    assert same(train(left_over, identity=there), train(None))


def test_a_full_disk_stops_no_training_and_costs_no_state(left_over, monkeypatch, capsys):
    def cut_off(tensors, path, metadata):
        path.write_bytes(b"half a sta")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(state_module, "save_file", cut_off)
        with pytest.raises(Stopped, match="could not be written.*No space left"):
            train(left_over, stop_at(6))
        assert "continues, but its state could not be written" in capsys.readouterr().err
    found = train(left_over)
    assert same(found, train(None)) and found[3] == [4]


def test_a_training_that_was_left_over_is_waited_for_and_its_work_taken_up(tmp_path, capfd):
    child = os.fork()
    if child == 0:

        def linger(network, step):
            (tmp_path / "waits").touch()
            time.sleep(1)
            signal.raise_signal(signal.SIGTERM)

        try:
            train(tmp_path / "state", linger)
        finally:
            os._exit(0)
    wait_until((tmp_path / "waits").exists)
    found = train(tmp_path / "state")
    assert "runs this training" in capfd.readouterr().err
    assert os.waitpid(child, 0)[1] == 0
    assert same(found, train(None)) and found[3] == [1]
