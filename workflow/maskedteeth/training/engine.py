"""The one loop that every training goes through.

Pretext and segmentation differ in their :class:`Task`; everything else is here. Nothing in the loop
waits for the device but the end of an epoch and the writing of a state.
"""

import math
import time
from bisect import bisect_right

import torch
from torch import Tensor, nn

from maskedteeth.errors import Diverged, say
from maskedteeth.seeds import generator
from maskedteeth.settings.config import Recipe
from maskedteeth.training.device import Machine
from maskedteeth.training.optimiser import Adam
from maskedteeth.training.state import StateFile, TorchRandom
from maskedteeth.training.weights import not_finite


class Task:
    """What a training minimises, and what it notes on the way."""

    def loss(self, network: nn.Module, rows: Tensor, step: int) -> Tensor:
        """Return the loss of a batch, a scalar.

        Args:
            network: in training mode.
            rows: radiographs of the batch, int64 (B,) on the machine's device.
            step: from 0. Whatever is random must follow from it, so that a training that is
                stopped and goes on sees what it would have seen.
        """
        raise NotImplementedError

    def after_epoch(self, network: nn.Module, epoch: int) -> None:
        """Look at the network after an epoch, from 1."""

    def further_losses(self) -> dict[str, list[float]]:
        """Return what the history has besides the loss: by column, a value an epoch."""
        return {}

    def state_dict(self) -> dict[str, Tensor]:
        """Return what has been noted so far."""
        return {}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take over what :meth:`state_dict` returned."""


class Progress:
    """How far a training has come, and what it leaves behind besides the weights.

    Attributes:
        step: optimiser steps taken.
        history: a row an epoch: epoch, step (both from 1), loss (mean over the epoch's steps;
            where it has none, because a batch holds more, the epoch's before).
        seconds: time in the loop, all starts together.
        resumed: the steps after which it was started again.
        total: sum of the losses in the epoch so far, a scalar on the device.
        parameters: numbers of the network that were trained; those that take no part are not.
    """

    def __init__(self, device: torch.device):
        self.step = 0
        self.history: list[dict] = []
        self.seconds = 0.0
        self.resumed: list[int] = []
        self.total = torch.zeros((), device=device)
        self.parameters = 0

    def state_dict(self) -> dict[str, Tensor]:
        """Return everything as tensors."""
        rows = [[row["epoch"], row["step"], row["loss"]] for row in self.history]
        return {
            "step": torch.tensor(self.step),
            "history": torch.tensor(rows, dtype=torch.float64).reshape(-1, 3),
            "seconds": torch.tensor(self.seconds, dtype=torch.float64),
            "resumed": torch.tensor(self.resumed, dtype=torch.int64),
            "total": self.total,
        }

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take over what :meth:`state_dict` returned."""
        self.step = int(state["step"])
        self.history = [
            {"epoch": int(epoch), "step": int(step), "loss": loss}
            for epoch, step, loss in state["history"].tolist()
        ]
        self.seconds = state["seconds"].item()
        self.resumed = [*state["resumed"].tolist(), self.step]
        self.total.copy_(state["total"])

    def measured(self, recipe: Recipe) -> dict:
        """Return what a run's record says of the training."""
        images = self.step * recipe.batch_size
        return {
            "steps": self.step,
            "parameters": self.parameters,
            "training_seconds": round(self.seconds, 2),
            "images_per_second": round(images / self.seconds, 2),
            "resumed_after_steps": self.resumed,
        }

    def end_epoch(self, recipe: Recipe, epochs: int, begin: float) -> None:
        """Add a row to the history and print it.

        Args:
            recipe: of the training.
            epochs: that it takes.
            begin: when the loop would have begun if the training had never been stopped.

        Raises:
            Diverged: the loss is no longer a number.
        """
        before = self.history[-1] if self.history else {"epoch": 0, "step": 0, "loss": math.nan}
        epoch, steps = before["epoch"] + 1, self.step - before["step"]
        mean = self.total.item() / steps if steps else before["loss"]
        if not math.isfinite(mean):
            raise Diverged(
                f"The loss is {mean} after epoch {epoch} of {epochs} (step {self.step}); it "
                f"must be a finite number. Try a learning_rate below {recipe.learning_rate:g}."
            )
        self.history.append({"epoch": epoch, "step": self.step, "loss": mean})
        self.total.zero_()
        self.seconds = time.perf_counter() - begin  # after the loss was read: the steps are done
        rate = self.step * recipe.batch_size / self.seconds
        say(f"epoch {epoch}/{epochs}  step {self.step}  loss {mean:.4f}  {rate:.1f} images/s")

    def refuse_divergence(self, network: nn.Module, recipe: Recipe, epochs: int) -> None:
        """Stop when a weight, or a statistic of a BatchNorm, is no longer a finite number.

        The loss does not tell by itself: after the last step nobody asks for another.

        Raises:
            Diverged: the sentence names the first such tensor.
        """
        broken = not_finite(network.state_dict())
        if broken:
            raise Diverged(
                f"The network holds NaN or infinite numbers in {broken} after step {self.step} "
                f"(epoch {len(self.history)} of {epochs} was the last whole one); all must "
                f"be finite. Try a learning_rate below {recipe.learning_rate:g}."
            )


def last_steps(recipe: Recipe, epoch_samples: int, more_steps: int = 0) -> list[int]:
    """Return the number of steps taken at the end of every epoch.

    An epoch ends with the first step that completes its radiographs.

    Args:
        recipe: epochs and batch size.
        epoch_samples: radiographs that count as one epoch. With those that batches are drawn from
            an epoch is a pass; with the whole pool every fraction gets the same number of steps.
        more_steps: after the recipe's epochs, in further ones; the last may be cut short.
    """

    def end(epoch: int) -> int:
        return math.ceil(epoch * epoch_samples / recipe.batch_size)

    ends = [end(epoch) for epoch in range(1, recipe.epochs + 1)]
    steps = ends[-1] + more_steps
    while ends[-1] < steps:
        ends.append(min(end(len(ends) + 1), steps))
    return ends


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Return the learning rate of a step, from 0, of so many."""
    if recipe.schedule == "constant":
        return recipe.learning_rate
    return recipe.learning_rate * (1 + math.cos(math.pi * step / steps)) / 2


def fit(
    network: nn.Module,
    task: Task,
    recipe: Recipe,
    *,
    samples: int,
    ends: list[int],
    seed: int,
    machine: Machine,
    state: StateFile | None = None,
) -> Progress:
    """Train ``network`` in place, from the state where there is one.

    Args:
        network: on the machine's device.
        task: loss of a batch.
        recipe: batch size, learning rate and its schedule.
        samples: radiographs to draw batches from.
        ends: of :func:`last_steps`.
        seed: of the order of the radiographs.
        machine: where and how precisely.
        state: where to go on from, and where to leave the state meanwhile. None: nowhere.

    Raises:
        Diverged: the loss or the network is no longer finite.
        Stopped: the process was asked to stop; the state is written.
    """
    state = state or StateFile()
    # All of the order at once, on the device: a step picks its row and waits for nothing.
    stream = generator(seed, "order")
    order = shuffled_rows(samples, ends[-1], recipe.batch_size, stream).to(machine.device)
    adam = Adam(network, recipe.learning_rate)
    progress = Progress(machine.device)
    random = TorchRandom(machine.device)
    parts = {"network": network, "adam": adam, "task": task, "progress": progress, "random": random}
    if state.load(parts):
        say(f"Resuming after step {progress.step} of {ends[-1]}.")

    network.train()
    begin = time.perf_counter() - progress.seconds
    with state.listening():
        for step in range(progress.step, ends[-1]):
            loss = task.loss(network, order[step], step)
            loss.backward()
            adam.learning_rate = learning_rate(recipe, step, ends[-1])
            adam.step()
            progress.total += loss.detach()  # reading it here would wait for the step
            progress.step = step + 1
            # Where a batch holds more than an epoch, several epochs end with one step.
            for epoch in range(len(progress.history) + 1, bisect_right(ends, step + 1) + 1):
                progress.end_epoch(recipe, len(ends), begin)
                task.after_epoch(network, epoch)
            if state.due():
                progress.seconds = time.perf_counter() - begin
                progress.refuse_divergence(network, recipe, len(ends))
                state.save(parts)
        progress.refuse_divergence(network, recipe, len(ends))
        progress.parameters = adam.moved
    return progress


def shuffled_rows(samples: int, steps: int, batch_size: int, stream: torch.Generator) -> Tensor:
    """Draw the rows of all batches: pass after pass, each in an order of its own.

    Batches run across the ends of passes, so all are full, even when there are fewer samples
    than a batch holds.

    Args:
        samples: rows are 0 … samples - 1.
        steps: batches.
        batch_size: rows a batch.
        stream: on the CPU.

    Returns:
        int64 (steps, batch_size) on the CPU.
    """
    drawn = steps * batch_size
    passes = [torch.randperm(samples, generator=stream) for _ in range(-(-drawn // samples))]
    return torch.cat(passes)[:drawn].view(steps, batch_size)
