"""A small training: a network with all that has a state, and a task that notes what comes of it."""

import torch
from torch import nn

from maskedteeth.settings.config import Recipe
from maskedteeth.training.device import Machine
from maskedteeth.training.engine import Task, fit, last_steps

MACHINE = Machine(torch.device("cpu"), torch.float32, "test")


class Noting(Task):
    """A regression that notes losses, and the first weights at the end of each epoch.

    Args:
        during: called in every step with the network and the step; may return what it adds.
    """

    def __init__(self, during=lambda network, step: None):
        self.x = torch.rand(10, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        self.losses, self.epochs, self.during = torch.zeros(30), [], during

    def loss(self, network, rows, step):
        loss = (network(self.x[rows]) - 1 + 2 * self.x[rows]).square().mean()
        self.losses[step] = loss.detach()
        added = self.during(network, step)
        return loss if added is None else loss + added

    def after_epoch(self, network, epoch):
        self.epochs.append((epoch, network[0].weight.detach().clone()))

    def state_dict(self):
        return {"losses": self.losses}

    def load_state_dict(self, state):
        self.losses.copy_(state["losses"])


def new_network(seed=0):
    """With everything that has a state: parameters, running statistics, random numbers."""
    torch.manual_seed(seed)
    layers = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(), nn.Conv2d(4, 1, 1)
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def run(network, task, samples=10, epoch_samples=10, state=None, **recipe):
    """Train; by default 3 epochs of 10 radiographs in batches of 4, which are 8 steps."""
    recipe = Recipe(**({"epochs": 3, "batch_size": 4, "learning_rate": 0.01} | recipe))
    options = {"samples": samples, "ends": last_steps(recipe, epoch_samples), "state": state}
    return fit(network, task, recipe, machine=MACHINE, seed=0, **options)
