"""The side that is compared with: a pretext training as it is usually written.

A DataLoader whose two workers decode the radiograph, resize, mask and Sobel-filter it with OpenCV
and NumPy, for every item in every epoch; float32; torch's Adam; torch's default settings.
"""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from maskedteeth.models import build
from maskedteeth.settings.config import Pretext


class Radiographs(Dataset):
    """Radiographs behind random blocks, made from their files each time."""

    def __init__(self, files: list[Path], height: int, width: int):
        self.files, self.height, self.width = files, height, width

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return network input (2, H, W) and target (1, H, W), float32 in [0, 1]."""
        image = cv2.imread(str(self.files[index]), cv2.IMREAD_GRAYSCALE)
        size = self.width, self.height
        xray = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        gx, gy = cv2.Sobel(xray, cv2.CV_32F, 1, 0), cv2.Sobel(xray, cv2.CV_32F, 0, 1)
        sobel = np.sqrt(gx**2 + gy**2)
        sobel /= max(sobel.max(), 1e-6)
        masked = xray.copy()
        height, width = round(self.height * 0.15**0.5), round(self.width * 0.15**0.5)
        for _ in range(np.random.randint(2, 6)):
            top = np.random.randint(0, self.height - height + 1)
            left = np.random.randint(0, self.width - width + 1)
            masked[top : top + height, left : left + width] = 0
        return np.stack([masked, sobel]), xray[None]


class UsualScript:
    """A training whose :meth:`epoch` can be repeated; its workers live on between epochs."""

    def __init__(self, job: Pretext, files: list[Path], height: int, width: int):
        cuda = torch.cuda.is_available()
        self.device = torch.device("cuda" if cuda else "cpu")
        self.loader = DataLoader(
            Radiographs(files, height, width),
            job.batch_size,
            shuffle=True,
            num_workers=2,
            pin_memory=cuda,
            persistent_workers=True,
        )
        self.network = build(job.model).to(self.device)
        self.adam = torch.optim.Adam(self.network.parameters(), lr=job.learning_rate)
        self.loss = nn.L1Loss()

    def epoch(self) -> None:
        """Train one epoch."""
        self.network.train()
        total = 0.0
        for inputs, target in self.loader:
            inputs, target = inputs.to(self.device), target.to(self.device)
            self.adam.zero_grad()
            loss = self.loss(torch.sigmoid(self.network(inputs)), target)
            loss.backward()
            self.adam.step()
            total += loss.item()
