"""What a network sees of a radiograph, and what it makes of it."""

import re
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from maskedteeth.errors import InputError
from maskedteeth.pretext.guidance import sobel_magnitude
from maskedteeth.training.device import Machine

#: In messages of torch and of libraries about sizes that a network cannot take.
SIZES = re.compile(r"\b(sizes?|shapes?|dimensions?|height|width|resolution)\b", re.IGNORECASE)


def to_unit(pixels: Tensor) -> Tensor:
    """Turn grey values, uint8 (B, H, W), into float32 (B, 1, H, W) in [0, 1]."""
    return pixels.unsqueeze(1).float().div_(255)


def network_input(names: tuple[str, ...], xray: Tensor, visible: Tensor | None = None) -> Tensor:
    """Stack the input channels of a network.

    Args:
        names: channels in order, of "xray" and "sobel".
        xray: float (B, 1, H, W) in [0, 1].
        visible: what the network sees in the place of ``xray``, whose edges the Sobel channel has
            (section 3.2); None: ``xray``.

    Returns:
        float (B, len(names), H, W) in [0, 1].
    """
    channels = {
        "xray": lambda: xray if visible is None else visible,
        "sobel": lambda: sobel_magnitude(xray),
    }
    return torch.cat([channels[name]() for name in names], dim=1)


def network_inputs(
    names: tuple[str, ...], pixels: np.ndarray, machine: Machine
) -> Iterator[Tensor]:
    """Yield the input of a network, see :func:`network_input`, for radiographs, batch by batch.

    Args:
        names: channels in order.
        pixels: radiographs, uint8 (N, H, W).
        machine: on whose device the input is, and how many radiographs a batch has.
    """
    for start in range(0, len(pixels), machine.inference_batch):
        part = torch.from_numpy(pixels[start : start + machine.inference_batch])
        yield network_input(names, to_unit(part.to(machine.device)))


def logits_of(network: nn.Module, inputs: Tensor) -> Tensor:
    """Run a network.

    Args:
        network: built by :func:`maskedteeth.models.build`.
        inputs: float (B, C, H, W), see :func:`network_input`.

    Returns:
        float (B, logits a pixel, H, W).

    Raises:
        InputError: the network cannot take radiographs of this size, or one alone, or returns
            another size.
    """
    count, _, height, width = inputs.shape
    try:
        logits = network(inputs)
        if (logits.shape[0], *logits.shape[2:]) != (count, height, width):
            raise ValueError(f"it returns the shape {tuple(logits.shape)}")
    except (ValueError, AssertionError, RuntimeError) as error:
        message = str(error).partition("\n")[0].rstrip(".")
        if "allocate" in message or not SIZES.search(message):
            raise
        alone = "more than 1 value per channel" in message
        advice = "a larger batch_size" if alone else "another image.height and image.width"
        raise InputError(
            f"{type(network).__name__} cannot take radiographs of {height} x {width}, {count} at "
            f"once: {message}. Set {advice}, or another model."
        ) from error
    return logits


def probability_of(
    network: nn.Module, inputs: Tensor, of_logits: Callable[[Tensor], Tensor] = torch.sigmoid
) -> Tensor:
    """Run a finished network.

    Args:
        network: as of :func:`logits_of`.
        inputs: likewise.
        of_logits: makes probabilities of logits.

    Returns:
        float32 (B, logits a pixel, H, W) in [0, 1].

    Raises:
        InputError: as :func:`logits_of`, or the network returns NaN.
    """
    probability = of_logits(logits_of(network, inputs).float())
    if probability.isnan().any():
        raise InputError(
            "The network returns NaN for a radiograph where a number was expected: its weights "
            "are finite, but too large to compute with. Train again with a lower learning_rate."
        )
    return probability


def to_grey(values: Tensor) -> np.ndarray:
    """Turn float (B, 1, H, W) in [0, 1] into grey values, uint8 (B, H, W)."""
    return values.squeeze(1).mul(255).round().clamp(0, 255).byte().cpu().numpy()
