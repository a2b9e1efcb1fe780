"""Weights of networks, in safetensors: nothing from a file is ever executed."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from maskedteeth.errors import InputError, say
from maskedteeth.files import replacing
from maskedteeth.models import build
from maskedteeth.settings.config import Model, Transfer

#: Which parts of our network and of the library's are taken over from a pretext.
TAKEN: dict[Transfer, Callable[[str], bool]] = {
    "all": lambda part: True,
    "without_head": lambda part: part not in ("head", "segmentation_head"),
    "encoder": lambda part: part in ("normalisation", "encoder", "bottleneck"),
}


def save_weights(network: nn.Module, path: Path) -> None:
    """Write all parameters and buffers of ``network``, atomically."""
    tensors = {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}
    with replacing(path) as temporary:
        save_file(tensors, temporary)


def load_weights(network: nn.Module, path: Path, transfer: Transfer = "all") -> None:
    """Read parameters and buffers of ``network`` from ``path``, in place: all, or only a part.

    Raises:
        InputError: the file is damaged, or of a network of another shape.
    """
    is_taken = TAKEN[transfer]
    own = {n: t for n, t in network.state_dict().items() if not is_taken(n.partition(".")[0])}
    try:
        tensors = {n: t for n, t in load_file(path).items() if is_taken(n.partition(".")[0])}
        network.load_state_dict(tensors | own)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} cannot be read as safetensors: {error}. Train again.") from None
    except RuntimeError as error:
        difference = str(error).splitlines()[1].strip().rstrip(". ")
        raise InputError(
            f"{path} belongs to another architecture: {difference}. Use weights that were trained "
            "with these settings."
        ) from None
    if transfer != "all":
        say(f"Loaded from {path}: {_parts(tensors)}. Initialised at random: {_parts(own)}.")


def _parts(tensors: dict[str, Tensor]) -> str:
    parts = Counter()
    for name, tensor in tensors.items():
        parts[name.partition(".")[0]] += tensor.numel()
    return ", ".join(f"{part} ({size:,} numbers)" for part, size in parts.items())


def not_finite(tensors: dict[str, Tensor]) -> str | None:
    """Name the first tensor that holds NaN or an infinity; waits for the device once."""
    floating = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    if not floating:
        return None
    finite = torch.stack([tensor.isfinite().all() for tensor in floating.values()]).tolist()
    return next((name for name, fine in zip(floating, finite, strict=True) if not fine), None)


def stored_network(
    model: Model,
    path: Path,
    device: torch.device,
    seed: int = 0,
    transfer: Transfer = "all",
    channels: int = 1,
) -> nn.Module:
    """Build the network of a ``config.Model`` with the weights of ``path``, on ``device``.

    ``seed`` is of the weights that are not taken over, and of what the network still draws
    afterwards, such as dropout.

    Raises:
        InputError: as :func:`load_weights`.
    """
    network = new_network(model, seed, device, channels)
    load_weights(network, path, transfer)
    return network


def new_network(
    model: Model,
    seed: int,
    device: torch.device,
    channels: int = 1,
    encoder: Path | None = None,
) -> nn.Module:
    """Build the network of a ``config.Model`` with weights from ``seed``, on ``device``.

    Convolutions run faster on channels-last memory (measured here: 1.2 times on a CPU with
    bfloat16), so parameters are laid out like that.

    Args:
        model: its settings.
        seed: of the weights.
        device: where it is to be.
        channels: logits a pixel.
        encoder: file of the stage `encoder_weights`, from which the encoder's are taken.

    Raises:
        InputError: as :func:`load_encoder`.
    """
    torch.manual_seed(seed)
    network = build(model, channels)
    if encoder is not None:
        load_encoder(network, encoder)
    return network.to(device, memory_format=torch.channels_last)


def load_encoder(network: nn.Module, path: Path) -> None:
    """Take an encoder over from what the stage `encoder_weights` wrote, with its normalisation.

    Raises:
        InputError: the network's encoder is another, because of its options.
    """
    own, there = network.state_dict(), load_file(path)
    needed = {name for name in own if name.startswith(("encoder.", "normalisation."))}
    odd = sorted(n for n in needed if n not in there or there[n].shape != own[n].shape)
    if odd:
        found = f"shape {tuple(there[odd[0]].shape)}" if odd[0] in there else "none"
        raise InputError(
            f"{path} does not fit the network: {odd[0]} has shape {tuple(own[odd[0]].shape)} here "
            f"and {found} there. Leave encoder_weights, or the encoder's part of options, out."
        )
    network.load_state_dict(own | {name: there[name] for name in needed})
