"""Finished networks, ready for radiographs: a training segments them, a pretext reconstructs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch

from maskedteeth.errors import InputError
from maskedteeth.files import read_json
from maskedteeth.metrics.evaluate import predict
from maskedteeth.metrics.similarity import Reference
from maskedteeth.models.inputs import network_input, probability_of, to_grey, to_unit
from maskedteeth.pretext.masking import draw_masks, hide
from maskedteeth.record import sha256
from maskedteeth.seeds import generator
from maskedteeth.settings.config import Blocks, Compute, Model
from maskedteeth.training.device import evaluating, set_up
from maskedteeth.training.weights import stored_network
from maskedteeth.use.radiographs import read_radiograph

Device = Literal["auto", "cpu", "cuda"]

#: Whether settings are of a pretext → what its weights are for.
USES = {False: "a training (maskedteeth predict)", True: "a pretext (maskedteeth reconstruct)"}


class Finished:
    """A network of a finished run.

    Args:
        weights: its ``weights.safetensors``, with ``run.json`` beside it.
        device: auto (a card where there is one), cpu or cuda.

    Attributes:
        settings: with which it was trained.
        model: architecture and input channels.
        size: height and width of the radiographs that it was trained on, in pixels.
        network: in float32, on the device of ``machine``.
        machine: where it runs. Operations of torch are deterministic in this process from now on.

    Raises:
        InputError: a file is missing, damaged or of something else.
    """

    of_pretext = False

    def __init__(self, weights: Path | str, *, device: Device = "auto") -> None:
        weights = Path(weights)
        record = weights.with_name("run.json")
        for file in (weights, record):
            if not file.is_file():
                raise InputError(
                    f"{file} is not there. Name the weights.safetensors of a finished training or "
                    "pretext in results/, and keep its run.json beside it."
                )
        content = read_json(record)
        if content["weights_sha256"] != sha256(weights):
            raise InputError(
                f"{record} is of other weights than {weights} (its weights_sha256 differs). Bring "
                "the record of these weights."
            )
        found = "pretext" in content["settings"]
        if found != self.of_pretext:
            raise InputError(f"{weights} is of {USES[found]}, not of {USES[self.of_pretext]}.")
        self.settings = content["settings"]["pretext"] if found else content["settings"]
        self.model = Model.model_validate(self.settings["model"])
        self.size = tuple(content["radiographs"][1:])
        threads = min(256, torch.get_num_threads())
        # In full precision whatever the training's, as the stage `evaluate`.
        self.machine = set_up(Compute(device=device, precision="float32", threads=threads))
        self.network = stored_network(self.model, weights, self.machine.device)

    def resized(self, pixels: np.ndarray) -> np.ndarray:
        """Bring a radiograph, uint8 (H, W), to the network's size as in training (by areas)."""
        return cv2.resize(pixels, self.size[::-1], interpolation=cv2.INTER_AREA)


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


class Segmenter(Finished):
    """A finished training.

    Args:
        weights: see :class:`Finished`.
        device: likewise.
        threshold: probability from which a pixel is tooth.

    Raises:
        InputError: as :class:`Finished`, or ``threshold`` is not between 0 and 1.
    """

    def __init__(
        self, weights: Path | str, *, device: Device = "auto", threshold: float = 0.5
    ) -> None:
        if not 0 < threshold < 1:
            raise InputError(f"The threshold is {threshold:g}; it must be between 0 and 1.")
        self.threshold = threshold
        super().__init__(weights, device=device)

    def __call__(self, radiograph: Path | str | np.ndarray) -> Segmentation:
        """Segment one radiograph; see :func:`maskedteeth.use.radiographs.read_radiograph`.

        The network sees it at its own size; the probability is resized back linearly, and only then
        held against the threshold.
        """
        pixels = read_radiograph(radiograph)
        small = self.resized(pixels)[None]
        probability = predict(self.network, small, self.model.inputs, self.machine)[0]
        probability = cv2.resize(probability, pixels.shape[::-1], interpolation=cv2.INTER_LINEAR)
        mask = (probability >= self.threshold).astype(np.uint8)
        return Segmentation(pixels, probability, mask)


@dataclass(frozen=True)
class Reconstruction:
    """A pretext at work on a radiograph, at the network's size; pictures are uint8 (H, W).

    Attributes:
        xray: the radiograph.
        masked: what the network saw of it.
        sobel: its edges, which the network was shown unmasked if it has such an input.
        generated: what the network made of that.
        hidden: bool (H, W), True = masked.
        scores: ssim, fsim, l1, and each over the masked pixels alone (``ssim_masked``, …), see
            :meth:`maskedteeth.metrics.similarity.Reference.compare`.
    """

    xray: np.ndarray
    masked: np.ndarray
    sobel: np.ndarray
    generated: np.ndarray
    hidden: np.ndarray
    scores: dict[str, float]


class Reconstructor(Finished):
    """A finished pretext; arguments, attributes and errors are those of :class:`Finished`."""

    of_pretext = True

    def __call__(self, radiograph: Path | str | np.ndarray, seed: int = 0) -> Reconstruction:
        """Hide blocks of one radiograph, as in its training, and reconstruct it.

        Args:
            radiograph: see :func:`maskedteeth.use.radiographs.read_radiograph`.
            seed: of the blocks; one seed hides the same blocks of every radiograph.
        """
        pixels = self.resized(read_radiograph(radiograph))
        blocks = Blocks.model_validate(self.settings["blocks"])
        device = self.machine.device
        hidden = draw_masks(blocks, 1, *self.size, generator(seed, "probes")).to(device)
        xray = to_unit(torch.from_numpy(pixels[None]).to(device))
        visible = hide(xray, hidden, blocks)
        with evaluating(self.network):
            inputs = network_input(self.model.inputs, xray, visible)
            generated = probability_of(self.network, inputs)
            scores = Reference(xray, hidden, None).compare(generated)
            sobel = network_input(("sobel",), xray)
        return Reconstruction(
            pixels,
            to_grey(visible)[0],
            to_grey(sobel)[0],
            to_grey(generated)[0],
            hidden[0, 0].cpu().numpy(),
            {name: values[0] for name, values in scores.items() if not name.startswith("lpips")},
        )
