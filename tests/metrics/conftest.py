from dataclasses import dataclass
from pathlib import Path

import filelock
import numpy as np
import pandas as pd
import pytest
import torch

from maskedteeth.metrics.lpips_weights import fetch_weights, unavailable_reason
from maskedteeth.models.inputs import network_input, to_unit
from maskedteeth.settings.config import Compute, Evaluation, HeldOut, Model
from maskedteeth.training.weights import new_network, save_weights


@pytest.fixture(scope="session")
def alexnet_weights(request):
    """AlexNet's weights, downloaded once and kept in pytest's cache."""
    folder = request.config.cache.mkdir("lpips")
    weights = folder / "alexnet-3.safetensors"
    with filelock.FileLock(folder / "lock"):  # pytest-xdist runs several sessions
        if not weights.exists():
            fetch_weights(Evaluation(lpips="optional"), weights=weights)
            reason = unavailable_reason(weights)
            if reason is not None:
                weights.unlink()
                pytest.skip(f"AlexNet's weights cannot be had here: {reason}")
    return weights


@dataclass(frozen=True)
class Prepared:
    """Twelve radiographs of 32 x 64, three of them to test, and a network of random weights."""

    folder: Path
    model = Model(architecture="modified_resunet", inputs=("xray", "sobel"), widths=(4, 8, 8))
    compute = Compute(device="cpu", threads=1)
    held_out = HeldOut(test_fraction=0.25)

    @property
    def files(self):
        return {name: self.folder / f"{name}.npy" for name in ("images", "masks")} | {
            "index": self.folder / "index.csv",
            "weights": self.folder / "weights.safetensors",
        }

    def rows(self, name, ids):
        order = pd.read_csv(self.files["index"], dtype=str)["id"].tolist()
        return np.load(self.files[name])[[order.index(i) for i in ids]]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory, radiograph):
    prepared = Prepared(tmp_path_factory.mktemp("prepared"))
    drawn = [radiograph(seed, 32, 64) for seed in range(12)]
    images, masks = (np.stack(stack) for stack in zip(*drawn, strict=True))
    np.save(prepared.files["images"], images)
    np.save(prepared.files["masks"], masks // 255)
    ids = [str(number) for number in range(12)]
    index = {"id": ids, "labelled": 1, "tooth_fraction": 0.5, "duplicate_group": ids}
    pd.DataFrame(index).to_csv(prepared.files["index"], index=False)
    network = new_network(prepared.model, 0, torch.device("cpu")).eval()
    with torch.no_grad():  # half of the pixels above 0.5
        xray = to_unit(torch.from_numpy(images))
        logits = network(network_input(prepared.model.inputs, xray))
        network.head.weight /= logits.std()
        network.head.bias.sub_(logits.median()).div_(logits.std())
    save_weights(network, prepared.files["weights"])
    return prepared
