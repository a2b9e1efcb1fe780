"""The machine, made explicit: device, precision, threads and determinism."""

import ctypes
import itertools
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from maskedteeth.errors import InputError, say
from maskedteeth.machine import has_card, list_cards, processor, why_no_card
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
    _keep_memory()
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # float32 is meant where it is asked for
    # Nothing here reads memory that it has not written; filling it first took 7 % of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False
    device = _choose_device(compute.device)
    cuda = device.type == "cuda"
    # A few operations of the baselines (adaptive pooling) have no deterministic form on CUDA;
    # they warn instead of stopping. (`torch.use_deterministic_algorithms` does the same and imports
    # torch's compiler, which takes longer than many an evaluation.)
    torch.set_deterministic_debug_mode("warn" if cuda else "error")
    name = torch.cuda.get_device_name(device) if cuda else processor()
    return Machine(device, _choose_precision(compute.precision, device), name)


def _keep_memory() -> None:
    """Make glibc keep freed memory, as torch does on a card; other C libraries are left alone.

    A step frees and asks again for the same sizes. By default glibc gives large ones back, and
    Linux clears every page anew: 5 to 18 % of a step of small networks. The largest tensors are
    still given back: in the heap they left holes, and the peak of memory rose by two fifths.
    """
    with suppress(AttributeError, OSError):
        options = ctypes.CDLL("libc.so.6").mallopt
        options(-3, 2**25)  # M_MMAP_THRESHOLD: up to 32 MiB, the most there is, from the heap,
        options(-1, -1)  # M_TRIM_THRESHOLD: which is never made smaller


def _choose_device(wanted: str) -> torch.device:
    card = None if wanted == "cpu" else _card()
    if card is None and wanted == "cuda":
        raise InputError(
            f"compute.device is 'cuda', but torch cannot use a GPU: {why_no_card()} Or set it to "
            "'auto' or 'cpu'."
        )
    if card is None and wanted == "auto" and has_card():
        say(f"NVIDIA's driver is here, but the CPU is used: {why_no_card()}")
    return card or torch.device("cpu")


@cache
def _card() -> torch.device | None:
    """Take, once a process, a place on the card on which the fewest processes of this project run.

    Of the cards that CUDA shows this process, which a scheduler or the user may have limited. How
    many may share one is Snakemake's business (`gpu` in profiles/gpu).
    """
    _show_one_slice()
    if not torch.cuda.is_available():
        return None
    numbers = [n for n in range(torch.cuda.device_count()) if _runs_on(n)]
    if not numbers:
        return None
    names = [str(torch.cuda.get_device_properties(number).uuid) for number in numbers]
    number = numbers[_take_place(names)]
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def _show_one_slice() -> None:
    """Where cards are cut into MIG slices, choose one: CUDA shows a process only the first.

    Of those in CUDA_VISIBLE_DEVICES, or, where it is not set, of all that nvidia-smi lists.
    """
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    slices = re.findall(r"MIG-[^\s,)]+", list_cards() if listed is None else listed)
    if slices:
        os.environ["CUDA_VISIBLE_DEVICES"] = slices[_take_place(slices)]


def _runs_on(card: int) -> bool:
    """Tell whether this build of torch holds code for a card: its generation's, or PTX."""
    built_for = torch.cuda.get_arch_list()
    if torch.version.hip or not built_for:
        return True
    own = torch.cuda.get_device_capability(card)
    found = (re.match(r"(sm|compute)_(\d+)(\d)", name).groups() for name in built_for)
    built = ((kind, (int(major), int(minor))) for kind, major, minor in found)
    return any(of <= own and (kind == "compute" or of[0] == own[0]) for kind, of in built)


#: Locks of this process's places on cards; the kernel gives them up when the process ends.
_places: list[FileLock] = []


def _take_place(cards: list[str]) -> int:
    """Take a place on the least used of some cards, given by identity; return which it is."""
    folder = Path(tempfile.gettempdir()) / f"maskedteeth-cards-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for place in itertools.count():
        for number, card in enumerate(cards):
            lock = FileLock(folder / f"{card.replace('/', '_')}-{place}.lock")
            with suppress(Timeout):
                lock.acquire(blocking=False)
                _places.append(lock)
                return number


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
