"""Every architecture and encoder of segmentation_models_pytorch [9, 14-17], by settings alone."""

import inspect

from torch import nn

from maskedteeth.errors import InputError
from maskedteeth.settings.config import Model
from maskedteeth.torchvision_shim import compiler_left_out, import_torchvision

import_torchvision()
with compiler_left_out():
    import segmentation_models_pytorch as smp  # imports torchvision and timm


@compiler_left_out()
def build(model: Model, channels: int) -> nn.Module:
    """Build the network that ``model`` describes, returning ``channels`` logits a pixel.

    Raises:
        InputError: the library cannot build it, or would ignore one of the options.
    """
    try:
        network = smp.create_model(
            model.architecture,
            encoder_name=model.encoder,
            encoder_weights=model.encoder_weights,
            in_channels=len(model.inputs),
            classes=channels,
            activation=None,
            aux_params=None,
            **model.options,
        )
        # Its own encoders ignore what they do not know; timm's raise TypeError.
        ignored = set(model.options) - set(inspect.signature(type(network)).parameters)
        if ignored and model.encoder in smp.encoders.get_encoder_names():
            raise TypeError(f"{type(network).__name__} has no argument {min(ignored)!r}")
    except (KeyError, TypeError, ValueError, RuntimeError, OSError) as error:  # OSError: download
        message = str(error.args[0] if error.args else error).splitlines()[0].rstrip(".")
        raise InputError(
            f"segmentation_models_pytorch cannot build {model.architecture} with encoder "
            f"{model.encoder!r}, weights {model.encoder_weights} and options {model.options}: "
            f"{message}. Change the model."
        ) from error
    return network
