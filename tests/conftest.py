"""Small radiographs, and one small finished study that all tests share."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import hypothesis
import numpy as np
import pytest
import torch
from small_disk import Disk

from maskedteeth.cli import main

NETWORK = {"architecture": "modified_resunet", "inputs": ["xray", "sobel"], "widths": [4, 8, 8]}
COMPUTE = {"device": "cpu", "precision": "float32", "threads": 1}
SOURCE = {"source": "folder", "images": "images", "masks": "masks"}
SPLIT = {"test_fraction": 0.25}
RECIPE = {"batch_size": 4, "learning_rate": 0.01, "model": NETWORK, "compute": COMPUTE}
RUN = {"fraction": 0.25, "seed": 3407}

SETTINGS = {
    "index": SOURCE,
    "prepare": {"source": SOURCE, "height": 32, "width": 64},
    "split": {**SPLIT, **RUN},
    "split-pretext": SPLIT,
    "guard": SPLIT,
    "pretrain": {**RECIPE, "epochs": 3, "preview_epochs": [1, 3]},
    "train": {**RECIPE, **RUN, "epochs": 2},
    "evaluate": {
        **{**RUN, "method": "ours", "model": NETWORK, "threshold": 0.5, "boundary_tolerance": 2},
        "compute": COMPUTE,
    },
    "lpips-weights": {"lpips": "off"},
    "measure-pretext": {
        **{"model": NETWORK, "blocks": {}, "mask_seed": 0, "samples": 1, "compute": COMPUTE}
    },
}

FILES = {
    "index": "index.csv problems.csv",
    "prepare": "index.csv images.npy masks.npy",
    "split": "index.csv split.json",
    "split-pretext": "index.csv pretext/split.json",
    "guard": "index.csv images.npy guard.json",
    "pretrain": "images.npy index.csv pretext/split.json pretext/weights.safetensors "
    "pretext/history.csv pretext/previews.npz pretext/run.json",
    "train": "images.npy masks.npy index.csv split.json weights.safetensors history.csv run.json",
    "evaluate": "images.npy masks.npy index.csv split.json weights.safetensors metrics.csv "
    "predictions.npz evaluation.json",
    "lpips-weights": "pretext/lpips.safetensors",
    "measure-pretext": "images.npy index.csv pretext/split.json pretext/weights.safetensors "
    "pretext/lpips.safetensors pretext/metrics.csv pretext/fillers.csv pretext/samples.npz "
    "pretext/evaluation.json",
}

NVIDIA_SMI = """#!/bin/sh
case "$*" in
*memory.total*) printf '%s' '{listing}' ;;
*memory.used*) echo 0 ;;
esac
"""

hypothesis.settings.register_profile("same", deadline=None, max_examples=60, derandomize=True)
hypothesis.settings.load_profile("same")


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@dataclass(frozen=True)
class Study:
    """A folder of radiographs and a folder in which stages run as the workflow would run them."""

    raw: Path
    out: Path

    def __truediv__(self, name: str) -> Path:
        return self.out / name

    def files(self, stage: str) -> list[str]:
        """Names of the files that a stage reads and writes."""
        return FILES[stage].split()

    def settings(self, stage: str) -> dict:
        return SETTINGS[stage]

    def run(self, stage: str, settings: dict | None = None, **files: Path) -> int:
        """Run a stage through the command line, with other settings and files where given."""
        flags = {Path(name).stem: self.out / name for name in FILES[stage].split()}
        if stage in ("index", "prepare"):
            flags["raw"] = self.raw
        if stage == "lpips-weights":
            flags = {"weights": self.out / FILES[stage]}
        given = {"settings": {"settings": SETTINGS[stage] | (settings or {})}}
        given["files"] = {name: str(file) for name, file in (flags | files).items()}
        return main(["run", stage.replace("-", "_"), json.dumps(given)])


@pytest.fixture(scope="session")
def radiograph() -> Callable:
    """Draw bright blobs on a dark, noisy ground, uint8 (H, W), and their mask, 0 or 255."""

    def draw(seed: int, height: int = 64, width: int = 128) -> tuple[np.ndarray, np.ndarray]:
        generator = np.random.default_rng(seed)
        mask = np.zeros((height, width), np.uint8)
        for _ in range(6):
            centre = int(generator.integers(width)), int(generator.integers(height))
            axes = int(generator.integers(4, 9)), int(generator.integers(6, 14))
            cv2.ellipse(mask, centre, axes, 0, 0, 360, 255, -1)
        smooth = cv2.GaussianBlur(mask, (0, 0), 1.5) * 0.55
        noisy = 60 + smooth + generator.normal(0, 6, mask.shape)
        return np.clip(noisy, 0, 255).astype(np.uint8), mask

    return draw


@pytest.fixture(scope="session")
def write_folder(radiograph) -> Callable:
    """Write radiographs 1.png, 2.png, … to images/, masks of the first `labelled` to masks/."""

    def write(root: Path, count: int, labelled: int | None = None) -> Path:
        for name in ("images", "masks"):
            (root / name).mkdir(parents=True)
        for number in range(1, count + 1):
            image, mask = radiograph(number)
            cv2.imwrite(str(root / "images" / f"{number}.png"), image)
            if labelled is None or number <= labelled:
                cv2.imwrite(str(root / "masks" / f"{number}.png"), mask)
        return root

    return write


@pytest.fixture(scope="session")
def study(tmp_path_factory, write_folder) -> Study:
    """The study of 13 radiographs, the last without a mask. Write nothing to it."""
    root = tmp_path_factory.mktemp("study")
    finished = Study(write_folder(root / "raw", 13, labelled=12), root / "out")
    for stage in ("index", "prepare", "split", "split-pretext", "pretrain"):
        assert finished.run(stage) == 0
    assert finished.run("split", {"fraction": 0.75}, split=finished / "split-0.75.json") == 0
    assert finished.run("train", pretext=finished / "pretext/weights.safetensors") == 0
    assert finished.run("evaluate") == 0
    # The records as stages with sections will write them.
    record = json.loads((finished / "pretext/run.json").read_text())
    record["settings"] = {"pretext": record["settings"], "compute": {}}
    record["settings"]["pretext"].pop("compute")
    (finished / "pretext/run.json").write_text(json.dumps(record))
    return finished


@pytest.fixture
def disk(tmp_path) -> Iterator[Disk]:
    """A file system of 16 MiB (where a page has 4 KiB)."""
    disk = Disk(tmp_path / "disk", 4096)
    yield disk
    disk.close()


@pytest.fixture
def real_radiographs() -> Path:
    """Folder of real radiographs, with images/ and masks/."""
    folder = os.environ.get("MASKEDTEETH_RADIOGRAPHS")
    if not folder:
        pytest.skip("MASKEDTEETH_RADIOGRAPHS names no folder with images/ and masks/")
    return Path(folder)


@pytest.fixture
def fake_cards(tmp_path, monkeypatch) -> Callable:
    """Put an nvidia-smi first on PATH that lists cards of a UUID and a memory in MiB."""

    def put(*cards: tuple[str, int]) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        listing = "".join(f"{n}, {name}, {mib}\n" for n, (name, mib) in enumerate(cards))
        (folder / "nvidia-smi").write_text(NVIDIA_SMI.format(listing=listing))
        (folder / "nvidia-smi").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # so that it is put back afterwards
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")

    return put
