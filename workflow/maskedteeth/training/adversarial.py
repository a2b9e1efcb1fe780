"""A conditional GAN, as ToothPix [19]: the network draws masks, a second one tells them from real.

As in pix2pix (Isola et al. 2017, doi 10.1109/CVPR.2017.632), whose L1 loss is here the study's own.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from maskedteeth.settings.config import Adversary
from maskedteeth.training.engine import learning_rate
from maskedteeth.training.optimiser import Adam
from maskedteeth.training.segmentation import Segmentation


class PatchDiscriminator(nn.Sequential):
    """pix2pix's: judges each patch of a radiograph with its mask, whether the mask is real.

    Args:
        widths: of its convolutions of 4 x 4, all but the last of stride 2; one more gives logits.
    """

    def __init__(self, widths: tuple[int, ...]):
        layers, channels = [], 2
        for number, width in enumerate(widths, start=1):
            stride = 2 if number < len(widths) else 1
            layers.append(nn.Conv2d(channels, width, 4, stride, padding=1, bias=number == 1))
            layers += [nn.BatchNorm2d(width)] * (number > 1) + [nn.LeakyReLU(0.2)]
            channels = width
        super().__init__(*layers, nn.Conv2d(channels, 1, 4, padding=1))


class AdversarialSegmentation(Segmentation):
    """Segment, and make masks that the discriminator takes for real.

    In each step first the discriminator learns, by an Adam of its own at the rate of the network's,
    from the real masks and from those that the network draws.

    Args:
        *of_segmentation: as of :class:`Segmentation`.
        adversary: widths of the discriminator, and how much its verdict counts.
        ends: of :func:`last_steps`.
    """

    def __init__(self, *of_segmentation, adversary: Adversary, ends: list[int]):
        super().__init__(*of_segmentation)
        device = self.machine.device
        self.weight = adversary.weight
        self.discriminator = PatchDiscriminator(adversary.widths)
        self.discriminator.to(device, memory_format=torch.channels_last)
        self.adam = Adam(self.discriminator, self.training.learning_rate)
        self.ends = [0, *ends]
        self.total = torch.zeros((), device=device)
        self.losses = torch.zeros(len(self.ends), dtype=torch.float64)  # after each epoch, from 1

    def loss(self, network: nn.Module, rows: Tensor, step: int) -> Tensor:
        """See :meth:`Task.loss`."""
        xray, target = self.batch(rows, step)
        logits = self.logits(network, xray)
        tooth, _ = self.task.read(self.task.probabilities(logits.float()))
        drawn = tooth.unsqueeze(1)
        own = (
            self._judged(xray, (target > 0).float(), 1) + self._judged(xray, drawn.detach(), 0)
        ) / 2
        own.backward()
        self.adam.learning_rate = learning_rate(self.training, step, self.ends[-1])
        self.adam.step()
        self.total += own.detach()
        self.discriminator.requires_grad_(False)  # it has learnt; now it judges
        verdict = self._judged(xray, drawn, 1)
        self.discriminator.requires_grad_(True)
        return self.loss_of(logits, target) + self.weight * verdict

    def _judged(self, xray: Tensor, mask: Tensor, real: float) -> Tensor:
        """Return how far the discriminator is from taking masks for real, 1, or for drawn, 0."""
        with self.machine.autocast():
            logits = self.discriminator(torch.cat([xray, mask], dim=1)).float()
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, real))

    def after_epoch(self, network: nn.Module, epoch: int) -> None:
        """Note the discriminator's mean loss; of an epoch without a step, the one before's."""
        steps = self.ends[epoch] - self.ends[epoch - 1]
        self.losses[epoch] = self.total.item() / steps if steps else self.losses[epoch - 1]
        self.total.zero_()

    def further_losses(self) -> dict[str, list[float]]:
        """See :meth:`Task.further_losses`."""
        return {"discriminator_loss": self.losses[1:].tolist()}

    def state_dict(self) -> dict[str, Tensor]:
        """Return the discriminator, its optimiser and its losses so far."""
        parts = {"discriminator": self.discriminator, "adam": self.adam}
        nested = {f"{p}.{n}": t for p, part in parts.items() for n, t in part.state_dict().items()}
        return nested | {"total": self.total, "losses": self.losses}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take over what :meth:`state_dict` returned."""
        for name, value in self.state_dict().items():
            value.copy_(state[name])
