"""A finished training, ready for radiographs of any size."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from torch import nn

from maskedteeth.data.look import Look
from maskedteeth.data.prepare import FEWEST_PIXELS
from maskedteeth.data.teeth import MIRRORED, TEETH, UNNUMBERED
from maskedteeth.errors import InputError
from maskedteeth.files import read_json
from maskedteeth.metrics.evaluate import probabilities
from maskedteeth.record import sha256
from maskedteeth.settings.config import Compute, Model, TaskName
from maskedteeth.tasks import CHANNELS, task_of
from maskedteeth.training.device import Machine, set_up
from maskedteeth.training.weights import stored_network
from maskedteeth.use.look import differences
from maskedteeth.use.radiographs import read_radiograph

Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Segmentation:
    """What a network makes of a radiograph of H × W pixels.

    Attributes:
        pixels: the radiograph, uint8 (H, W).
        probability: of tooth, float32 (H, W) in [0, 1].
        mask: uint8 (H, W), 1 = tooth: where the probability reaches the threshold, without the
            regions that were to be left out.
        labels: uint8 (H, W), 0 where the mask is 0; else the most likely tooth, 1 to 32 in
            Universal numbers, or 99 where networks do not tell teeth apart.
        warning: in what the radiograph is unlike those that a network was trained on, so that
            the mask may be wrong whatever the confidence; "" where it is alike.
    """

    pixels: np.ndarray
    probability: np.ndarray
    mask: np.ndarray
    labels: np.ndarray
    warning: str

    @property
    def tooth_fraction(self) -> float:
        """Share of the pixels that are tooth, in [0, 1]."""
        return float(self.mask.mean())

    @property
    def confidence(self) -> float:
        """Dice that the mask would have if the probabilities were the truth, in [0, 1].

        It is 2 Σ p·m / (Σ p + Σ m), with the probability p and the mask m: the soft Dice
        confidence (Borges, Pacheco and Silva, arXiv:2402.10665); of an empty mask 0. It orders
        radiographs; networks are not calibrated, so it is not the Dice to expect. The numbers of
        teeth do not enter.
        """
        inside = self.probability.sum(where=self.mask > 0, dtype=np.float64)
        both = self.probability.sum(dtype=np.float64) + self.mask.sum()
        return float(2 * inside / both) if inside else 0.0


@dataclass(frozen=True)
class Network:
    """The network of a finished training.

    Attributes:
        task: what it tells.
        model: architecture and input channels.
        size: height and width of the radiographs that it was trained on, in pixels.
        look: of these radiographs.
        network: in float32, on a machine's device.
    """

    task: TaskName
    model: Model
    size: tuple[int, int]
    look: Look
    network: nn.Module

    @classmethod
    def stored(cls, weights: Path, machine: Machine) -> "Network":
        """Read ``weights.safetensors``, with ``run.json`` beside it.

        Raises:
            InputError: a file is missing, damaged or of something else.
        """
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
                task = settings["task"]
                model = Model.model_validate(settings["model"])
                look = Look.model_validate(content["look"])
            _, height, width = map(int, content["radiographs"])
        except (LookupError, TypeError, ValueError):  # pydantic's are ValueErrors
            raise InputError(
                f"{record} was made by another version of this project. Use that version, or "
                "train again."
            ) from None
        if recorded != sha256(weights):
            raise InputError(
                f"{record} belongs to other weights than {weights} (its weights_sha256 differs). "
                "Put the record of these weights there."
            )
        if of_pretext:
            raise InputError(
                f"{weights} belongs to a pretext, which does not segment. Name the weights of a "
                "training, in results/<study>/runs."
            )
        network = stored_network(model, weights, machine.device, channels=CHANNELS[task])
        return cls(task, model, (height, width), look, network)

    def small(self, pixels: np.ndarray) -> np.ndarray:
        """Bring a radiograph, uint8 (H, W), to the network's size by areas, as in training."""
        return cv2.resize(pixels, self.size[::-1], interpolation=cv2.INTER_AREA)

    def probabilities(self, small: np.ndarray, flip: bool, machine: Machine) -> np.ndarray:
        """Return what the task makes of a radiograph of the network's size, float32 (C, H, W)."""
        views, task = np.stack([small, small[:, ::-1]] if flip else [small]), task_of(self.task)
        batches = probabilities(self.network, views, self.model.inputs, task, machine)
        there, *mirrored = np.concatenate([batch.cpu().numpy() for batch in batches])
        for back in mirrored:
            exchanged = back[list(MIRRORED)] if self.task == "numbering" else back
            there = (there + exchanged[:, :, ::-1]) / 2
        return there


