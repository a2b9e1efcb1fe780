"""Show what a pretext makes of a radiograph behind random blocks."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from maskedteeth.metrics.similarity import Reference
from maskedteeth.models.inputs import network_input, probability_of, to_grey, to_unit
from maskedteeth.pretext.masking import draw_masks, hide
from maskedteeth.seeds import generator
from maskedteeth.training.device import evaluating
from maskedteeth.training.weights import stored_network
from maskedteeth.use.machine import GPU_MEM_MB, Device, machine_for_use
from maskedteeth.use.radiographs import at_size
from maskedteeth.use.trained import find_trained


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


class Reconstructor:
    """A finished pretext, ready for radiographs.

    Args:
        weights: ``weights.safetensors`` of a pretext in ``results/``.
        run: see :func:`maskedteeth.use.trained.find_trained`.
        device: auto (a card where there is one), cpu or cuda.
        gpu_mem_mb: MiB to reserve where there is a card.

    Attributes: as of :class:`maskedteeth.use.segmenter.Segmenter`.

    Raises:
        InputError: the weights or their record cannot be used.
    """

    def __init__(
        self,
        weights: Path | str,
        *,
        run: Path | str | None = None,
        device: Device = "auto",
        gpu_mem_mb: int = GPU_MEM_MB,
    ):
        self.trained = find_trained(Path(weights), "pretext", None if run is None else Path(run))
        self.machine = machine_for_use(device, gpu_mem_mb)
        model = self.trained.model
        self.network = stored_network(model, self.trained.weights, self.machine.device)

    def __call__(self, radiograph: Path | str | np.ndarray, seed: int = 0) -> Reconstruction:
        """Hide blocks of one radiograph, as in its training, and reconstruct it.

        Args:
            radiograph: a file (JPEG, PNG, TIFF, BMP or DICOM), or grey values, uint8 (H, W).
            seed: of the blocks; one seed hides the same blocks of every radiograph.

        Raises:
            InputError: the file cannot be read.
            ValueError: the array is of another type or shape.
        """
        size = self.trained.height, self.trained.width
        _, small = at_size(radiograph, *size)
        blocks, device = self.trained.blocks, self.machine.device
        hidden = draw_masks(blocks, 1, *size, generator(seed, "probes")).to(device)
        xray = to_unit(torch.from_numpy(small[None]).to(device))
        visible = hide(xray, hidden, blocks)
        with evaluating(self.network):
            inputs = network_input(self.trained.model.inputs, xray, visible)
            generated = probability_of(self.network, inputs)
            scores = Reference(xray, hidden, None).compare(generated)
            sobel = network_input(("sobel",), xray)
        return Reconstruction(
            small,
            to_grey(visible)[0],
            to_grey(sobel)[0],
            to_grey(generated)[0],
            hidden[0, 0].cpu().numpy(),
            {name: values[0] for name, values in scores.items() if not name.startswith("lpips")},
        )
