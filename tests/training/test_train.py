import hashlib
import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from maskedteeth.data.annotations import with_errors
from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.fingerprint import fingerprint
from maskedteeth.models.inputs import network_input, to_unit
from maskedteeth.seeds import generator
from maskedteeth.settings.config import Annotations, HeldOut
from maskedteeth.settings.sections import as_values
from maskedteeth.training.engine import last_steps, shuffled_rows
from maskedteeth.training.losses import segmentation_loss
from maskedteeth.training.segmentation import Segmentation
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


@pytest.mark.parametrize("budget", ["equal-steps", "equal-epochs"])
@pytest.mark.parametrize(("fraction", "seed"), [(0.25, 3407), (0.75, 3407), (0.25, 1)])
def test_a_step_sees_a_batch_in_the_seeds_order_and_minimises_the_weighted_loss(
    study, watch, budget, fraction, seed
):
    """Of the seed's own subset; edges beside the radiograph; weights that cannot be exchanged."""
    recipe = {"dice_weight": 2.0, "bce_weight": 0.5, "learning_rate": 1e-9, "budget": budget}
    run = {"fraction": fraction, "seed": seed, "changes": {"training": recipe}}
    seen, losses, _ = watch("train", **run)
    rows, split = read_index(study / "index.csv"), study.split(fraction, seed)
    assert (len(split.train), split.pool) == (round(fraction * 12), 9)
    order = shuffled_rows(len(split.train), len(seen), 4, generator(seed, "order"))
    pixels, truth = (
        pixels_of(study / f"{name}.npy", rows, split.train)[order] for name in ("images", "labels")
    )
    expected = []
    for batch, radiographs, mask in zip(seen, pixels, truth, strict=True):
        xray = to_unit(torch.from_numpy(radiographs))
        assert torch.equal(batch, network_input(("xray", "sobel"), xray))
        target = torch.from_numpy(mask > 0).unsqueeze(1).float()
        loss = segmentation_loss(0.3 * batch[:, :1], target, dice_weight=2.0, bce_weight=0.5)
        expected.append(loss.item())
    epoch = split.pool if budget == "equal-steps" else len(split.train)
    ends = last_steps(study.settings().training, epoch)
    assert ends[-1] == len(seen)
    epochs = [np.mean(part) for part in np.split(expected, ends[:-1])]
    assert losses == pytest.approx(epochs, rel=1e-5)


def test_a_training_sees_the_wrong_annotations_of_its_seed(study, watch):
    """With all three radiographs in each batch, every step has the loss of the wrong ones."""
    errors = {"drop": 0.4, "shift": 2}
    changes = {"methods": {"ours": {"annotations": errors}}}
    recipe = {"batch_size": 3, "learning_rate": 1e-9, "budget": "equal-epochs"}
    seen, losses, _ = watch("train", changes=changes | {"training": recipe})
    rows, ids = read_index(study / "index.csv"), study.split().train
    pixels, right = (pixels_of(study / f"{n}.npy", rows, ids) for n in ("images", "labels"))
    xray, order = to_unit(torch.from_numpy(pixels)), []
    for picture in seen[0, :, :1]:
        order += [n for n, one in enumerate(xray) if torch.equal(one, picture)]
    wrong = with_errors(right, ids, Annotations(**errors), 3407)
    assert (wrong != right).any()
    target = torch.from_numpy(wrong[order] > 0).unsqueeze(1).float()
    expected = segmentation_loss(0.3 * xray[order], target, 0.7, 0.3).item()
    assert losses == pytest.approx([expected] * len(losses), rel=1e-5)


@pytest.mark.parametrize("stage", ["pretrain", "train"])
def test_the_network_runs_in_the_precision_of_the_settings(watch, stage):
    for precision, autocast in {"bfloat16": True, "float32": False}.items():
        _, _, network = watch(stage, changes={"compute": {"precision": precision}})
        assert network.autocast == {autocast}


@pytest.mark.parametrize("seed", [42, 43])
@pytest.mark.parametrize("stage", ["pretrain", "train"])
def test_a_training_starts_from_the_weights_of_its_seed(study, tmp_path, stage, seed):
    pretext = ONE_TINY_STEP | {"seed": seed, "preview_epochs": [1]}
    changes = {"training": ONE_TINY_STEP, "pretext": {"blocks": pretext}}
    assert study.run(stage, tmp_path, seed=seed, changes=changes) == 0
    after = weights_of(tmp_path)
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


def test_light_augmentation_changes_each_step_and_a_stopped_training_goes_on_to_the_same_bits(
    watch, stop_and_go_on
):
    recipe = {"training": {"augment": "light", "schedule": "cosine"}}
    (light, *_), (plain, *_) = (watch("train", changes=change) for change in (recipe, {}))
    assert all(len({image[0].numpy().tobytes() for image in batch}) == 4 for batch in light)
    assert (light - plain)[:, :, 0].abs().mean() > 0.005
    stop_and_go_on("train", Segmentation, 2, changes=recipe)


@pytest.mark.parametrize("budget", ["equal-steps", "equal-epochs"])
@pytest.mark.parametrize("own", [{}, {"adversary": {"widths": [4]}}])
def test_a_method_instead_of_a_pretext_trains_as_many_steps_longer(study, train, budget, own):
    """Also where batches differ, and the pretext sees a radiograph without annotation."""
    longer = {"like": "scratch", "label": "Longer", "instead_of": "blocks", **own}
    training = {"batch_size": 2, "budget": budget, "schedule": "cosine", "augment": "light"}
    changes = {"training": training, "methods": {"longer": longer}}
    pretext = study / "pretext/run.json"
    folders = {
        "pretext": pretext.parent,
        "plain": train("plain", changes=changes),
        "longer": train("longer", method="longer", changes=changes, instead_of=pretext),
    }
    steps = {n: json.loads((f / "run.json").read_text())["steps"] for n, f in folders.items()}
    assert steps == {
        "pretext": 3 * 10 // 4 + 1,  # nine radiographs that train, and one without annotation
        "plain": (plain := {"equal-steps": 9, "equal-epochs": 3}[budget]),
        "longer": plain + 8,
    }
    history = pd.read_csv(folders["longer"] / "history.csv")
    assert history["step"].iloc[-1] == plain + 8 and history["loss"].notna().all()
    assert list(history["epoch"]) == list(range(1, len(history) + 1))


