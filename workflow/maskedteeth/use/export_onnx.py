"""`maskedteeth export-onnx`: a finished network as one ONNX file, for other programs."""

import warnings
from pathlib import Path

from maskedteeth.errors import InputError
from maskedteeth.files import replacing
from maskedteeth.record import sha256

#: Version of ONNX's operators: torch's default, which onnxruntime reads from 1.15 on.
OPSET = 18


def export_onnx(*, weights: Path, onnx: Path, threshold: float = 0.5) -> None:
    """Write a finished training as ONNX, from the grey radiograph to the probability of tooth.

    Input "radiograph": float32 (N, 1, H, W) in [0, 1] (grey values / 255), at the size that the
    network was trained on; N is free. Output "probability": float32 (N, 1, H, W) in [0, 1]; of a
    network that numbers teeth (N, 33, H, W): of the background, then of the teeth in Universal
    numbers. Everything in between is in the file, Sobel edges too. Its metadata say what else is
    needed: task, height, width, threshold, and weights_sha256.

    Args:
        weights: weights.safetensors of a training, with its run.json beside it.
        onnx: file to write.
        threshold: probability from which a pixel is tooth, for the metadata.

    Raises:
        InputError: the weights cannot be used, or are of mask_rcnn.
        torch.onnx.errors.OnnxExporterError: torch has no ONNX for the network.
    """
    import torch

    from maskedteeth.models.inputs import logits_of, network_input
    from maskedteeth.tasks import task_of
    from maskedteeth.use.networks import Segmenter

    (trained,) = Segmenter(weights, device="cpu", threshold=threshold).networks
    if trained.model.finds_instances:
        raise InputError(
            f"{weights} is of mask_rcnn, whose steps depend on what it finds, so that no ONNX file "
            "can hold them. Use `maskedteeth predict`, or weights of another architecture."
        )
    height, width = trained.size
    task = task_of(trained.task)

    class Deployed(torch.nn.Module):
        """The network together with what is done before and after it."""

        def __init__(self) -> None:
            super().__init__()
            self.network = trained.network

        def forward(self, radiograph: torch.Tensor) -> torch.Tensor:
            inputs = network_input(trained.model.inputs, radiograph)
            return task.probabilities(logits_of(self.network, inputs))

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch warns of its own code
        program = torch.onnx.export(
            Deployed().eval(),
            (torch.rand(2, 1, height, width),),
            dynamo=True,
            opset_version=OPSET,
            input_names=["radiograph"],
            output_names=["probability"],
            dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
            verbose=False,
        )
    program.model.metadata_props.update(
        task=trained.task,
        height=str(height),
        width=str(width),
        threshold=f"{threshold:g}",
        weights_sha256=sha256(weights),
    )
    with replacing(onnx) as temporary:
        program.save(temporary, external_data=False)
    print(
        f"{onnx}: {onnx.stat().st_size / 1e6:.1f} MB, input (N, 1, {height}, {width}), opset "
        f"{OPSET}, threshold {threshold:g}"
    )
