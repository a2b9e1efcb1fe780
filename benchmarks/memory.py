"""Peak memory of a training against what it cannot do without. Run in a process of its own.

    python benchmarks/memory.py STUDY

prints JSON: MiB of weights, optimiser, activations and dataset, their sum, and the peak.
"""

import gc
import json
import sys
from pathlib import Path

import torch
from subjects import Pretraining
from torch import Tensor

from maskedteeth.training.engine import shuffled_rows
from maskedteeth.training.optimiser import Adam


def process_memory(kind: str) -> int:
    """Return the bytes that Linux counts for this process: VmRSS, now, or VmHWM, the most so far.

    Not getrusage's peak, which begins with that of the process that started this one.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(f"{kind}:")).split()[1])


def size(tensors: list[Tensor]) -> int:
    """Return the bytes of the storages behind ``tensors``, each counted once."""
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
    return sum(storages.values())


def saved_for_backward(subject: Pretraining) -> int:
    """Return the bytes that a step's forward pass keeps for its backward pass."""
    kept: list[Tensor] = []
    own = {p.untyped_storage().data_ptr() for p in subject.network.parameters()}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            kept.append(tensor)
        return tensor

    job = subject.job
    rows = shuffled_rows(len(subject.pixels), 1, job.batch_size, torch.Generator())[0]
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = subject.task.loss(subject.network, rows.to(subject.machine.device), 0)
    total = size(kept)
    del loss
    return total


def main(study: str) -> dict[str, float]:
    """Measure a pretext epoch of three steps."""
    cuda = torch.cuda.is_available()
    tiny = Pretraining.of("demo", batches=1)  # everything that is loaded at first use
    tiny.epoch()
    del tiny
    gc.collect()
    torch.cuda.reset_peak_memory_stats() if cuda else None
    before = 0 if cuda else process_memory("VmRSS")
    subject = Pretraining.of(study, batches=3)
    subject.epoch()
    subject.wait()
    peak = torch.cuda.max_memory_allocated() if cuda else process_memory("VmHWM") - before
    adam = Adam(subject.network, 0.1)
    parts = {
        "weights": size([*subject.network.parameters(), *subject.network.buffers()]),
        "optimiser": size([*adam.first, *adam.second]),
        "activations": saved_for_backward(subject),
        "dataset": subject.pixels.nbytes,
    }
    values = {**parts, "sum": sum(parts.values()), "peak": peak}
    return {name: round(value / 2**20, 1) for name, value in values.items()}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
