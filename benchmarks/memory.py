"""Peak memory of a training against what it cannot do without. Run in a process of its own.

    python benchmarks/memory.py STUDY

prints JSON: MiB of weights, optimiser, activations and dataset, their sum, and the peak.
"""

import gc
import json
import sys

import psutil
import torch
from subjects import CUDA, Pretraining
from torch import Tensor

from maskedteeth.machine import peak_memory_mib
from maskedteeth.training.optimiser import Adam


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

    rows = torch.arange(subject.job.batch_size, device=subject.machine.device)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = subject.task.loss(subject.network, rows, 0)
    del loss  # with what it keeps, but for `kept`
    return size(kept)


def main(study: str) -> dict[str, float]:
    """Measure a pretext epoch of three steps."""
    Pretraining("demo", batches=1).epoch()  # everything that is loaded at first use
    gc.collect()
    torch.cuda.reset_peak_memory_stats() if CUDA else None
    before = 0 if CUDA else psutil.Process().memory_info().rss
    subject = Pretraining(study, batches=3)
    subject.epoch()
    peak = torch.cuda.max_memory_allocated() if CUDA else peak_memory_mib() * 2**20 - before
    adam = Adam(subject.network, 0.1)
    parts = {
        "weights": size([*subject.network.parameters(), *subject.network.buffers()]),
        "optimiser": size([*adam.first.values(), *adam.second.values()]),
        "activations": saved_for_backward(subject),
        "dataset": subject.pixels.nbytes,
    }
    values = {**parts, "sum": sum(parts.values()), "peak": peak}
    return {name: round(value / 2**20, 1) for name, value in values.items()}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
