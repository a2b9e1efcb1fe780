"""The state of an unfinished training, from which a new start goes on to the same bits."""

import hashlib
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, Self

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from maskedteeth.errors import Diverged, Stopped, say
from maskedteeth.files import replacing, write_json
from maskedteeth.machine import describe_process


class Stateful(Protocol):
    """What can be stored and taken up again: a network, an optimiser, random numbers."""

    def state_dict(self) -> dict[str, Tensor]:
        """Return everything that is needed to go on."""

    def load_state_dict(self, state: dict[str, Tensor]) -> Any:
        """Take over what :meth:`state_dict` returned."""


class TorchRandom:
    """Torch's global generators, which dropout draws from."""

    def __init__(self, device: torch.device):
        self.device = device

    def state_dict(self) -> dict[str, Tensor]:
        """Return the generators' states, uint8."""
        cuda = self.device.type == "cuda"
        # Of a card that is not there it is empty, so that a training can go on without one.
        empty = torch.empty(0, dtype=torch.uint8)
        of_card = torch.cuda.get_rng_state(self.device) if cuda else empty
        return {"cpu": torch.get_rng_state(), "cuda": of_card}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Set the generators."""
        torch.set_rng_state(state["cpu"])
        if self.device.type == "cuda" and state["cuda"].numel():
            torch.cuda.set_rng_state(state["cuda"], self.device)


class StateFile:
    """Keeps the state of one training in ``folder`` while it runs.

    Used as a context: entering it takes hold of the folder; leaving it removes it when the result
    stands or the training has diverged, and leaves it after every other exception. The state is
    written every ``minutes`` and when the process is asked to stop, whole or not at all, and is
    believed only when it is undamaged and of the same training.

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
        self.identity = identity
        self.seconds = minutes * 60
        self.next = time.monotonic() + self.seconds
        self.signal: int | None = None
        self.lock: FileLock | None = None
        #: Where the training has run so far, in order.
        self.machines: list[dict] = [(identity or {}).get("machine", {})]

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

    def load(self, parts: dict[str, Stateful]) -> bool:
        """Take the state over into ``parts``; tell whether there was one to take over."""
        if self.folder is None or not self.path.exists():
            return False
        try:
            with safe_open(self.path, framework="pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            identity = json.loads(metadata["identity"])
            if metadata["sha256"] != _digest(tensors, metadata["identity"]):
                raise ValueError("its content does not match its checksum")
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            say(f"{self.path} is damaged ({error}) and is ignored; the training begins anew.")
            return False
        what = sorted(_differences(identity, self.identity))
        foreign = [name for name in what if name.partition(".")[0] != "machine"]
        if foreign:
            say(f"{self.path} is of another training ({', '.join(foreign)} differ) and is ignored.")
            return False
        if what:
            say(
                f"This training was begun elsewhere ({', '.join(what)} differ). It goes on, and "
                "ends with slightly other numbers than on one machine."
            )
        states = {}
        for part, holder in parts.items():
            start = f"{part}/"
            own = {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}
            expected = {name: t.shape for name, t in holder.state_dict().items() if t.numel()}
            for name, shape in expected.items():
                found = tuple(own[name].shape) if name in own else "nothing"
                if found != tuple(shape):
                    say(
                        f"{self.path} is of another network and is ignored: it has {found} for "
                        f"{name} ({part}), this one {tuple(shape)}. The training begins anew."
                    )
                    return False
            states[part] = own
        for part, holder in parts.items():
            holder.load_state_dict(states[part])
        before = json.loads(metadata["machines"])
        self.machines = before if before[-1:] == self.machines else before + self.machines
        return True

    def save(self, parts: dict[str, Stateful]) -> None:
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
        identity = json.dumps(self.identity)
        metadata = {"identity": identity, "sha256": _digest(tensors, identity)}
        metadata["machines"] = json.dumps(self.machines)
        try:
            with replacing(self.path) as temporary:
                save_file(tensors, temporary, metadata)
            kept = f"its state is in {self.path}, and a new start goes on from it"
        except (OSError, SafetensorError) as error:
            kept = f"its state could not be written to {self.path} ({error})"
            say(f"This training goes on, but {kept}.")
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
    """Lock ``folder``, so that one process trains. A holder that was left over is asked to stop.

    Snakemake runs a job once; if another process still trains here, its Snakemake was killed and
    it goes on alone. It writes its state and ends, and this one goes on from there. A holder on
    another machine cannot be asked: this one waits.
    """
    lock, holder = FileLock(folder / "lock"), folder / "holder.json"
    asked = False
    while not lock.is_locked:
        folder.mkdir(parents=True, exist_ok=True)  # a holder removes it at its end
        try:
            lock.acquire(timeout=1 if asked else 0)
        except FileNotFoundError:
            continue
        except Timeout:
            if not asked:
                _ask_to_stop(holder)
            asked = True
    write_json(holder, describe_process(os.getpid()))
    return lock


def _ask_to_stop(file: Path) -> None:
    """Send SIGTERM to the process that ``file`` describes, if it runs here; say what happens."""
    try:
        holder = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # not written yet: it has just begun, or is ending
    who = f"Process {holder['pid']} on {holder['host']}"
    if describe_process(holder["pid"]) == holder:
        with suppress(OSError):
            os.kill(holder["pid"], signal.SIGTERM)
            say(f"{who}, left over from an earlier start, trains the same; it is asked to stop.")
            return
    say(f"{who} trains the same. Waiting until it ends, or until you stop it.")


def _digest(tensors: dict[str, Tensor], identity: str) -> str:
    digest = hashlib.sha256(identity.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _differences(one: Any, other: Any, where: str = "") -> Iterator[str]:
    """Yield the dotted names of the values in which two JSON values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            name = f"{where}.{key}" if where else key
            yield from _differences(one.get(key), other.get(key), name)
    elif one != other:
        yield where
