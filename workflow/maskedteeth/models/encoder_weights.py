"""Stage `encoder_weights`: an encoder's weights that were trained elsewhere, fetched once.

segmentation_models_pytorch would download them wherever it builds a network: in every training, and
so in jobs of a cluster, whose computers often have no internet.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

from maskedteeth.errors import InputError
from maskedteeth.files import replacing
from maskedteeth.record import sha256
from maskedteeth.settings.sections import Encoder
from maskedteeth.torchvision_shim import compiler_left_out, import_torchvision

import_torchvision()
with compiler_left_out():
    from segmentation_models_pytorch import encoders  # imports torchvision and timm


@compiler_left_out()
def fetch_encoder(encoder: Encoder, *, weights: Path) -> None:
    """Let the library download an encoder to its cache, and write it with what it expects.

    The library and its cache are told by the environment where to look: HF_ENDPOINT names a mirror,
    HF_HOME the cache, HF_HUB_OFFLINE that nothing but the cache may be asked.

    Args:
        encoder: its name in the library, and which weights.
        weights: safetensors to write: the encoder's tensors for three input channels, by their
            names in a network; and as normalisation.mean and .std, float32 (3, 1, 1), what grey
            values in [0, 1] are to be normalised by.

    Raises:
        InputError: the library has no such weights, or they cannot be had.
    """
    of_timm = encoder.name.startswith("tu-")  # whose name says which weights
    try:
        expected = encoders.get_preprocessing_params(encoder.name, encoder.weights)
        network = encoders.get_encoder(encoder.name, weights=of_timm or encoder.weights)
    except OSError as error:
        raise InputError(
            f"The weights {encoder.weights!r} of the encoder {encoder.name!r} could not be "
            f"downloaded from huggingface.co ({type(error).__name__}). Name a mirror in "
            f"HF_ENDPOINT; or make {weights} where there is internet access, with the file's name "
            "as snakemake's target, and copy it here."
        ) from error
    except (KeyError, ValueError, RuntimeError) as error:
        message = str(error.args[0]).partition("\n")[0].rstrip(".")
        raise InputError(
            f"segmentation_models_pytorch has no weights {encoder.weights!r} of the encoder "
            f"{encoder.name!r}: {message}. Change encoder or encoder_weights."
        ) from error
    scale = expected["input_range"][1]
    normalisation = {
        f"normalisation.{name}": torch.tensor(expected[name]).view(3, 1, 1) / scale
        for name in ("mean", "std")
    }
    tensors = {f"encoder.{name}": tensor for name, tensor in network.state_dict().items()}
    with replacing(weights) as temporary:
        save_file(tensors | normalisation, temporary)
    print(f"{weights}: {encoder.weights} of {encoder.name}, sha256 {sha256(weights)}.")
