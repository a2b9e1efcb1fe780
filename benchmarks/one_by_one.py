"""The side that is compared with: an evaluation as it is usually written.

One radiograph at a time, float32, torchmetrics, torch's default settings.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file

from maskedteeth.models import build
from maskedteeth.models.inputs import network_input, to_unit
from maskedteeth.settings.config import Model
from maskedteeth.torchvision_shim import import_torchvision

import_torchvision()  # torchmetrics imports it, and fails where it does not fit to torch

from torchmetrics import classification  # noqa: E402


def one_by_one(
    model: Model, images: np.ndarray, masks: np.ndarray, weights: Path, metrics: Path
) -> None:
    """Write Dice, Jaccard, precision and recall of radiographs and masks, uint8 (N, H, W)."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = build(model)
    network.load_state_dict(load_file(weights))
    network.to(device).eval()
    measures = {
        "dice": classification.BinaryF1Score().to(device),
        "jaccard": classification.BinaryJaccardIndex().to(device),
        "precision": classification.BinaryPrecision().to(device),
        "recall": classification.BinaryRecall().to(device),
    }
    rows = []
    with torch.no_grad():
        for image, mask in zip(images, masks, strict=True):
            xray = to_unit(torch.from_numpy(image)[None]).to(device)
            probability = torch.sigmoid(network(network_input(model.inputs, xray)))[0, 0]
            truth = torch.from_numpy(mask).to(device)
            rows.append({name: one(probability, truth).item() for name, one in measures.items()})
    pd.DataFrame(rows).to_csv(metrics)
