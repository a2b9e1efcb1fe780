"""Which graphics cards there are, and who may use how much of their memory.

All processes of a user on a machine, whatever study or Snakemake they belong to, keep one ledger:
a folder with a file for each reservation. The process that owns a reservation holds a lock on its
file (flock), which the kernel gives up when the process ends, however it ends. So a reservation
whose lock can be had belongs to nobody, and is removed. No process numbers, no timeouts.
"""

import fcntl
import json
import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from maskedteeth.errors import InputError, say

#: Share of a card's memory that nobody gets: the driver's own, and what no allocator can use.
RESERVE = 0.04
#: Between two looks of a process that waits for room.
SECONDS = 0.5

QUERY = ("nvidia-smi", "--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits")


@dataclass(frozen=True)
class Card:
    """A graphics card.

    Attributes:
        index: in the order of the PCI bus, as nvidia-smi counts.
        uuid: by which CUDA_VISIBLE_DEVICES can name it, whatever the order.
        mib: its memory.
    """

    index: int
    uuid: str
    mib: int

    @property
    def room(self) -> int:
        """MiB that can be reserved."""
        return int(self.mib * (1 - RESERVE))


def visible_cards() -> list[Card]:
    """Return the cards that this process may use: none where there is no nvidia-smi.

    CUDA_VISIBLE_DEVICES, which clusters set, is respected: nvidia-smi's indices or (beginnings
    of) UUIDs, up to the first that is unknown.
    """
    try:
        answer = subprocess.run(QUERY, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    cards = []
    for line in answer.stdout.splitlines():
        index, name, mib = (part.strip() for part in line.split(","))
        if mib.isdecimal():  # a few integrated cards, which share the computer's memory, say [N/A]
            cards.append(Card(int(index), name, int(mib)))
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None:
        return cards
    chosen: list[Card] = []
    for name in (part.strip() for part in allowed.split(",")):
        found = [c for c in cards if name == str(c.index) or (name and c.uuid.startswith(name))]
        if len(found) != 1 or found[0] in chosen:
            break
        chosen += found
    return chosen


class Ledger:
    """The reservations on all cards of this machine, of one user.

    Args:
        folder: where they lie. It is made, readable by its owner alone.
    """

    def __init__(self, folder: Path | None = None):
        self.folder = folder or Path(tempfile.gettempdir()) / f"maskedteeth-cards-{os.getuid()}"

    def reserve(self, cards: list[Card], mib: int | None) -> tuple[Card, IO[str]]:
        """Wait until a card has room, and reserve it.

        Of several cards with room the one with the most is taken, so that work spreads.

        Args:
            cards: to choose from.
            mib: memory; None: a whole card.

        Returns:
            The card, and the open file that holds the reservation until it is closed or the
            process ends.

        Raises:
            InputError: no card is large enough, or the folder cannot be used.
        """
        largest = max(cards, key=lambda card: card.room)
        if mib is not None and mib > largest.room:
            raise InputError(
                f"This needs {mib} MiB of a card's memory (gpu_mem_mb), and the largest card here "
                f"can give {largest.room} of its {largest.mib} MiB. Set a smaller batch_size or a "
                "smaller image (image.height, image.width), or compute.device to 'cpu'."
            )
        waits = False
        while True:
            with self._alone():
                taken = self.taken()
                free = {card: card.room - taken.get(card.uuid, 0) for card in cards}
                fits = [c for c in cards if free[c] >= (c.room if mib is None else mib)]
                if fits:
                    card = max(fits, key=free.__getitem__)
                    return card, self._enter(card, card.room if mib is None else mib)
            if not waits:
                wanted = "a whole card" if mib is None else f"{mib} MiB on a card"
                there = ", ".join(f"{card.index}: {free[card]} MiB" for card in cards)
                say(f"Waiting for {wanted}; free now on card {there}.")
            waits = True
            time.sleep(SECONDS)

    def taken(self) -> dict[str, int]:
        """Return the MiB that are reserved on each card, by UUID; forget reservations of nobody."""
        total: dict[str, int] = {}
        for path in self.folder.glob("*.json"):
            with path.open("a+", encoding="utf-8") as file:
                if _lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    path.unlink(missing_ok=True)
                    continue
                file.seek(0)
                entry = json.load(file)
            total[entry["uuid"]] = total.get(entry["uuid"], 0) + entry["mib"]
        return total

    def _enter(self, card: Card, mib: int) -> IO[str]:
        file = (self.folder / f"{uuid.uuid4().hex}.json").open("x", encoding="utf-8")
        _lock(file, fcntl.LOCK_EX)
        json.dump({"uuid": card.uuid, "mib": mib, "pid": os.getpid()}, file)
        file.flush()
        return file

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep all others from reading and writing the ledger for the time of the block."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = self.folder.lstat()
            if self.folder.is_symlink() or status.st_uid != os.getuid() or status.st_mode & 0o077:
                raise PermissionError("it is not a folder that you alone can use")
            with (self.folder / "lock").open("a") as file:
                _lock(file, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise InputError(
                f"{self.folder}, where trainings agree on who uses which card, cannot be used "
                f"({error}). Remove it, or set TMPDIR to a folder of yours on this machine's disk."
            ) from None


def _lock(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return False
    return True


_mine: list[tuple[Card, IO[str]]] = []
#: Tells the processes that a holder starts that the card is theirs too.
HELD = "MASKEDTEETH_CARD_HELD"


def take_card(mib: int | None = None) -> Card | None:
    """Reserve memory of a card for the rest of this process, and let CUDA see that card alone.

    Call it before CUDA starts, which reads CUDA_VISIBLE_DEVICES once. A process has one
    reservation: a second call returns the first's card, and so does one in a process that a holder
    has started, as the benchmarks do. Without cards nothing happens.

    Args:
        mib: memory; None: a whole card.

    Returns:
        The card, or None where there is none.

    Raises:
        InputError: as :meth:`Ledger.reserve`.
    """
    if not _mine:
        cards = visible_cards()
        if not cards or os.environ.get(HELD) == cards[0].uuid:
            return cards[0] if cards else None
        _mine.append(Ledger().reserve(cards, mib))
        os.environ["CUDA_VISIBLE_DEVICES"] = os.environ[HELD] = _mine[0][0].uuid
    return _mine[0][0]


def give_card_back() -> None:
    """End this process's reservation."""
    while _mine:
        _mine.pop()[1].close()
        os.environ.pop(HELD, None)


def used_mib(card: Card) -> int:
    """Return the memory of a card that is in use, by whomever, as nvidia-smi counts it."""
    return int(_ask(card, "memory.used"))


def name_of(card: Card) -> str:
    """Return a card's name, which is also torch's for it."""
    return _ask(card, "name")


def _ask(card: Card, what: str) -> str:
    query = ("nvidia-smi", f"--id={card.uuid}", f"--query-gpu={what}", QUERY[2])
    answer = subprocess.run(query, capture_output=True, text=True, timeout=60, check=True)
    return answer.stdout.strip()
