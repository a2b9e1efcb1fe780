"""What Mask R-CNN minimises: its own losses, over the teeth of each radiograph."""

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from maskedteeth.data.annotations import teeth_of
from maskedteeth.data.teeth import UNNUMBERED
from maskedteeth.errors import InputError
from maskedteeth.models.inputs import network_input
from maskedteeth.training.segmentation import Segmentation


class InstanceSegmentation(Segmentation):
    """Find teeth one by one.

    Args:
        *of_segmentation: as of :class:`Segmentation`; ``truth`` are the labels as they are.
        numbered: whether numbers are classes.

    Raises:
        InputError: they are, and a tooth has none.
    """

    def __init__(self, *of_segmentation, numbered: bool):
        super().__init__(*of_segmentation)
        self.numbered = numbered
        if numbered and (self.truth == UNNUMBERED).any():
            raise InputError(
                "mask_rcnn learns the numbers of teeth as classes, but some teeth of the training "
                "radiographs have none. Number them, or set task to 'teeth'."
            )

    def loss(self, network: nn.Module, rows: Tensor, step: int) -> Tensor:
        """See :meth:`Task.loss`."""
        xray, labels = self.batch(rows, step)
        teeth = [self._teeth(one) for one in labels[:, 0].byte().cpu().numpy()]
        with self.machine.autocast():
            return network.loss(network_input(self.inputs, xray), teeth)

    def _teeth(self, labels: np.ndarray) -> dict[str, Tensor]:
        """Return the teeth of one radiograph as ``ToothInstances.loss`` takes them."""
        teeth = teeth_of(labels)
        masks = np.array([mask for _, mask in teeth], np.uint8).reshape(-1, *labels.shape)
        boxes = [cv2.boundingRect(mask) for mask in masks]
        edges = [(left, top, left + width, top + height) for left, top, width, height in boxes]
        classes = [number if self.numbered else 1 for number, _ in teeth]
        found = {
            "boxes": torch.tensor(edges, dtype=torch.float32).reshape(-1, 4),
            "labels": torch.tensor(classes, dtype=torch.int64),
            "masks": torch.from_numpy(masks),
        }
        return {name: part.to(self.machine.device) for name, part in found.items()}
