"""The one loop that every training goes through.

Pretext and segmentation differ in the loss of a batch; everything else is here.
"""

import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from maskedteeth.config import Recipe
from maskedteeth.errors import InputError
from maskedteeth.seeds import generator
from maskedteeth.training.device import Machine

#: Loss of a batch: takes the network and the rows of the batch, int64 (B,) on the CPU.
BatchLoss = Callable[[nn.Module, Tensor], Tensor]


@dataclass(frozen=True)
class Fit:
    """What a training leaves behind besides the weights.

    Attributes:
        history: a row an epoch: epoch, step (both from 1), loss (mean over the epoch's steps;
            where it has none, because a batch holds more, the epoch's before).
        steps: optimiser steps taken.
        seconds: time in the loop.
        images_per_second: training radiographs per second of that.
    """

    history: list[dict]
    steps: int
    seconds: float
    images_per_second: float


def fit(
    network: nn.Module,
    batch_loss: BatchLoss,
    recipe: Recipe,
    *,
    samples: int,
    epoch_samples: int,
    seed: int,
    machine: Machine,
    after_epoch: Callable[[int], None] = lambda epoch: None,
) -> Fit:
    """Train ``network`` in place.

    Args:
        network: on the machine's device.
        batch_loss: loss of a batch of rows, see :data:`BatchLoss`.
        recipe: epochs, batch size and learning rate.
        samples: radiographs to draw batches from.
        epoch_samples: radiographs that count as one epoch. With ``samples`` an epoch is a pass;
            with the size of the whole pool every fraction gets the same number of steps.
        seed: of the order of the radiographs.
        machine: where and how precisely.
        after_epoch: called with the number of each finished epoch, from 1.

    Raises:
        InputError: the loss is no longer a number.
    """
    ends = [math.ceil(e * epoch_samples / recipe.batch_size) for e in range(1, recipe.epochs + 1)]
    batches = shuffled_batches(samples, recipe.batch_size, generator(seed, "order"))
    # One kernel for all parameters instead of a few for each.
    adam = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate, fused=True)
    network.train()

    history: list[dict] = []
    step, begin = 0, time.perf_counter()
    for epoch, end in enumerate(ends, start=1):
        total, first = torch.zeros((), device=machine.device), step
        while step < end:
            loss = batch_loss(network, next(batches))
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
            total += loss.detach()  # stays on the device: reading it would wait for the step
            step += 1
        if step > first:  # where a batch holds more than an epoch some epochs have no step
            mean = total.item() / (step - first)
        if not math.isfinite(mean):
            raise InputError(
                f"The loss is {mean} after epoch {epoch} of {recipe.epochs} (step {step}); it "
                f"must be a finite number. Try a learning_rate below {recipe.learning_rate:g}."
            )
        history.append({"epoch": epoch, "step": step, "loss": mean})
        rate = step * recipe.batch_size / (time.perf_counter() - begin)
        print(
            f"epoch {epoch}/{recipe.epochs}  step {step}  loss {mean:.4f}  {rate:.1f} images/s",
            file=sys.stderr,
            flush=True,
        )
        after_epoch(epoch)
    seconds = time.perf_counter() - begin
    return Fit(history, step, seconds, step * recipe.batch_size / seconds)


def shuffled_batches(samples: int, batch_size: int, order: torch.Generator) -> Iterator[Tensor]:
    """Yield rows for ever, pass after pass, each in an order of its own.

    Batches run across the ends of passes, so all are full, even when there are fewer samples
    than a batch holds.

    Args:
        samples: rows are 0 … samples - 1.
        batch_size: rows a batch.
        order: generator on the CPU.

    Yields:
        int64 (batch_size,).
    """
    waiting = torch.empty(0, dtype=torch.int64)
    while True:
        while len(waiting) < batch_size:
            waiting = torch.cat([waiting, torch.randperm(samples, generator=order)])
        yield waiting[:batch_size]
        waiting = waiting[batch_size:]
