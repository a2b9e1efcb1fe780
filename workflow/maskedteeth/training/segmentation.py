"""What a network that segments minimises."""

from dataclasses import dataclass
from types import ModuleType

from torch import Tensor, nn

from maskedteeth.models.inputs import logits_of, network_input, to_unit
from maskedteeth.settings.config import Training
from maskedteeth.training.augment import augment
from maskedteeth.training.device import Machine
from maskedteeth.training.engine import Task


@dataclass
class Segmentation(Task):
    """Tell teeth from the rest, or which teeth they are.

    Attributes:
        task: module of :mod:`maskedteeth.tasks`.
        radiographs: uint8 (N, H, W) on the machine's device.
        truth: what the task takes from their labels, (N, H, W), likewise.
        training: weights of the loss.
        inputs: the network's input channels.
        machine: where and how precisely.
        changes: float32 (steps, B, 3) of :func:`draw_changes`; None: no augmentation.
    """

    task: ModuleType
    radiographs: Tensor
    truth: Tensor
    training: Training
    inputs: tuple[str, ...]
    machine: Machine
    changes: Tensor | None = None

    def loss(self, network: nn.Module, rows: Tensor, step: int) -> Tensor:
        """See :meth:`Task.loss`."""
        xray, target = self.batch(rows, step)
        return self.loss_of(self.logits(network, xray), target)

    def batch(self, rows: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Return radiographs, in [0, 1], and truth of a step, each float (B, 1, H, W)."""
        xray, target = to_unit(self.radiographs[rows]), self.truth[rows].unsqueeze(1).float()
        if self.changes is not None:
            xray, target = augment(xray, target, self.changes[step])
        return xray, target

    def logits(self, network: nn.Module, xray: Tensor) -> Tensor:
        """Return what the network makes of radiographs, (B, channels, H, W)."""
        with self.machine.autocast():
            return logits_of(network, network_input(self.inputs, xray))

    def loss_of(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the task's loss, a scalar."""
        weights = self.training.dice_weight, self.training.bce_weight
        return self.task.loss(logits, target, *weights)
