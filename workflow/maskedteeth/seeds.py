"""One seed, many independent streams of random numbers."""

import hashlib

import torch


def generator(seed: int, purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a generator for one purpose; its numbers depend on the kind of device, too.

    Streams of one seed for different purposes ("order", "blocks", …) have nothing to do with each
    other, so that drawing more of one changes none of the others.
    """
    digest = hashlib.sha256(f"{purpose} {seed}".encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:7], "big"))
