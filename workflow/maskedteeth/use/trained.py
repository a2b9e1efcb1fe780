"""What the record beside weights says of the network that they belong to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from maskedteeth.errors import InputError
from maskedteeth.files import read_json
from maskedteeth.provenance import sha256
from maskedteeth.settings.config import Blocks, Evaluation, Model
from maskedteeth.settings.validation import validate

Kind = Literal["training", "pretext"]
WHAT = {
    "training": "a training, which segments (maskedteeth predict)",
    "pretext": "a pretext, which reconstructs (maskedteeth reconstruct)",
}


@dataclass(frozen=True)
class Trained:
    """A finished network, not yet loaded.

    Attributes:
        weights: safetensors file.
        kind: training (segments) or pretext (reconstructs).
        model: architecture and input channels.
        height: of the radiographs that it was trained on, in pixels.
        width: likewise.
        threshold: probability from which a pixel is tooth.
        blocks: that a pretext was trained to look behind; None for a training.
    """

    weights: Path
    kind: Kind
    model: Model
    height: int
    width: int
    threshold: float
    blocks: Blocks | None


def find_trained(
    weights: Path, kind: Kind | None = None, run: Path | None = None, threshold: float | None = None
) -> Trained:
    """Read what is known of a finished network.

    Args:
        weights: safetensors file of a training or a pretext.
        kind: what it must be; None: either.
        run: its record. None: ``run.json`` beside the weights, which must be of these weights.
        threshold: probability from which a pixel is tooth. None: that of ``evaluation.json`` beside
            the weights, or 0.5 where there is none. Of a pretext it says nothing.

    Raises:
        InputError: a file is missing, damaged or of something else, or ``threshold`` is not
            between 0 and 1.
    """
    if not weights.is_file():
        raise InputError(
            f"{weights} is not a file; name the weights.safetensors of a finished training or "
            "pretext in results/."
        )
    record = weights.with_name("run.json") if run is None else run
    if not record.is_file():
        raise InputError(
            f"{record} is not there, which says what network {weights} belongs to. Copy it from "
            "the folder where the weights were trained, or name it with --run."
        )
    content = read_json(record, ("settings", "radiographs", "weights_sha256"))
    if run is None and content["weights_sha256"] != sha256(weights):
        raise InputError(
            f"{record} is of other weights than {weights} (its weights_sha256 differs). Bring the "
            "record of these weights, or name it with --run."
        )
    settings, shape = content["settings"], content["radiographs"]
    shaped = isinstance(shape, list) and len(shape) == 3 and all(type(n) is int for n in shape)
    if not shaped or not isinstance(settings, dict) or "model" not in settings:
        raise InputError(f"{record} is not the record of a training or pretext; restore it.")
    found: Kind = "pretext" if "blocks" in settings else "training"
    if kind is not None and found != kind:
        raise InputError(f"{weights} is of {WHAT[found]}; expected are those of {WHAT[kind]}.")
    model = validate(settings["model"], Model)
    blocks = validate(settings["blocks"], Blocks) if found == "pretext" else None
    if threshold is None:
        threshold = _threshold(weights) if found == "training" else Evaluation().threshold
    if not 0 < threshold < 1:
        raise InputError(f"--threshold is {threshold:g}; it must be between 0 and 1.")
    return Trained(weights, found, model, shape[1], shape[2], threshold, blocks)


def _threshold(weights: Path) -> float:
    evaluation = weights.with_name("evaluation.json")
    default = Evaluation().threshold
    if not evaluation.is_file():
        return default
    settings = read_json(evaluation, ("settings",))["settings"]
    threshold = settings.get("threshold") if isinstance(settings, dict) else None
    if not isinstance(threshold, float):
        raise InputError(
            f"{evaluation} has no threshold; restore it, remove it, or name one with --threshold."
        )
    return threshold
