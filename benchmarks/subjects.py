"""What the benchmarks work on: studies' sizes, radiographs, trainings."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import cv2
import numpy as np
import torch
import yaml
from snakemake.utils import update_config

from maskedteeth.settings.config import Compute, Phantom, Pretext, Settings
from maskedteeth.training.device import Machine, set_up
from maskedteeth.training.engine import fit
from maskedteeth.training.pretrain import Probes, Reconstruction
from maskedteeth.training.weights import new_network

ROOT = Path(__file__).parents[1]
CUDA = torch.cuda.is_available()
THREADS = torch.get_num_threads()  # what torch takes when nobody asks: one a core


@cache
def study(name: str) -> Settings:
    """Return the settings of ``config/<name>.yaml`` over the paper's."""
    settings = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text(encoding="utf-8"))
    if name != "paper":
        overlay = (ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8")
        update_config(settings, yaml.safe_load(overlay))
    if settings["data"]["source"] == "folder":
        settings["data"]["path"] = "radiographs"
    return Settings.model_validate(settings)


@cache
def radiographs_2048() -> list[Path]:
    """Draw 16 radiographs, 1024 pixels high and about 2048 wide, as JPEG files."""
    from maskedteeth.data.phantom import draw_dataset

    folder = Path(mkdtemp(prefix="maskedteeth-bench-"))
    draw_dataset(Phantom(images=16, height=1024), raw=folder / "raw")
    return sorted((folder / "raw").rglob("*.jpg"))


@dataclass
class Pretraining:
    """A pretext epoch at the size of a study, without previews.

    Attributes:
        job: settings, for one epoch.
        machine: device and precision.
        pixels: uint8 (N, H, W) on the CPU.
        task: the pretext.
        network: to train.
    """

    job: Pretext
    machine: Machine
    pixels: np.ndarray
    task: Reconstruction
    network: torch.nn.Module

    @classmethod
    def of(cls, name: str, batches: int, files: list[Path] | None = None) -> "Pretraining":
        """Set up the pretext of ``config/<name>.yaml`` on all of the machine."""
        settings = study(name)
        compute = Compute(device="cuda" if CUDA else "cpu", threads=THREADS)
        pretext = settings.pretext["random_block_masking"]
        job = pretext.model_copy(update={"epochs": 1, "preview_epochs": (1,)})
        size = settings.image.height, settings.image.width
        if files is None:
            shape = (batches * job.batch_size, *size)
            pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        else:
            images = [cv2.imread(str(f), cv2.IMREAD_GRAYSCALE) for f in files]
            shrunk = [cv2.resize(i, size[::-1], interpolation=cv2.INTER_AREA) for i in images]
            count = batches * job.batch_size
            pixels = np.stack([shrunk[n % len(shrunk)] for n in range(count)])
        machine = set_up(compute)
        task = Reconstruction(
            torch.from_numpy(pixels).to(machine.device),
            Probes(pixels[:1], job, machine),
            job,
            machine,
        )
        task.after_epoch = lambda network, epoch: None  # previews off
        return cls(job, machine, pixels, task, new_network(job.model, 0, machine.device))

    def epoch(self) -> None:
        """Train one epoch, as the workflow does."""
        count = len(self.pixels)
        fit(
            self.network,
            self.task,
            self.job,
            samples=count,
            epoch_samples=count,
            seed=0,
            machine=self.machine,
        )

    def wait(self) -> None:
        """Wait until the device has done all that it was given."""
        if self.machine.device.type == "cuda":
            torch.cuda.synchronize()
