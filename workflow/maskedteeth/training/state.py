"""The state of an unfinished training, from which a new start goes on to the same bits."""

import json
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Self

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from maskedteeth.errors import Diverged, Stopped, say
from maskedteeth.files import replacing


class TorchRandom:
    """Torch's global generators, which dropout draws from."""

    def __init__(self, device: torch.device):
        self.device = device

    def state_dict(self) -> dict[str, Tensor]:
        """Return the generators' states, uint8."""
        cuda = self.device.type == "cuda"
        of_card = {"cuda": torch.cuda.get_rng_state(self.device)} if cuda else {}
        return {"cpu": torch.get_rng_state(), **of_card}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Set the generators; that of a card only where one drew before, too."""
        torch.set_rng_state(state["cpu"])
        if self.device.type == "cuda" and "cuda" in state:
            torch.cuda.set_rng_state(state["cuda"], self.device)


class StateFile:
    """Keeps the state of one training in ``folder`` while it runs.

    Used as a context: entering it takes hold of the folder; leaving it removes it when the result
    stands or the training has diverged, and leaves it after every other exception. The state is
    written every ``minutes`` and when the process is asked to stop, whole or not at all.

    Args:
        folder: a folder of its own, which no rule declares: Snakemake deletes declared files of
            failed jobs. None: no state is kept.
        identity: what makes it the same training: settings, code, inputs; JSON values. Under
            "machine" stands where it runs: elsewhere it goes on too, and says so.
        minutes: between two states.
    """

    def __init__(
        self, folder: Path | None = None, identity: dict[str, Any] | None = None, minutes: float = 5
    ):
        self.folder = folder
        self.identity = identity or {}
        self.seconds = minutes * 60
        self.next = time.monotonic() + self.seconds
        self.signal: int | None = None
        self.lock: FileLock | None = None
        #: Where the training has run so far, in order.
        self.machines: list[dict] = [self.identity.get("machine", {})]

    @property
    def path(self) -> Path:
        """The state's file, safetensors."""
        return self.folder / "state.safetensors"

    def __enter__(self) -> Self:
        if self.folder:
            self.lock = _take_hold(self.folder)
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        of_use = kind is not None and not issubclass(kind, Diverged)
        if self.folder and not (of_use and self.path.exists()):
            shutil.rmtree(self.folder, ignore_errors=True)
        if self.lock:
            self.lock.release()

    def load(self, parts: dict[str, Any]) -> bool:
        """Take the state over into ``parts``; tell whether there was one to take over.

        Args:
            parts: by name, what has ``state_dict`` and ``load_state_dict``: a network, say.
        """
        if self.folder is None or not self.path.exists():
            return False
        try:
            with safe_open(self.path, framework="pt") as file:
                metadata = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            identity, before = (json.loads(metadata[name]) for name in ("identity", "machines"))
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            say(f"{self.path} is damaged ({error}) and is ignored. The training starts again.")
            return False
        what = _differing(identity, self.identity)
        if what not in ("", "machine"):
            say(f"{self.path} belongs to another training ({what} differ) and is ignored.")
            return False
        if what:
            where = _differing(identity["machine"], self.identity["machine"])
            say(
                f"This training began elsewhere ({where} differ) and continues here. The "
                "result may differ in the last digits from a run on one machine."
            )
        for part, holder in parts.items():
            start = f"{part}/"
            own = {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}
            holder.load_state_dict(own)
        self.machines = before if before[-1:] == self.machines else before + self.machines
        return True

    def save(self, parts: dict[str, Any]) -> None:
        """Write the state of ``parts``.

        A state that cannot be written, because the disk is full, say, is reported and the
        training goes on: the next may be.

        Raises:
            Stopped: the process was asked to stop.
        """
        tensors = {
            f"{part}/{name}": tensor.detach().cpu().contiguous()
            for part, holder in parts.items()
            for name, tensor in holder.state_dict().items()
        }
        about = {"identity": self.identity, "machines": self.machines}
        metadata = {name: json.dumps(value) for name, value in about.items()}
        try:
            with replacing(self.path) as temporary:
                save_file(tensors, temporary, metadata)
            kept = f"its state is in {self.path}, and the next start resumes from it"
        except (OSError, SafetensorError) as error:
            kept = f"its state could not be written to {self.path} ({error})"
            say(f"This training continues, but {kept}.")
        self.next = time.monotonic() + self.seconds
        if self.signal:
            raise Stopped(self.signal, f"stopped by {signal.Signals(self.signal).name}; {kept}.")

    def due(self) -> bool:
        """Tell whether it is time to write a state."""
        return self.folder is not None and bool(self.signal or time.monotonic() >= self.next)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT as the wish to write a state and stop, the first time."""
        signals = (signal.SIGTERM, signal.SIGINT) if self.folder else ()
        before = {number: signal.getsignal(number) for number in signals}

        def note(number: int, _: FrameType | None) -> None:
            self.signal = number
            signal.signal(number, before[number])

        for number in signals:
            signal.signal(number, note)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _take_hold(folder: Path) -> FileLock:
    """Lock ``folder``, so that one process trains.

    Snakemake runs a job once; where another process trains the same, its Snakemake was killed.
    """
    lock, seconds = FileLock(folder / "lock"), 0
    while not lock.is_locked:
        folder.mkdir(parents=True, exist_ok=True)  # whoever held it removes it at the end
        try:
            lock.acquire(timeout=seconds)
        except FileNotFoundError:
            continue
        except Timeout:
            say(
                f"Another process, perhaps left over from an earlier start, runs this training "
                f"({folder} is locked). Waiting until it ends, or until you stop it."
            )
            seconds = -1  # as long as it takes
    return lock


def _differing(one: dict[str, Any], other: dict[str, Any]) -> str:
    return ", ".join(sorted(name for name in one | other if one.get(name) != other.get(name)))
