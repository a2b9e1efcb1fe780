"""Small radiographs, and one small finished study that all tests share."""

import importlib
import inspect
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import hypothesis
import numpy as np
import pytest
import torch
from _pytest import runner
from snakemake.utils import update_config

from maskedteeth.cli import main
from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.splits import draw_split
from maskedteeth.models.inputs import network_input, to_unit
from maskedteeth.settings.config import Settings
from maskedteeth.settings.sections import as_values, cut
from maskedteeth.settings.validation import validate
from maskedteeth.stages import locate, sections_of
from maskedteeth.training.device import evaluating
from maskedteeth.training.weights import stored_network

NETWORK = {"architecture": "modified_resunet", "inputs": ["xray", "sobel"], "widths": [4, 8, 8]}
RECIPE = {"batch_size": 4, "learning_rate": 0.01}
SETTINGS = {
    "study": "small",
    "data": {"source": "folder", "path": "raw"},
    "image": {"height": 32, "width": 64},
    "split": {"test_fraction": 0.25, "fractions": [0.25, 0.75]},
    "seeds": [3407],
    "pretext": {"blocks": {**RECIPE, "model": NETWORK, "epochs": 3, "preview_epochs": [1, 3]}},
    "methods": {
        "scratch": {"label": "From scratch", "model": NETWORK},
        "ours": {"label": "Ours", "initialisation": "blocks"},
    },
    "training": {**RECIPE, "epochs": 2},
    "evaluation": {"lpips": "off"},
    "report": {"ours": "ours", "figure_fraction": 0.25, "samples": 1},
    "compute": {"device": "cpu", "precision": "float32", "threads": 1},
}
#: What the files of stages are called; those of the dataset lie in the study's own folder.
DATA = {"index": "index.csv", "problems": "problems.csv", "state": "dataset.txt"}
DATA |= {"images": "images.npy", "labels": "labels.npy", "lpips": "lpips.safetensors"}
MADE = {"weights": "weights.safetensors", "history": "history.csv", "run": "run.json"}
MADE |= {"metrics": "metrics.csv", "predictions": "predictions.npz", "previews": "previews.npz"}
MADE |= {"evaluation": "evaluation.json", "fillers": "fillers.csv", "samples": "samples.npz"}

hypothesis.settings.register_profile("same", deadline=None, max_examples=60, derandomize=True)
hypothesis.settings.load_profile("same")