def test_a_methods_own_training_says_in_what_it_differs_from_the_studys(study, train):
    own = {"like": "scratch", "label": "Own", "training": {"schedule": "cosine", "epochs": 1}}
    more = {"label": "More", "training": {"augment": "light"}}
    changes = {"methods": {"own": own, "more": {"like": "own", **more}}}
    trained = {
        method: json.loads((train(method, method=method, changes=changes) / "run.json").read_text())
        for method in ("scratch", "own", "more")
    }
    plain, own, more = (record["settings"]["training"] for record in trained.values())
    assert plain == study.settings().training.model_dump() | {"more_steps": 0}
    assert own == plain | {"schedule": "cosine", "epochs": 1}
    assert more == own | {"augment": "light"}


def test_a_training_that_numbers_teeth_takes_all_but_the_last_layer_and_says_so(
    numbered, tmp_path, capsys
):
    pretext = numbered / "pretext/weights.safetensors"
    changes = {"training": ONE_TINY_STEP}
    assert numbered.run("train", tmp_path, pretext=pretext, changes=changes) == 0
    assert f"from {pretext}: bottleneck (" in (said := capsys.readouterr().err)
    assert "Initialised at random: head (297 numbers)." in said
    start, after = load_file(pretext), weights_of(tmp_path)
    assert start["head.weight"].shape[0] == 1 and after["head.weight"].shape[0] == 33
    for name, tensor in start.items():
        if not name.startswith("head") and "running" not in name and "num_b" not in name:
            assert torch.allclose(after[name], tensor, atol=1e-6), name


def test_radiographs_without_numbers_cannot_teach_them(study, tmp_path, capsys):
    assert study.run("train", tmp_path, changes={"task": "numbering"}) == 2
    said = capsys.readouterr().err
    assert "None of the 3 radiographs for training has a tooth of known number" in said


def test_the_loss_falls_when_teeth_are_learned_and_radiographs_reconstructed(
    study, numbered, train, tmp_path
):
    options = {"fraction": 0.75, "changes": {"training": {"epochs": 8}}}
    assert numbered.run("train", tmp_path / "numbers", **options) == 0
    segmented = train(**options)
    for folder in (segmented, tmp_path / "numbers", study / "pretext"):
        losses = pd.read_csv(folder / "history.csv")["loss"]
        assert losses.iloc[-1] < 0.85 * losses[0]


def test_the_run_is_recorded(study):
    run = json.loads((study / "run/run.json").read_text())
    modules = ("maskedteeth.training.train", "maskedteeth.models.modified_resunet")
    modules += ("maskedteeth.tasks.teeth", "maskedteeth.training.segmentation")
    assert run["code"] == fingerprint(*modules)
    settings = study.settings()
    training = settings.training.model_dump() | {"more_steps": 0}
    sections = {"training": training, "model": settings.model_of("ours"), "seed": 3407}
    sections |= {"held_out": HeldOut(test_fraction=0.25), "fraction": 0.25, "transfer": "all"}
    sections["task"] = "teeth"
    compute = {"device": "cpu", "precision": "float32", "threads": 1}
    sections |= {"annotations": None, "adversary": None}
    assert run["settings"] == as_values(sections) | {"compute": compute}
    about = [run[name] for name in ("method", "fraction", "seed", "radiographs", "trained_on")]
    assert about == ["ours", 0.25, 3407, [3, 32, 64], study.split().train]
    assert run["steps"] == 5 and run["images_per_second"] > 0
    network = new_network(settings.model_of("ours"), 0, torch.device("cpu"))
    assert run["parameters"] == sum(p.numel() for p in network.parameters())
    assert set(run["inputs_sha256"]) == {"images", "labels", "index", "pretext", "encoder"}
    assert [stay["precision"] for stay in run["machines"]] == ["float32"]
    weights = (study / "run/weights.safetensors").read_bytes()
    assert run["weights_sha256"] == hashlib.sha256(weights).hexdigest()


def test_a_library_network_trains_from_settings_alone(train):
    model = {"architecture": "fpn", "encoder": "resnet18", "inputs": ["xray"]}
    methods = {"library": {"label": "Library", "model": model}}
    folder = train(method="library", changes={"methods": methods})
    assert any("decoder" in name for name in weights_of(folder))
    run = json.loads((folder / "run.json").read_text())
    modules = ("training.train", "models.baselines", "tasks.teeth", "training.segmentation")
    assert run["code"] == fingerprint(*(f"maskedteeth.{name}" for name in modules))


def test_the_record_says_what_the_radiographs_were_like(study):
    record = json.loads((study / "run/run.json").read_text())
    pixels = pixels_of(study / "images.npy", read_index(study / "index.csv"), record["trained_on"])
    levels = [np.percentile(one, (5, 25, 50, 75, 95)) for one in pixels]
    assert record["look"] == {
        "source": "folder",
        "proportions": [2, 2],
        "grey_levels": np.transpose([np.min(levels, 0), np.max(levels, 0)]).tolist(),
    }
