"""The machine that a user's own radiographs are looked at with."""

from typing import Literal

import torch

from maskedteeth.settings.config import Compute
from maskedteeth.training.device import Machine, set_up

Device = Literal["auto", "cpu", "cuda"]
#: MiB of a card's memory: one radiograph at a time, without gradients, beside CUDA's own.
GPU_MEM_MB = 2048


def machine_for_use(device: Device = "auto", gpu_mem_mb: int = GPU_MEM_MB) -> Machine:
    """Set up a card (auto: where there is one), or else as many threads as torch has by itself.

    In full precision whatever the training's, as the stage `evaluate`.

    Raises:
        InputError: no card is large enough, or there is none.
    """
    threads = min(256, torch.get_num_threads())
    return set_up(Compute(device=device, precision="float32", threads=threads), gpu_mem_mb)
