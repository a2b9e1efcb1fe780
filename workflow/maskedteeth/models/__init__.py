"""Networks, built from their settings."""

import importlib

from maskedteeth.settings import config


def module_of(model: "config.Model") -> str:
    """Name the module that builds ``model``, so that fingerprints follow just that one."""
    own = model.architecture in ("modified_resunet", "mask_rcnn")
    return f"maskedteeth.models.{model.architecture if own else 'baselines'}"


def build(model: "config.Model", channels: int = 1):
    """Build a network with random weights from torch's global generator.

    Args:
        model: its settings.
        channels: logits a pixel.

    Returns:
        torch.nn.Module that maps float (B, len(model.inputs), H, W) to logits
        (B, channels, H, W).
    """
    return importlib.import_module(module_of(model)).build(model, channels)