def pytest_runtest_protocol(item):
    """Make every fixture anew for each test where mutmut notes what code a test runs."""
    if os.environ.get("MUTANT_UNDER_TEST") == "stats":
        return runner.pytest_runtest_protocol(item, None)


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@dataclass(frozen=True)
class Study:
    """A folder of radiographs and a folder in which stages run as the workflow would run them."""

    raw: Path
    out: Path
    own: dict[str, Any] = field(default_factory=dict)

    def __truediv__(self, name: str) -> Path:
        return self.out / name

    def settings(self, **changes: dict) -> Settings:
        """The study's settings with changes, a mapping a section, merged over them."""
        whole = json.loads(json.dumps(SETTINGS))
        update_config(whole, self.own)
        update_config(whole, changes)
        return validate(whole, Settings)

    def split(self, fraction: float = 0.25, seed: int = 3407):
        """Who trains and who tests."""
        held_out = self.settings().split
        return draw_split(read_index(self / "index.csv"), held_out, fraction, seed)

    def pixels(self, name: str, ids) -> np.ndarray:
        """Rows of images.npy or labels.npy."""
        return pixels_of(self / f"{name}.npy", read_index(self / "index.csv"), ids)

    def probability(self, weights: Path, pixels: np.ndarray) -> np.ndarray:
        """What a network of ``ours`` gives as probability of tooth, float32 (N, H, W)."""
        model = self.settings().model_of("ours")
        network = stored_network(model, weights, torch.device("cpu"))
        with evaluating(network):
            logits = network(network_input(model.inputs, to_unit(torch.from_numpy(pixels))))
        return logits.sigmoid()[:, 0].numpy()

    def run(
        self,
        stage: str,
        folder: Path | str = "run",
        *,
        method: str = "ours",
        fraction: float = 0.25,
        seed: int = 3407,
        changes: dict | None = None,
        **files: Any,
    ) -> int:
        """Run a stage as the workflow does, into a folder of the study or another one.

        Of the files that it wants, those that are not given have their usual names.
        """
        run = {"method": method, "fraction": f"{fraction:g}", "seed": str(seed)}
        job = {**run, "runs": [run], "pretext": "blocks", "dataset": "as it is"}
        job |= {"group": method}
        if stage == "evaluate_elsewhere":
            job |= {"elsewhere": "clinic"}
        study = self.settings(**(changes or {}))
        sections = as_values(cut(study, sections_of(stage), job))
        module, function = locate(stage)
        wanted = inspect.signature(getattr(importlib.import_module(module), function)).parameters
        usual = {name: self.out / file for name, file in DATA.items()}
        usual |= {name: self.out / folder / file for name, file in MADE.items()} | {"raw": self.raw}
        usual |= {"home_images": usual["images"], "home_index": usual["index"]}
        if {"runs", "weights"} <= wanted.keys():  # of several trainings
            usual["weights"] = [usual["weights"]]
        needed = [n for n, p in wanted.items() if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
        paths = {name: usual[name] for name in needed if name not in files} | files
        return main(["run", stage, json.dumps(sections), json.dumps(paths, default=_as_text)])


def _as_text(path: Path) -> str:
    return str(path)


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
    """Write radiographs 1.png, 2.png, … to images/, masks of the first `labelled` to masks/.

    With ``first`` they are others, and numbered from there.
    """

    def write(root: Path, count: int, labelled: int | None = None, first: int = 1) -> Path:
        for name in ("images", "masks"):
            (root / name).mkdir(parents=True)
        for number in range(first, first + count):
            image, mask = radiograph(number)
            cv2.imwrite(str(root / "images" / f"{number}.png"), image)
            if labelled is None or number < first + labelled:
                cv2.imwrite(str(root / "masks" / f"{number}.png"), mask)
        return root

    return write


@pytest.fixture(scope="session")
def study(tmp_path_factory, write_folder) -> Study:
    """The study of 13 radiographs, the last without a mask. Write nothing to it."""
    root = tmp_path_factory.mktemp("study")
    finished = Study(write_folder(root / "raw", 13, labelled=12), root / "out")
    assert finished.run("prepare") == 0
    assert finished.run("pretrain", "pretext") == 0
    assert finished.run("train", pretext=finished / "pretext/weights.safetensors") == 0
    assert finished.run("evaluate") == 0
    return finished


@pytest.fixture(scope="session")
def numbered(tmp_path_factory) -> Study:
    """A study that numbers teeth, as ``study`` is one that does not. Write nothing to it."""
    root = tmp_path_factory.mktemp("numbered")
    phantom = {"source": "phantom", "path": None, "phantom": {"images": 12, "height": 64}}
    finished = Study(root / "raw", root / "out", {"task": "numbering", "data": phantom})
    for stage, folder in (("draw_phantom", ""), ("prepare", ""), ("pretrain", "pretext")):
        assert finished.run(stage, folder) == 0
    assert finished.run("train", pretext=finished / "pretext/weights.safetensors") == 0
    assert finished.run("evaluate", numbering=finished / "run/numbering.csv") == 0
    return finished


@pytest.fixture
def real_radiographs() -> Path:
    """Folder of real radiographs, with images/ and masks/."""
    folder = os.environ.get("MASKEDTEETH_RADIOGRAPHS")
    if not folder:
        pytest.skip("MASKEDTEETH_RADIOGRAPHS names no folder with images/ and masks/")
    return Path(folder)
