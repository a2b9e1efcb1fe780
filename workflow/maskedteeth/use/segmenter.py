"""Segment radiographs of any size with a finished training."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskedteeth.metrics.evaluate import predict
from maskedteeth.training.weights import stored_network
from maskedteeth.use.machine import GPU_MEM_MB, Device, machine_for_use
from maskedteeth.use.radiographs import at_size
from maskedteeth.use.trained import find_trained


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
    """A finished training, ready for radiographs.

    Args:
        weights: ``weights.safetensors`` of a training in ``results/``.
        run: see :func:`maskedteeth.use.trained.find_trained`.
        threshold: likewise.
        device: auto (a card where there is one), cpu or cuda.
        gpu_mem_mb: MiB to reserve where there is a card, see
            :mod:`maskedteeth.training.cards`.

    Attributes:
        trained: what is known of the network.
        network: in float32, on the device of ``machine``.
        machine: where it runs: a card where there is one, or else all processors. Operations of
            torch are deterministic in this process from now on.

    Raises:
        InputError: the weights or their record cannot be used.
    """

    def __init__(
        self,
        weights: Path | str,
        *,
        run: Path | str | None = None,
        threshold: float | None = None,
        device: Device = "auto",
        gpu_mem_mb: int = GPU_MEM_MB,
    ):
        record = None if run is None else Path(run)
        self.trained = find_trained(Path(weights), "training", record, threshold)
        self.machine = machine_for_use(device, gpu_mem_mb)
        model = self.trained.model
        self.network = stored_network(model, self.trained.weights, self.machine.device)

    def __call__(self, radiograph: Path | str | np.ndarray) -> Segmentation:
        """Segment one radiograph.

        It is resized to the network's size as in training (averages over areas), the probability
        resized back linearly, and only then held against the threshold. From a file a network
        sees exactly the pixels of the stage `prepare`.

        Args:
            radiograph: a file (JPEG, PNG, TIFF, BMP or DICOM), or grey values, uint8 (H, W),
                0 = black.

        Raises:
            InputError: the file cannot be read.
            ValueError: the array is of another type or shape.
        """
        pixels, small = at_size(radiograph, self.trained.height, self.trained.width)
        inputs = self.trained.model.inputs
        probability = predict(self.network, small[None], inputs, self.machine)[0]
        probability = cv2.resize(probability, pixels.shape[::-1], interpolation=cv2.INTER_LINEAR)
        mask = (probability >= self.trained.threshold).astype(np.uint8)
        return Segmentation(pixels, probability, mask)
