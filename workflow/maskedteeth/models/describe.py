"""Stage `describe`: build every network once, before anything trains; figure 1 shows one."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from maskedteeth.errors import InputError
from maskedteeth.files import write_json
from maskedteeth.models import build
from maskedteeth.models.inputs import logits_of
from maskedteeth.settings.config import Image, Model, TaskName
from maskedteeth.settings.sections import Presentation
from maskedteeth.tasks import CHANNELS


def describe(
    image: Image,
    task: TaskName,
    models: dict[str, Model],
    report: Presentation,
    *,
    architecture: Path,
) -> None:
    """Run a black radiograph through every network, and write down what one of them made of it.

    Args:
        image: size of a radiograph.
        task: what the networks learn to tell.
        models: every network of the study by its setting, ``methods.<name>.model`` (of a method
            that takes over a pretext's, that one) or ``pretext.<name>.model``.
        report: names the method whose network figure 1 shows.
        architecture: JSON to write: name, inputs, parameters, input [C, H, W], and blocks in the
            order in which they run: name, kind (class), output [C, H, W] (of several, the last),
            parameters.

    Raises:
        InputError: a network cannot be built, or takes no radiographs of this size. The sentence
            names the setting.
    """
    torch.set_num_threads(1)  # one radiograph: others would mostly wait for it
    shown = models[f"methods.{report.ours}.model"]
    known: list[Model] = []
    for setting, model in models.items():
        if model in known:
            continue
        known.append(model)
        try:
            content = _described(model, image, CHANNELS[task])
        except InputError as error:
            raise InputError(f"Setting {setting}: {error}") from error
        if model == shown:
            write_json(architecture, content)


def _described(model: Model, image: Image, channels: int) -> dict[str, Any]:
    network = build(model, channels).eval()
    blocks: list[dict[str, Any]] = []
    for name, child in network.named_children():
        parts = child.named_children() if isinstance(child, nn.ModuleList) else [("", child)]
        for part, module in parts:
            module.register_forward_hook(_watch(f"{name}.{part}".rstrip("."), blocks))
    xray = torch.zeros(1, len(model.inputs), image.height, image.width)
    with torch.inference_mode():
        logits_of(network, xray)
    return {
        "name": model.architecture,
        "inputs": list(model.inputs),
        "input": list(xray.shape[1:]),
        "parameters": _parameters(network),
        "blocks": blocks,
    }


def _watch(name: str, blocks: list[dict[str, Any]]):
    def hook(module: nn.Module, _, output) -> None:
        deepest = output[-1] if isinstance(output, list | tuple) else output
        if isinstance(deepest, Tensor):  # and not boxes, say
            about = {"name": name, "kind": type(module).__name__, "output": list(deepest.shape[1:])}
            blocks.append({**about, "parameters": _parameters(module)})

    return hook


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
