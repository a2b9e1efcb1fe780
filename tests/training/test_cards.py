"""Cards that are not there, and real processes that compete for them."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import torch

from maskedteeth.errors import InputError
from maskedteeth.settings.config import Compute
from maskedteeth.training import cards
from maskedteeth.training.cards import Card, Ledger, give_card_back, take_card, visible_cards
from maskedteeth.training.device import set_up

BIG, SMALL = ("GPU-big", 81920), ("GPU-small", 24576)
ROOM = {"GPU-big": 78643, "GPU-small": 23592}  # 96 %

# Reserves, says so, and ends when the file that it is given is removed or the time is over.
TRAINING = """
import os, sys, time
from pathlib import Path
from maskedteeth.training import cards
cards.SECONDS = 0.02
mib, log, gate, seconds = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
card = cards.take_card(mib or None)
with log.open("a") as file:
    file.write(f"{time.monotonic()} {os.environ['CUDA_VISIBLE_DEVICES']} {mib or card.room}\\n")
end = time.monotonic() + seconds
while gate.exists() and time.monotonic() < end:
    time.sleep(0.02)
with log.open("a") as file:
    file.write(f"{time.monotonic()}\\n")
"""


@pytest.fixture
def machine(tmp_path, monkeypatch, fake_cards):
    """A machine of its own, with given cards."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(cards, "SECONDS", 0.02)
    yield fake_cards
    give_card_back()
    monkeypatch.setattr(tempfile, "tempdir", None)


@pytest.fixture
def start(tmp_path):
    """Start processes that reserve memory on cards."""
    (tmp_path / "gate").touch()
    started = []

    def one(mib, seconds=60.0):
        number = len(started)
        command = [sys.executable, "-c", TRAINING, str(mib), str(tmp_path / f"{number}.log")]
        with (tmp_path / f"{number}.said").open("w") as said:
            command += [str(tmp_path / "gate"), str(seconds)]
            started.append(subprocess.Popen(command, stderr=said))
        return started[-1]

    yield one
    for process in started:
        process.kill()
        process.wait()


def holders(folder: Path) -> dict[int, str]:
    """The processes that hold a card now, and the card."""
    found = {}
    for log in folder.glob("*.log"):
        lines = log.read_text().splitlines()
        if len(lines) == 1:
            found[int(log.stem)] = lines[0].split()[1]
    return found


