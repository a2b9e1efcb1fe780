"""A network as other programs want it: the radiograph in, the probability out."""

import torch
from torch import Tensor, nn

from maskedteeth.models.inputs import logits_of, network_input


class Deployed(nn.Module):
    """A network together with what is done before and after it.

    Args:
        network: built by :func:`maskedteeth.models.build`.
        inputs: its channels.
    """

    def __init__(self, network: nn.Module, inputs: tuple[str, ...]):
        super().__init__()
        self.network = network
        self.inputs = inputs

    def forward(self, radiograph: Tensor) -> Tensor:
        """Map grey values, float32 (N, 1, H, W) in [0, 1], to probabilities of the same shape."""
        return torch.sigmoid(logits_of(self.network, network_input(self.inputs, radiograph)))
