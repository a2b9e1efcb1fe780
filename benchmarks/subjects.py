"""What the benchmarks work on: studies' sizes, radiographs, trainings."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import cv2
import numpy as np
import torch
import yaml
from processes import ROOT
from snakemake.utils import update_config

from maskedteeth.data.phantom import draw_dataset
from maskedteeth.settings.config import Compute, Phantom, Settings
from maskedteeth.training.device import set_up
from maskedteeth.training.engine import fit, last_steps
from maskedteeth.training.pretrain import Probes, Reconstruction
from maskedteeth.training.weights import new_network

CUDA = torch.cuda.is_available()
#: All of the machine: as many threads as torch takes when nobody asks, one a core.
COMPUTE = Compute(device="cuda" if CUDA else "cpu", threads=torch.get_num_threads())


@cache
def study(name: str) -> Settings:
    """Return the settings of ``config/<name>.yaml`` over the paper's."""
    settings = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text(encoding="utf-8"))
    if name != "paper":
        overlay = (ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8")
        update_config(settings, yaml.safe_load(overlay))
    return Settings.model_validate(settings)


@cache
def radiographs_2048() -> list[Path]:
    """Draw 16 radiographs, 1024 pixels high and about 2048 wide, as JPEG files."""
    folder = Path(mkdtemp(prefix="maskedteeth-bench-"))
    draw_dataset(Phantom(images=16, height=1024), raw=folder / "raw")
    return sorted((folder / "raw").rglob("*.jpg"))


class Pretraining:
    """An epoch of the pretext of ``config/<name>.yaml``, without previews.

    Args:
        name: of the study.
        batches: of the epoch.
        files: radiographs to take, again and again; None: noise.
        precision: as `compute.precision` of the settings.

    Attributes:
        job: settings, for one epoch.
        machine: device and precision.
        pixels: uint8 (N, H, W) on the CPU.
        task: the pretext.
        network: to train.
    """

    def __init__(
        self,
        name: str,
        batches: int,
        files: list[Path] | None = None,
        precision: str = "auto",
    ):
        image, pretext = study(name).image, study(name).pretext["random_block_masking"]
        self.job = pretext.model_copy(update={"epochs": 1, "preview_epochs": (1,)})
        shape = (batches * self.job.batch_size, image.height, image.width)
        self.pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        for number in range(shape[0] if files else 0):
            pixels = cv2.imread(str(files[number % len(files)]), cv2.IMREAD_GRAYSCALE)
            self.pixels[number] = cv2.resize(pixels, shape[:0:-1], interpolation=cv2.INTER_AREA)
        self.machine = set_up(COMPUTE.model_copy(update={"precision": precision}))
        radiographs = torch.from_numpy(self.pixels).to(self.machine.device)
        probes = Probes(self.pixels[:1], self.job, self.machine)
        self.task = Reconstruction(radiographs, probes, self.job, self.machine)
        self.task.after_epoch = lambda network, epoch: None  # previews off
        self.network = new_network(self.job.model, 0, self.machine.device)

    def epoch(self) -> None:
        """Train one epoch, as the workflow does."""
        count = len(self.pixels)
        counts = {"samples": count, "ends": last_steps(self.job, count)}
        fit(self.network, self.task, self.job, **counts, seed=0, machine=self.machine)
        self.wait()

    def wait(self) -> None:
        """Wait until the device has done all that it was given."""
        if self.machine.device.type == "cuda":
            torch.cuda.synchronize()
