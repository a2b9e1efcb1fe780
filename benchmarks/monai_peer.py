"""The side that is compared with: MONAI, as its tutorials set up a fast training.

CacheDataset keeps what is deterministic (decoding, resizing, scaling, Sobel); blocks are drawn for
each item by MONAI's own random transform; ThreadDataLoader overlaps that with the training.
"""

from pathlib import Path

import torch
from monai.data import CacheDataset, ThreadDataLoader
from monai.transforms import (
    Compose,
    CopyItemsd,
    EnsureChannelFirstd,
    EnsureTyped,
    LoadImaged,
    RandCoarseDropoutd,
    Resized,
    ScaleIntensityd,
    Transposed,
)
from torch import nn

from maskedteeth.models import build
from maskedteeth.pretext.guidance import sobel_magnitude
from maskedteeth.settings.config import Pretext


class AddSobel:
    """Add the Sobel magnitude of the radiograph, once: it is cached."""

    def __call__(self, data: dict) -> dict:
        """Return ``data`` with `sobel` (1, H, W)."""
        return {**data, "sobel": sobel_magnitude(data["xray"][None])[0]}


class MonaiPeer:
    """A training whose :meth:`epoch` can be repeated; everything is cached before the first."""

    def __init__(self, job: Pretext, files: list[Path], height: int, width: int):
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        block = round(height * 0.15**0.5), round(width * 0.15**0.5)
        transform = Compose(
            [
                LoadImaged("xray", image_only=True, reader="PILReader"),
                EnsureChannelFirstd("xray"),
                Transposed("xray", (0, 2, 1)),  # MONAI's reader puts the width first
                Resized("xray", (height, width), mode="area"),
                ScaleIntensityd("xray", minv=0, maxv=1),
                EnsureTyped("xray", track_meta=False),
                AddSobel(),
                CopyItemsd("xray", names="masked"),
                RandCoarseDropoutd(
                    "masked", holes=2, max_holes=5, spatial_size=block, fill_value=0, prob=1
                ),
            ]
        )
        data = [{"xray": str(file)} for file in files]
        dataset = CacheDataset(data, transform, num_workers=2, progress=False)
        self.loader = ThreadDataLoader(
            dataset, batch_size=job.batch_size, shuffle=True, num_workers=0
        )
        self.network = build(job.model).to(self.device)
        self.adam = torch.optim.Adam(self.network.parameters(), lr=job.learning_rate)
        self.loss = nn.L1Loss()

    def epoch(self) -> None:
        """Train one epoch."""
        self.network.train()
        total = 0.0
        for batch in self.loader:
            xray = batch["xray"].to(self.device)
            inputs = torch.cat([batch["masked"], batch["sobel"]], dim=1).to(self.device)
            self.adam.zero_grad()
            loss = self.loss(torch.sigmoid(self.network(inputs)), xray)
            loss.backward()
            self.adam.step()
            total += loss.item()