def waiting(folder: Path) -> set[int]:
    said = {int(f.stem): f.read_text() for f in folder.glob("*.said")}
    assert all(text.count("Waiting for") <= 1 for text in said.values())
    return {n for n, text in said.items() if text and not (folder / f"{n}.log").exists()}


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def test_a_machine_without_cards_needs_nothing(machine, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_cards() == [] and take_card(10**9) is None
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
    assert not list(tmp_path.glob("maskedteeth-cards-*"))


@pytest.mark.parametrize(
    ("allowed", "found"),
    [
        (None, ["GPU-big", "GPU-small"]),
        ("1", ["GPU-small"]),
        ("1,0", ["GPU-small", "GPU-big"]),
        ("GPU-sm", ["GPU-small"]),
        ("GPU-", []),  # of both
        ("0,7,1", ["GPU-big"]),
        ("", []),
        ("-1", []),
        ("MIG-1234", []),
    ],
)
def test_it_sees_the_cards_that_cuda_may_see(machine, monkeypatch, allowed, found):
    machine(BIG, SMALL)
    if allowed is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", allowed)
    assert [card.uuid for card in visible_cards()] == found


def test_a_card_takes_as_many_as_fit_and_the_others_wait(machine, start, tmp_path):
    machine(BIG)
    processes = [start(19_000) for _ in range(6)]  # 4 x 19000 <= 78643 < 5 x 19000
    until(lambda: len(holders(tmp_path)) == 4 and len(waiting(tmp_path)) == 2)
    time.sleep(0.3)
    assert len(holders(tmp_path)) == 4
    assert set(holders(tmp_path).values()) == {"GPU-big"}

    # However a process ends, its room is free.
    first, second = list(holders(tmp_path))[:2]
    for number, how in ((first, signal.SIGKILL), (second, signal.SIGTERM)):
        late = waiting(tmp_path)
        processes[number].send_signal(how)
        processes[number].wait()
        until(lambda late=late: len(waiting(tmp_path)) == len(late) - 1)
    until(lambda: len(holders(tmp_path)) == 6)  # two of them were killed
    (tmp_path / "gate").unlink()
    assert [p.wait(60) for p in processes].count(0) == 4
    assert Ledger().taken() == {}
    assert [f.name for f in Ledger().folder.iterdir()] == ["lock"]


def test_two_cards_of_different_size_are_both_filled(machine, start, tmp_path):
    machine(BIG, SMALL)
    for _ in range(6):
        start(20_000)
    until(lambda: len(holders(tmp_path)) == 4 and len(waiting(tmp_path)) == 2)
    assert sorted(holders(tmp_path).values()) == ["GPU-big"] * 3 + ["GPU-small"]


def test_whole_cards_are_one_slot_each(machine, start, tmp_path):
    machine(BIG, SMALL)
    for _ in range(3):
        start(0)
    until(lambda: len(holders(tmp_path)) == 2 and len(waiting(tmp_path)) == 1)
    assert set(holders(tmp_path).values()) == {"GPU-big", "GPU-small"}


def test_a_card_is_never_promised_twice_however_many_compete(machine, start, tmp_path):
    machine(BIG, SMALL)
    drawn = random.Random(0)
    sizes = [drawn.choice([3_000, 11_000, 23_000, 40_000, 70_000]) for _ in range(24)]
    processes = [start(mib, seconds=drawn.uniform(0, 0.3)) for mib in sizes]
    assert [p.wait(120) for p in processes] == [0] * len(processes)
    events = []
    for log in tmp_path.glob("*.log"):
        (begin, uuid, mib), (end,) = (line.split() for line in log.read_text().splitlines())
        events += [(float(begin), uuid, int(mib)), (float(end), uuid, -int(mib))]
    used, most = dict.fromkeys(ROOM, 0), dict.fromkeys(ROOM, 0)
    for _, uuid, mib in sorted(events):
        used[uuid] += mib
        most[uuid] = max(most[uuid], used[uuid])
    assert len(events) == 48 and all(0 < most[uuid] <= ROOM[uuid] for uuid in ROOM)


def test_what_no_card_can_hold_is_refused_in_a_sentence(machine):
    machine(SMALL, BIG)
    with pytest.raises(InputError, match=r"needs 78644 MiB .* can give 78643 .* batch_size"):
        take_card(78_644)
    assert take_card(78_643).uuid == "GPU-big"


def test_what_a_holder_starts_shares_its_card(machine):
    machine(BIG, SMALL)
    ask = "from maskedteeth.training import cards; print(cards.take_card().uuid)"
    take_card()
    answer = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, timeout=60, check=True
    )
    assert answer.stdout == b"GPU-big\n" and Ledger().taken() == {"GPU-big": ROOM["GPU-big"]}
    give_card_back()
    assert cards.HELD not in os.environ


def test_a_folder_that_others_can_write_to_is_refused(tmp_path):
    folder = tmp_path / "ledger"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(InputError, match=r"ledger, where trainings agree .* you alone"):
        Ledger(folder).reserve([Card(0, "GPU-a", 1000)], 10)


def test_the_card_is_chosen_before_cuda_starts(machine, monkeypatch):
    machine(BIG, SMALL)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    seen = []

    def cuda_starts():
        seen.append((os.environ.get("CUDA_VISIBLE_DEVICES"), Ledger().taken()))
        return False

    monkeypatch.setattr(torch.cuda, "is_available", cuda_starts)
    set_up(Compute(precision="float32", threads=1), 1000)
    assert seen[0] == ("GPU-big", {"GPU-big": 1000})
    # CUDA found nothing that it could use, so others may have the card.
    assert Ledger().taken() == {}
    seen.clear()
    # Measured without a card: 0 MiB, which says nothing about one.
    set_up(Compute(precision="float32", threads=1), 0)
    assert seen[0][1] == {"GPU-big": ROOM["GPU-big"]}
    assert set_up(Compute(device="cpu", threads=1), 10**9).device.type == "cpu"
