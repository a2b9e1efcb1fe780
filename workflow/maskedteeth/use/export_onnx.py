"""`maskedteeth export-onnx`: a finished network as one ONNX file, for other programs."""

import contextlib
import importlib.util
import io
import logging
import warnings
from pathlib import Path

from maskedteeth.errors import InputError
from maskedteeth.files import replacing
from maskedteeth.provenance import sha256
from maskedteeth.use.trained import find_trained

#: Version of ONNX's operators: torch's default, which onnxruntime reads from 1.15 on.
OPSET = 18
NEEDED = ("onnx", "onnxscript")


def export_onnx(*, weights: Path, onnx: Path, run: Path | None = None) -> None:
    """Write a finished training as ONNX, from the grey radiograph to the probability of tooth.

    Input "radiograph": float32 (N, 1, H, W) in [0, 1] (grey values / 255), at the size that the
    network was trained on; N is free. Output "probability": float32 (N, 1, H, W) in [0, 1].
    Everything in between is in the file, Sobel edges too. Its metadata say what else is needed:
    height, width, threshold, and weights_sha256.

    Args:
        weights: weights.safetensors of a training; its run.json beside it says of what network.
        onnx: file to write.
        run: the record of the training, where it is not beside the weights.

    Raises:
        InputError: the weights cannot be used, ONNX has no form for the network, or onnx and
            onnxscript are not installed.
    """
    trained = find_trained(weights, "training", run)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"{' and '.join(missing)}, which the export needs, cannot be imported: pip install "
            "--requirement envs/requirements.txt."
        )

    import torch

    from maskedteeth.training.weights import stored_network
    from maskedteeth.use.deployed import Deployed

    network = stored_network(trained.model, weights, torch.device("cpu"))
    deployed = Deployed(network, trained.model.inputs).eval()
    example = torch.rand(2, 1, trained.height, trained.width, generator=torch.Generator())
    with torch.inference_mode():
        deployed(example)  # a size that the network cannot take is a sentence
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                deployed,
                (example,),
                dynamo=True,
                opset_version=OPSET,
                input_names=["radiograph"],
                output_names=["probability"],
                dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"torch cannot write {trained.model.architecture} as ONNX: {reason}"
        ) from error
    program.model.metadata_props.update(
        {
            "height": str(trained.height),
            "width": str(trained.width),
            "threshold": f"{trained.threshold:g}",
            "weights_sha256": sha256(weights),
        }
    )
    with replacing(onnx) as temporary:
        program.save(temporary, external_data=False)
    print(
        f"{onnx}: {onnx.stat().st_size / 1e6:.1f} MB, input (N, 1, {trained.height}, "
        f"{trained.width}), opset {OPSET}, threshold {trained.threshold:g}"
    )


@contextlib.contextmanager
def _quiet():
    """Keep torch from telling its progress, and what it means to change in later versions."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
