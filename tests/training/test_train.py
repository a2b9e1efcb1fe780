import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.fingerprint import fingerprint
from maskedteeth.models.inputs import network_input, to_unit
from maskedteeth.seeds import generator
from maskedteeth.training.engine import last_steps, shuffled_rows
from maskedteeth.training.losses import segmentation_loss
from maskedteeth.training.weights import new_network

ONE_TINY_STEP = {"epochs": 1, "batch_size": 16, "learning_rate": 1e-12}


@pytest.fixture
def train(study, tmp_path):
    """Train into a folder of its own, after the pretext where told so; return the folder."""

    def run(name="run", after_pretext=False, training=None, **options):
        pretext = {"pretext": study / "pretext/weights.safetensors"} if after_pretext else {}
        options.setdefault("changes", {"training": training or {}})
        assert study.run("train", tmp_path / name, **pretext, **options) == 0
        return tmp_path / name

    return run


def weights_of(folder):
    return load_file(folder / "weights.safetensors")


@pytest.mark.parametrize(("fraction", "seed"), [(0.25, 3407), (0.75, 3407), (0.75, 1)])
def test_a_step_sees_a_batch_in_the_seeds_order_and_minimises_the_weighted_loss(
    study, watch, fraction, seed
):
    """Of the seed's own subset; edges beside the radiograph; weights that cannot be exchanged."""
    recipe = {"dice_weight": 2.0, "bce_weight": 0.5, "learning_rate": 1e-9}
    run = {"fraction": fraction, "seed": seed, "changes": {"training": recipe}}
    seen, losses, _ = watch("train", **run)
    rows, split = read_index(study / "index.csv"), study.split(fraction, seed)
    order = shuffled_rows(len(split.train), len(seen), 4, generator(seed, "order"))
    pixels, truth = (
        pixels_of(study / f"{name}.npy", rows, split.train)[order] for name in ("images", "masks")
    )
    expected = []
    for batch, radiographs, mask in zip(seen, pixels, truth, strict=True):
        xray = to_unit(torch.from_numpy(radiographs))
        assert torch.equal(batch, network_input(("xray", "sobel"), xray))
        target = torch.from_numpy(mask).unsqueeze(1).float()
        loss = segmentation_loss(0.3 * batch[:, :1], target, dice_weight=2.0, bce_weight=0.5)
        expected.append(loss.item())
    ends = last_steps(study.settings().training, split.pool)
    epochs = [np.mean(part) for part in np.split(expected, ends[:-1])]
    assert losses == pytest.approx(epochs, rel=1e-5)


@pytest.mark.parametrize("stage", ["pretrain", "train"])
def test_the_network_runs_in_the_precision_of_the_settings(watch, stage):
    for precision, autocast in {"bfloat16": True, "float32": False}.items():
        _, _, network = watch(stage, changes={"compute": {"precision": precision}})
        assert network.autocast == {autocast}


@pytest.mark.parametrize("seed", [3407, 1])
def test_a_training_from_scratch_starts_from_the_weights_of_its_seed(study, train, seed):
    after = weights_of(train(seed=seed, training=ONE_TINY_STEP))
    start = new_network(study.settings().model_of("ours"), seed, torch.device("cpu"))
    for name, parameter in start.named_parameters():
        assert torch.allclose(after[name], parameter, atol=1e-6), name


def test_a_training_after_a_pretext_starts_from_all_of_its_weights(study, train):
    start = load_file(study / "pretext/weights.safetensors")
    random = weights_of(train("random", training=ONE_TINY_STEP))
    after = weights_of(train("after", after_pretext=True, seed=5, training=ONE_TINY_STEP))
    assert torch.initial_seed() == 5  # of what the network still draws, such as dropout
    parameters = [name for name in start if "running" not in name and "num_b" not in name]
    assert "head.weight" in parameters and "head.bias" in parameters
    for name in parameters:
        assert torch.allclose(after[name], start[name], atol=1e-6), name
    assert not torch.allclose(random["head.weight"], start["head.weight"], atol=1e-3)
    # The statistics of the normalisations go on from the pretext's, too.
    batches = "encoder.0.norm1.num_batches_tracked"
    assert after[batches] == start[batches] + random[batches]


@pytest.mark.parametrize("budget", ["equal-steps", "equal-epochs"])
def test_every_fraction_trains_as_many_steps_as_the_budget_says(study, train, budget):
    for fraction in (0.25, 0.75):
        folder = train(str(fraction), training={"budget": budget}, fraction=fraction)
        split = study.split(fraction)
        epoch = split.pool if budget == "equal-steps" else len(split.train)
        steps = json.loads((folder / "run.json").read_text())["steps"]
        assert steps == -(-2 * epoch // 4) == pd.read_csv(folder / "history.csv")["step"].max()
    assert len(study.split(0.25).train) == 3 and study.split(0.25).pool == 9


def test_the_same_settings_give_the_same_bytes_and_another_seed_others(study, train):
    again, other = train("again", after_pretext=True), train("other", after_pretext=True, seed=1)
    for name in ("weights.safetensors", "history.csv"):
        first = (study / "run" / name).read_bytes()
        assert (again / name).read_bytes() == first, name
        assert (other / name).read_bytes() != first, name


def test_the_loss_falls_when_teeth_are_learned(train):
    losses = pd.read_csv(train(fraction=0.75, training={"epochs": 8}) / "history.csv")["loss"]
    assert losses.iloc[-1] < 0.8 * losses[0]


def test_the_run_is_recorded(study):
    run = json.loads((study / "run/run.json").read_text())
    modules = ("maskedteeth.training.train", "maskedteeth.models.modified_resunet")
    assert run["code"] == fingerprint(*modules)
    settings = study.settings().model_dump(mode="json")
    assert run["settings"]["training"] == settings["training"]
    assert run["settings"]["model"] == settings["pretext"]["blocks"]["model"]
    assert run["settings"]["held_out"] == {
        name: settings["split"][name] for name in ("protocol", "test_fraction", "test_seed")
    }
    about = [run[name] for name in ("method", "fraction", "seed", "radiographs", "trained_on")]
    assert about == ["ours", 0.25, 3407, [3, 32, 64], study.split().train]
    assert run["images_per_second"] == pytest.approx(20 / run["training_seconds"], abs=200)
    assert set(run["inputs_sha256"]) == {"images", "masks", "index", "pretext"}
    assert [stay["precision"] for stay in run["machines"]] == ["float32"]


def test_a_training_that_diverges_leaves_no_weights(study, tmp_path, capsys):
    changes = {"training": {"dice_weight": 1e308, "bce_weight": 1e308}}
    assert study.run("train", tmp_path, changes=changes) == 2
    assert not list(tmp_path.iterdir())
    assert "The loss is" in capsys.readouterr().err


def test_a_library_network_trains_from_settings_alone(train):
    model = {"architecture": "fpn", "encoder": "resnet18", "inputs": ["xray"]}
    changes = {
        "methods": {"library": {"label": "Library", "model": model}},
        "training": {"epochs": 1},
    }
    folder = train(method="library", changes=changes)
    assert any("decoder" in name for name in weights_of(folder))
    run = json.loads((folder / "run.json").read_text())
    assert run["code"] == fingerprint("maskedteeth.training.train", "maskedteeth.models.baselines")
