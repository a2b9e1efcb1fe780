"""Every architecture and encoder of segmentation_models_pytorch [9, 14-17], by settings alone."""

import inspect

import torch
from torch import Tensor, nn

from maskedteeth.errors import InputError
from maskedteeth.settings.config import Model
from maskedteeth.torchvision_shim import compiler_left_out, import_torchvision

import_torchvision()
with compiler_left_out():
    import segmentation_models_pytorch as smp  # imports torchvision and timm


class Normalisation(nn.Module):
    """Show a radiograph as a picture to an encoder that was trained on pictures.

    Mean and deviation come with the weights; those of a network are in its file.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(3, 1, 1))
        self.register_buffer("std", torch.ones(3, 1, 1))

    def forward(self, xray: Tensor) -> Tensor:
        """Map grey values, (B, 1, H, W) in [0, 1], to (B, 3, H, W) by mean and deviation."""
        return (xray - self.mean) / self.std


@compiler_left_out()
def build(model: Model, channels: int) -> nn.Module:
    """Build the network that ``model`` describes, returning ``channels`` logits a pixel.

    One whose encoder was trained elsewhere gets a :class:`Normalisation`; its weights are random
    nevertheless, until :func:`maskedteeth.training.weights.load_encoder` replaces them.

    Raises:
        InputError: the library cannot build it, or would ignore one of the options.
    """
    try:
        network = smp.create_model(
            model.architecture,
            encoder_name=model.encoder,
            encoder_weights=None,
            in_channels=3 if model.encoder_weights else len(model.inputs),
            classes=channels,
            activation=None,
            aux_params=None,
            **model.options,
        )
        # Its own encoders ignore what they do not know; timm's raise TypeError.
        ignored = set(model.options) - set(inspect.signature(type(network)).parameters)
        if ignored and model.encoder in smp.encoders.get_encoder_names():
            raise TypeError(f"{type(network).__name__} has no argument {min(ignored)!r}")
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        message = str(error.args[0] if error.args else error).splitlines()[0].rstrip(".")
        raise InputError(
            f"segmentation_models_pytorch cannot build {model.architecture} with encoder "
            f"{model.encoder!r} and options {model.options}: {message}. Change the model."
        ) from error
    if model.encoder_weights:
        network.normalisation = Normalisation()
        network.register_forward_pre_hook(lambda whole, xray: whole.normalisation(*xray))
    return network
