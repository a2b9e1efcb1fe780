import json

import pytest
import torch
from maskedteeth.settings.jobs import TrainJob
from safetensors.torch import load_file

from maskedteeth.files import read_csv
from maskedteeth.fingerprint import fingerprint

TINY_STEP = {"epochs": 1, "learning_rate": 1e-12}


def train(study, folder, settings=None, **inputs):
    """Train into a folder of its own; return its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {"weights": "weights.safetensors", "history": "history.csv", "run": "run.json"}
    files = {flag: folder / name for flag, name in names.items()}
    assert study.run("train", settings, **files, **inputs) == 0
    return load_file(files["weights"])


@pytest.fixture
def pretext(study):
    return study / "pretext/weights.safetensors"


def test_a_training_after_a_pretext_starts_from_all_of_its_weights(study, pretext, tmp_path):
    start = load_file(pretext)
    after = train(study, tmp_path / "after", TINY_STEP, pretext=pretext)
    random = train(study, tmp_path / "random", TINY_STEP)
    parameters = [name for name in start if "running" not in name and "num_b" not in name]
    assert "head.weight" in parameters and "head.bias" in parameters
    for name in parameters:
        assert torch.allclose(after[name], start[name], atol=1e-6), name
    assert not torch.allclose(random["head.weight"], start["head.weight"], atol=1e-3)
    # The statistics of the normalisations go on from the pretext's, too.
    batches = "encoder.0.norm1.num_batches_tracked"
    assert after[batches] == start[batches] + random[batches]


def test_every_fraction_trains_the_same_number_of_steps_unless_told_otherwise(study, tmp_path):
    steps = {}
    for budget in ("equal-steps", "equal-epochs"):
        for fraction in (0.25, 0.75):
            folder = tmp_path / f"{budget}-{fraction}"
            split = study / ("split.json" if fraction == 0.25 else "split-0.75.json")
            train(study, folder, {"fraction": fraction, "budget": budget}, split=split)
            run = json.loads((folder / "run.json").read_text())
            steps[budget, fraction] = run["steps"]
            assert int(read_csv(folder / "history.csv")[-1]["step"]) == run["steps"]
    split = json.loads((study / "split.json").read_text())
    pool, small = split["pool"], len(split["train"])
    assert steps["equal-steps", 0.25] == steps["equal-steps", 0.75] == -(-2 * pool // 4)
    assert steps["equal-epochs", 0.25] == -(-2 * small // 4)
    assert steps["equal-epochs", 0.75] == steps["equal-steps", 0.75]


def test_the_run_is_recorded(study):
    run = json.loads((study / "run.json").read_text())
    assert TrainJob.model_validate(run["settings"]) == TrainJob.model_validate(
        study.settings("train")
    )
    modules = ("maskedteeth.training.train", "maskedteeth.models.modified_resunet")
    assert run["code"] == fingerprint(*modules)
    assert (run["seed"], run["radiographs"]) == (3407, [3, 32, 64])
    assert run["seconds"] > 0 and run["images_per_second"] > 0 and run["peak_memory_mib"] > 0
    assert run["device_type"] == "cpu" and run["precision"] == "float32"
    assert "torch" in run["packages"] and "git_commit" in run
    assert set(run["inputs_sha256"]) == {"images", "masks", "index", "split", "pretext"}


def test_the_same_settings_give_the_same_bytes_and_another_seed_others(study, pretext, tmp_path):
    train(study, tmp_path / "again", pretext=pretext)
    train(study, tmp_path / "other", {"seed": 1}, pretext=pretext)
    for name in ("weights.safetensors", "history.csv"):
        first = (study / name).read_bytes()
        assert (tmp_path / "again" / name).read_bytes() == first, name
        assert (tmp_path / "other" / name).read_bytes() != first, name


def test_the_loss_falls_when_teeth_are_learned(study, tmp_path):
    settings = {"fraction": 0.75, "epochs": 8}
    train(study, tmp_path, settings, split=study / "split-0.75.json")
    losses = [float(row["loss"]) for row in read_csv(tmp_path / "history.csv")]
    assert losses[-1] < 0.8 * losses[0]


def test_only_the_radiographs_of_the_fraction_are_seen(study, tmp_path):
    """Spoil every radiograph outside the subset: the weights stay the same to the bit."""
    import numpy as np

    subset = json.loads((study / "split.json").read_text())["train"]
    outside = [row["id"] not in subset for row in read_csv(study / "index.csv")]
    spoiled = {}
    for name in ("images", "masks"):
        array = np.load(study / f"{name}.npy")
        array[outside] = 1 - array[outside] % 2
        spoiled[name] = tmp_path / f"{name}.npy"
        np.save(spoiled[name], array)
    train(study, tmp_path / "spoiled", **spoiled)
    train(study, tmp_path / "clean")
    files = (tmp_path / name / "weights.safetensors" for name in ("spoiled", "clean"))
    assert next(files).read_bytes() == next(files).read_bytes()


def test_a_pretext_of_another_network_is_refused(study, pretext, tmp_path, capsys):
    settings = {"model": study.settings("train")["model"] | {"widths": [4, 8, 16]}}
    status = study.run("train", settings, pretext=pretext, weights=tmp_path / "w.safetensors")
    assert status == 2 and not (tmp_path / "w.safetensors").exists()
    assert "is of another architecture" in capsys.readouterr().err


def test_a_fraction_that_was_not_drawn_is_refused_by_name(study, tmp_path, capsys):
    assert study.run("train", {"fraction": 0.5}, weights=tmp_path / "w.safetensors") == 2
    sentence = "split.json has no fraction 0.5, only 0.25; run split again."
    assert sentence in capsys.readouterr().err


def test_a_training_that_diverges_leaves_no_weights(study, tmp_path, capsys):
    import numpy as np

    images = tmp_path / "images.npy"
    np.save(images, np.load(study / "images.npy"))
    settings = {"dice_weight": 1e308, "bce_weight": 1e308}
    assert study.run("train", settings, weights=tmp_path / "w.safetensors") == 2
    assert not (tmp_path / "w.safetensors").exists()
    assert "The loss is" in capsys.readouterr().err


def test_a_subset_with_empty_masks_only_is_refused_before_it_trains(study, tmp_path, capsys):
    import numpy as np

    np.save(tmp_path / "masks.npy", 0 * np.load(study / "masks.npy"))
    files = {"masks": tmp_path / "masks.npy", "weights": tmp_path / "w.safetensors"}
    assert study.run("train", **files) == 2
    printed = capsys.readouterr().err
    assert "All 3 radiographs that train at fraction 0.25 with seed 3407" in printed
    assert "epoch" not in printed and not files["weights"].exists()


def test_fewer_radiographs_than_a_batch_train_and_say_so(study, tmp_path, capsys):
    train(study, tmp_path, {"batch_size": 8})
    assert "Only 3 radiographs train, fewer than a batch (8)" in capsys.readouterr().err
    assert json.loads((tmp_path / "run.json").read_text())["steps"] == 3


@pytest.mark.parametrize("architecture", ["deeplabv3", "pan"])
def test_a_batch_too_small_to_normalise_is_a_sentence(study, tmp_path, capsys, architecture):
    model = {"architecture": architecture, "encoder": "resnet18", "inputs": ["xray"]}
    settings = {"model": model, "batch_size": 1}
    assert study.run("train", settings, weights=tmp_path / "w.safetensors") == 2
    assert "set batch_size to 2 or more" in capsys.readouterr().err


def test_a_library_network_trains_from_settings_alone(study, tmp_path):
    model = {"architecture": "fpn", "encoder": "resnet18", "inputs": ["xray"]}
    weights = train(study, tmp_path, {"model": model, "epochs": 1, "batch_size": 2})
    assert any("decoder" in name for name in weights)
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["code"] == fingerprint("maskedteeth.training.train", "maskedteeth.models.baselines")
