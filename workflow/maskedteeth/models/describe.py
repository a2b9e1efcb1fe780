"""Stage `describe`: the architecture as the network itself shows it, for figure 1."""

from pathlib import Path

import torch

from maskedteeth.files import write_json
from maskedteeth.models import build
from maskedteeth.settings.jobs import DescribeJob


def describe(settings: DescribeJob, *, architecture: Path) -> None:
    """Run a radiograph through the network and write down what every block made of it.

    Args:
        settings: the network and the size of a radiograph.
        architecture: JSON to write: name, parameters, input [C, H, W], and blocks in the order
            in which they run: name, kind (class), output [C, H, W] (of several, the last),
            parameters.
    """
    network = build(settings.model.model_copy(update={"encoder_weights": None})).eval()
    blocks = []

    def watch(name: str):
        def hook(module, _, output) -> None:
            deepest = output[-1] if isinstance(output, list | tuple) else output
            blocks.append(
                {
                    "name": name,
                    "kind": type(module).__name__,
                    "output": list(deepest.shape[1:]),
                    "parameters": sum(p.numel() for p in module.parameters()),
                }
            )

        return hook

    for name, child in network.named_children():
        parts = child.named_children() if isinstance(child, torch.nn.ModuleList) else [("", child)]
        for part, module in parts:
            module.register_forward_hook(watch(f"{name}.{part}".rstrip(".")))
    image = torch.zeros(1, len(settings.model.inputs), settings.height, settings.width)
    with torch.inference_mode():
        network(image)
    content = {
        "name": settings.model.architecture,
        "inputs": list(settings.model.inputs),
        "input": list(image.shape[1:]),
        "parameters": sum(p.numel() for p in network.parameters()),
        "blocks": blocks,
    }
    write_json(architecture, content)
