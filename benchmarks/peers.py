"""The sides that are compared with: a pretext training as others write it.

Both with torch's Adam and torch's default settings.
"""

from pathlib import Path

import cv2
import numpy as np
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
from torch.utils.data import DataLoader, Dataset

from maskedteeth.models import build
from maskedteeth.pretext.guidance import sobel_magnitude
from maskedteeth.settings.config import Pretext

CUDA = torch.cuda.is_available()


def block(height: int, width: int) -> tuple[int, int]:
    """Return the size of one that covers 15 % of a radiograph."""
    return round(height * 0.15**0.5), round(width * 0.15**0.5)


class Peer:
    """A training whose :meth:`epoch` can be repeated.

    Args:
        job: network, batch size and learning rate.
        loader: of batches: masked, sobel and xray, float (B, 1, H, W).

    Attributes:
        precision: torch.bfloat16 for autocast, or torch.float32 for none; to be changed at will.
    """

    def __init__(self, job: Pretext, loader: DataLoader):
        self.device = torch.device("cuda" if CUDA else "cpu")
        self.precision = torch.float32
        self.loader = loader
        self.network = build(job.model).to(self.device)
        self.adam = torch.optim.Adam(self.network.parameters(), lr=job.learning_rate)

    def epoch(self) -> None:
        """Train one epoch."""
        self.network.train()
        total = 0.0
        for batch in self.loader:
            inputs = torch.cat([batch["masked"], batch["sobel"]], dim=1).to(self.device)
            self.adam.zero_grad()
            bfloat16 = self.precision == torch.bfloat16
            with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16):
                generated = torch.sigmoid(self.network(inputs))
                loss = nn.functional.l1_loss(generated, batch["xray"].to(self.device))
            loss.backward()
            self.adam.step()
            total += loss.item()


def usual_script(job: Pretext, files: list[Path], height: int, width: int) -> Peer:
    """Return a training whose two workers make every item from its file in every epoch."""
    options = {"num_workers": 2, "persistent_workers": True, "pin_memory": CUDA}
    dataset = Radiographs(files, height, width)
    return Peer(job, DataLoader(dataset, job.batch_size, shuffle=True, **options))


class Radiographs(Dataset):
    """Radiographs behind random blocks, by OpenCV and NumPy."""

    def __init__(self, files: list[Path], height: int, width: int):
        self.files, self.height, self.width = files, height, width

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        """Decode, resize, mask and filter one; each float32 (1, H, W) in [0, 1]."""
        image = cv2.imread(str(self.files[index]), cv2.IMREAD_GRAYSCALE)
        size = self.width, self.height
        xray = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        gx, gy = cv2.Sobel(xray, cv2.CV_32F, 1, 0), cv2.Sobel(xray, cv2.CV_32F, 0, 1)
        sobel = np.sqrt(gx**2 + gy**2)
        sobel /= max(sobel.max(), 1e-6)
        masked = xray.copy()
        height, width = block(self.height, self.width)
        for _ in range(np.random.randint(2, 6)):
            top = np.random.randint(0, self.height - height + 1)
            left = np.random.randint(0, self.width - width + 1)
            masked[top : top + height, left : left + width] = 0
        return {"masked": masked[None], "sobel": sobel[None], "xray": xray[None]}


def monai(job: Pretext, files: list[Path], height: int, width: int) -> Peer:
    """Return a training as MONAI's tutorials set up a fast one.

    CacheDataset keeps what is deterministic; blocks are drawn for each item by MONAI's own random
    transform; ThreadDataLoader overlaps that with the training.
    """
    holes = {"holes": 2, "max_holes": 5, "spatial_size": block(height, width), "fill_value": 0}
    transform = Compose(
        [
            LoadImaged("xray", image_only=True, reader="PILReader"),
            EnsureChannelFirstd("xray"),
            Transposed("xray", (0, 2, 1)),  # MONAI's reader puts the width first
            Resized("xray", (height, width), mode="area"),
            ScaleIntensityd("xray", minv=0, maxv=1),
            EnsureTyped("xray", track_meta=False),
            lambda item: {**item, "sobel": sobel_magnitude(item["xray"][None])[0]},
            CopyItemsd("xray", names="masked"),
            RandCoarseDropoutd("masked", prob=1, **holes),
        ]
    )
    data = [{"xray": str(file)} for file in files]
    dataset = CacheDataset(data, transform, num_workers=2, progress=False)
    loader = ThreadDataLoader(dataset, batch_size=job.batch_size, shuffle=True, num_workers=0)
    return Peer(job, loader)
