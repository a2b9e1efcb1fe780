"""A finished training, ready for radiographs of any size."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch

from maskedteeth.errors import InputError
from maskedteeth.files import read_json
from maskedteeth.metrics.evaluate import predict
from maskedteeth.record import sha256
from maskedteeth.settings.config import Compute, Model
from maskedteeth.training.device import set_up
from maskedteeth.training.weights import stored_network
from maskedteeth.use.radiographs import read_radiograph

Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Segmentation:
    """What a network makes of a radiograph of H × W pixels.

    Attributes:
        pixels: the radiograph, uint8 (H, W).
        probability: of tooth, float32 (H, W) in [0, 1].
        mask: uint8 (H, W), 1 = tooth: where the probability reaches the threshold.
    """

    pixels: np.ndarray
    probability: np.ndarray
    mask: np.ndarray

    @property
    def tooth_fraction(self) -> float:
        """Share of the pixels that are tooth, in [0, 1]."""
        return float(self.mask.mean())

    @property
    def confidence(self) -> float:
        """Mean over the pixels of the larger of p and 1 − p, in [0.5, 1].

        It is the maximum softmax probability (Hendrycks and Gimpel, A Baseline for Detecting
        Misclassified and Out-of-Distribution Examples in Neural Networks, ICLR 2017,
        arXiv:1610.02136), averaged. It orders radiographs; networks are not calibrated, so it is
        not the share of pixels that are right.
        """
        return float(np.maximum(self.probability, 1 - self.probability).mean(dtype=np.float64))


class Segmenter:
    """The network of a finished training.

    Args:
        weights: its ``weights.safetensors``, with ``run.json`` beside it.
        device: auto (a card where there is one), cpu or cuda.
        threshold: probability from which a pixel is tooth.

    Attributes:
        model: architecture and input channels.
        size: height and width of the radiographs that it was trained on, in pixels.
        network: in float32, on the device of ``machine``.
        machine: where it runs. Operations of torch are deterministic in this process from now on.

    Raises:
        InputError: a file is missing, damaged or of something else, or ``threshold`` is not
            between 0 and 1.
    """

    def __init__(
        self, weights: Path | str, *, device: Device = "auto", threshold: float = 0.5
    ) -> None:
        if not 0 < threshold < 1:
            raise InputError(f"The threshold is {threshold:g}; it must be between 0 and 1.")
        self.threshold = threshold
        weights = Path(weights)
        record = weights.with_name("run.json")
        for file in (weights, record):
            if not file.is_file():
                raise InputError(
                    f"{file} is not there. Name the weights.safetensors of a finished training in "
                    "results/, and keep its run.json beside it."
                )
        content = read_json(record)
        try:
            recorded, settings = content["weights_sha256"], content["settings"]
            of_pretext = "pretext" in settings
            if not of_pretext:
                self.model = Model.model_validate(settings["model"])
            _, height, width = map(int, content["radiographs"])
        except (LookupError, TypeError, ValueError):  # pydantic's are ValueErrors
            raise InputError(
                f"{record} was made by another version of this project. Use that version, or "
                "train again."
            ) from None
        if recorded != sha256(weights):
            raise InputError(
                f"{record} is of other weights than {weights} (its weights_sha256 differs). Bring "
                "the record of these weights."
            )
        if of_pretext:
            raise InputError(
                f"{weights} is of a pretext, which segments nothing. Name the weights of a "
                "training, in results/<study>/runs."
            )
        self.size = height, width
        threads = min(256, torch.get_num_threads())
        # In full precision whatever the training's, as the stage `evaluate`.
        self.machine = set_up(Compute(device=device, precision="float32", threads=threads))
        self.network = stored_network(self.model, weights, self.machine.device)

    def __call__(self, radiograph: Path | str | np.ndarray) -> Segmentation:
        """Segment one radiograph; see :func:`maskedteeth.use.radiographs.read_radiograph`.

        The network sees it at its own size; the probability is resized back linearly, and only then
        held against the threshold.
        """
        pixels = read_radiograph(radiograph)
        # To the network's size by areas, as in training.
        small = cv2.resize(pixels, self.size[::-1], interpolation=cv2.INTER_AREA)
        probability = predict(self.network, small[None], self.model.inputs, self.machine)[0]
        probability = cv2.resize(probability, pixels.shape[::-1], interpolation=cv2.INTER_LINEAR)
        mask = (probability >= self.threshold).astype(np.uint8)
        return Segmentation(pixels, probability, mask)
