"""The machine, made explicit: device, precision, threads and determinism."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from maskedteeth.errors import InputError
from maskedteeth.machine import processor
from maskedteeth.settings.config import Compute


@dataclass(frozen=True)
class Machine:
    """Where tensors live and in what precision networks run.

    Attributes:
        device: of all tensors.
        precision: torch.bfloat16 for autocast, or torch.float32 for none.
        name: processor or card, for the record.
    """

    device: torch.device
    precision: torch.dtype
    name: str

    @property
    def inference_batch(self) -> int:
        """Radiographs a forward pass without gradients.

        On a CPU the tensors of more leave its caches: one to four were equally fast, eight took a
        fifth longer.
        """
        return 32 if self.device.type == "cuda" else 2

    def autocast(self) -> AbstractContextManager:
        """Context in which networks run forward."""
        return torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.precision == torch.bfloat16
        )


def set_up(compute: Compute) -> Machine:
    """Choose the device and make every operation on it deterministic.

    Args:
        compute: device, precision and threads.

    Raises:
        InputError: ``compute.device`` is cuda and torch can use no card.
    """
    # cuBLAS reads this once, when it starts, and is deterministic only with it.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(compute.threads)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # float32 is meant where it is asked for
    # A few operations of the baselines (adaptive pooling) have no deterministic form on CUDA;
    # they warn instead of stopping. (`torch.use_deterministic_algorithms` does the same and imports
    # torch's compiler, which takes longer than many an evaluation.)
    torch.set_deterministic_debug_mode("warn" if torch.cuda.is_available() else "error")
    # Nothing here reads memory that it has not written; filling it first took 7 % of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False
    device = _choose_device(compute.device)
    cuda = device.type == "cuda"
    name = torch.cuda.get_device_name(device) if cuda else processor()
    return Machine(device, _choose_precision(compute.precision, device), name)


def _choose_device(wanted: str) -> torch.device:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "compute.device is 'cuda', but torch finds no CUDA card. Set it to 'auto' or 'cpu', "
            "or install a CUDA build of torch and a driver."
        )
    if wanted == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", _least_used_card())


#: The lock of this process's place on a card; the kernel gives it up when the process ends.
_place: list[FileLock] = []


def _least_used_card() -> int:
    """Take a place on the card on which the fewest processes of this project run.

    Of the cards that CUDA shows this process, which a scheduler or the user may have limited. How
    many may share one is Snakemake's business (`gpu` in profiles/gpu).
    """
    if _place:
        return torch.cuda.current_device()
    folder = Path(tempfile.gettempdir()) / f"maskedteeth-cards-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for place in itertools.count():
        for card in range(torch.cuda.device_count()):
            identity = torch.cuda.get_device_properties(card).uuid
            lock = FileLock(folder / f"{identity}-{place}.lock")
            with suppress(Timeout):
                lock.acquire(blocking=False)
                _place.append(lock)
                torch.cuda.set_device(card)
                return card


def _choose_precision(wanted: str, device: torch.device) -> torch.dtype:
    if wanted != "auto":
        return getattr(torch, wanted)
    if device.type == "cuda":
        gains = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        # Emulated bfloat16 is slower than float32; only these instructions make it faster.
        can = torch.cpu.get_capabilities()
        gains = can.get("avx512_bf16", False) or can.get("amx_tile", False)
    return torch.bfloat16 if gains else torch.float32


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Run the block with ``model`` in evaluation mode and without gradients."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)
