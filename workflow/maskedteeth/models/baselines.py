"""Every architecture and encoder of segmentation_models_pytorch [9, 14-17], by settings alone."""

import inspect

from torch import nn

from maskedteeth.errors import InputError
from maskedteeth.settings.config import Model
from maskedteeth.torchvision_shim import import_torchvision

import_torchvision()
import segmentation_models_pytorch as smp  # noqa: E402 (imports torchvision)

#: Arguments of the library that are no options: set by other settings, or not to be changed.
SET_HERE = {"encoder_name", "encoder_weights", "in_channels", "classes"}
SET_HERE |= {"activation", "aux_params", "kwargs"}


def build(model: Model) -> nn.Module:
    """Build the network that ``model`` describes, for one class, returning logits.

    Raises:
        InputError: the library does not know the encoder, or the architecture does not take one
            of the options.
    """
    try:
        _check_options(model)
        return smp.create_model(
            model.architecture,
            encoder_name=model.encoder,
            encoder_weights=model.encoder_weights,
            in_channels=len(model.inputs),
            classes=1,
            **model.options,
        )
    except OSError as error:  # no network, or a download that broke off
        raise InputError(
            f"The {model.encoder_weights} weights of encoder {model.encoder!r} cannot be had: "
            f"{error}. Set encoder_weights to null, or run where the library can download them."
        ) from error
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        message = str(error.args[0] if error.args else error).splitlines()[0].rstrip(".")
        raise InputError(
            f"segmentation_models_pytorch cannot build {model.architecture} with encoder "
            f"{model.encoder!r} and options {model.options}: {message}. Change the model's "
            "encoder or options."
        ) from error


def _check_options(model: Model) -> None:
    """Refuse options that the library would ignore, and those that change what is returned."""
    taken = inspect.signature(smp.MODEL_ARCHITECTURES_MAPPING[model.architecture]).parameters
    known = set(taken) - SET_HERE
    unknown = set(model.options) - known
    if model.encoder.startswith("tu-"):  # hands further options to timm
        unknown &= SET_HERE
    if unknown:
        raise ValueError(f"{min(unknown)!r} is not one of its options {', '.join(sorted(known))}")