class Segmenter:
    """Finished trainings at work: one, or several whose probabilities are averaged.

    Args:
        weights: ``weights.safetensors`` of a training, or of several, each with its ``run.json``
            beside it. Every network sees the radiograph at its own size.
        device: auto (a GPU if there is one), cpu or cuda.
        threshold: probability from which a pixel is tooth.
        flip: average also with what they make of the mirrored radiograph, in which left and right
            teeth are exchanged.
        smallest: regions, which are what hangs together of one label, of fewer pixels are left out.

    Attributes:
        networks: of the trainings.
        task: of all of them.
        machine: where they run. Operations of torch are deterministic in this process from now on.

    Raises:
        InputError: a file is missing, damaged or of something else, the networks differ in their
            task, or ``threshold`` is not between 0 and 1.
    """

    def __init__(
        self,
        weights: Path | str | Sequence[Path | str],
        *,
        device: Device = "auto",
        threshold: float = 0.5,
        flip: bool = False,
        smallest: int = 0,
    ) -> None:
        if not 0 < threshold < 1:
            raise InputError(f"The threshold is {threshold:g}; it must be between 0 and 1.")
        self.threshold, self.flip, self.smallest = threshold, flip, smallest
        threads = min(256, torch.get_num_threads())
        # In full precision whatever the training's, as the stage `evaluate`.
        self.machine = set_up(Compute(device=device, precision="float32", threads=threads))
        files = [weights] if isinstance(weights, Path | str) else weights
        if not files:
            raise InputError("There are no weights; name weights.safetensors of a training.")
        self.networks = [Network.stored(Path(file), self.machine) for file in files]
        self.task = self.networks[0].task
        for file, network in zip(files, self.networks, strict=True):
            if network.task != self.task:
                raise InputError(
                    f"{files[0]} is of task: {self.task}, but {file} of task: {network.task}; name "
                    "weights of one task."
                )

    def __call__(self, radiograph: Path | str | np.ndarray) -> Segmentation:
        """Segment one radiograph; see :func:`maskedteeth.use.radiographs.read_radiograph`.

        A network sees it at its own size; the probability is resized back linearly, averaged, and
        only then held against the threshold.

        Raises:
            InputError: it cannot be read, is smaller than radiographs are, or its proportions are
                far from those of the training (:mod:`maskedteeth.use.look`).
        """
        pixels = read_radiograph(radiograph)
        if min(pixels.shape) < FEWEST_PIXELS:
            raise InputError(
                f"The radiograph has {pixels.shape[0]} x {pixels.shape[1]} pixels; at least "
                f"{FEWEST_PIXELS} were expected on each side: export it larger."
            )
        found, unlike = [], {}  # of which each is said once
        for network in self.networks:
            small = network.small(pixels)
            unlike |= dict.fromkeys(differences(network.look, pixels, small))
            found.append(network.probabilities(small, self.flip, self.machine))

        def at_full_size(channel: int) -> np.ndarray:
            total = np.zeros(pixels.shape, np.float32)
            for one in found:
                total += cv2.resize(one[channel], pixels.shape[::-1])  # linearly
            return total / len(found)

        probability, labels = at_full_size(0), np.full(pixels.shape, UNNUMBERED, np.uint8)
        if self.task == "numbering":
            probability, most = 1 - probability, np.full(pixels.shape, -1, np.float32)
            for tooth in TEETH:  # one by one, for all of them at full size are gigabytes
                likely = at_full_size(tooth)
                labels[likely > most] = tooth
                most = np.maximum(most, likely)
        labels *= probability >= self.threshold
        if self.smallest:
            _drop_small(labels, self.smallest)
        mask = (labels > 0).astype(np.uint8)
        return Segmentation(pixels, probability, mask, labels, "; ".join(unlike))


def _drop_small(labels: np.ndarray, smallest: int) -> None:
    for label in np.unique(labels[labels > 0]):
        of_label = (labels == label).astype(np.uint8)
        _, regions, boxes, _ = cv2.connectedComponentsWithStats(of_label)
        small = boxes[:, cv2.CC_STAT_AREA] < smallest
        labels[small[regions] & (of_label > 0)] = 0
