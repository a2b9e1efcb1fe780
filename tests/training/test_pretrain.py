import json

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.splits import draw_pretext_split
from maskedteeth.fingerprint import fingerprint
from maskedteeth.models.inputs import network_input, probability_of, to_grey, to_unit
from maskedteeth.pretext.guidance import sobel_magnitude
from maskedteeth.pretext.masking import draw_masks, draw_places, hidden_pixels
from maskedteeth.seeds import generator
from maskedteeth.settings.config import Mask
from maskedteeth.training.device import evaluating
from maskedteeth.training.engine import last_steps, shuffled_rows
from maskedteeth.training.pretrain import Reconstruction
from maskedteeth.training.weights import stored_network

CPU = torch.device("cpu")
GREY = Mask(fill=0.25)


def changed(**changes):
    return {"changes": {"pretext": {"blocks": changes}}}


@pytest.fixture(scope="module")
def split(study):
    return draw_pretext_split(read_index(study / "index.csv"), study.settings().split)


def xray_of(study, ids):
    pixels = pixels_of(study / "images.npy", read_index(study / "index.csv"), ids)
    return to_unit(torch.from_numpy(pixels))


@pytest.mark.parametrize("seed", [42, 43])
def test_a_step_hides_blocks_but_no_edges_and_minimises_the_error_of_all_pixels(
    study, split, watch, seed
):
    """Radiographs and blocks each in the order of the seed's own stream."""
    recipe = {"seed": seed, "learning_rate": 1e-9, "mask": {"fill": 0.25}}
    seen, losses, _ = watch("pretrain", **changed(**recipe))
    steps, batch_size, _, height, width = seen.shape
    order = shuffled_rows(len(split.train), steps, 4, generator(seed, "order"))
    stream = generator(seed, "blocks")
    corners = draw_places(GREY, steps * batch_size, height, width, stream)
    errors = []
    for step in range(steps):
        xray = xray_of(study, split.train)[order[step]]
        own = corners[step * batch_size : (step + 1) * batch_size]
        visible = torch.where(hidden_pixels(GREY, own, height, width), 0.25, xray)
        assert torch.equal(seen[step, :, :1], visible)
        assert torch.equal(seen[step, :, 1:], sobel_magnitude(xray))
        errors.append((torch.sigmoid(0.3 * visible) - xray).abs().mean().item())
    ends = last_steps(study.settings().pretext["blocks"], len(split.train))
    epochs = [np.mean(part) for part in np.split(errors, ends[:-1])]
    assert losses == pytest.approx(epochs, rel=1e-5)


def test_previews_show_test_radiographs_their_masking_and_their_edges(study, split):
    previews = np.load(study / "pretext/previews.npz")
    assert set(previews) == {"epochs", "ids", "xray", "masked", "sobel", "generated"}
    assert previews["epochs"].tolist() == [1, 3]
    assert previews["ids"].tolist() == split.test and len(split.test) == 3
    xray = xray_of(study, split.test)
    hidden = draw_masks(Mask(), 3, 32, 64, generator(42, "probes"))
    assert (previews["xray"] == to_grey(xray)).all()
    assert (previews["masked"] == to_grey(torch.where(hidden, 0, xray))).all()
    assert (previews["sobel"] == to_grey(sobel_magnitude(xray))).all()
    assert previews["generated"].shape == (2, 3, 32, 64)
    assert previews["generated"].dtype == np.uint8


def test_the_last_preview_is_what_the_finished_network_reconstructs(study):
    previews = np.load(study / "pretext/previews.npz")
    xray, visible = (to_unit(torch.from_numpy(previews[name])) for name in ("xray", "masked"))
    model = study.settings().model_of("ours")
    network = stored_network(model, study / "pretext/weights.safetensors", CPU)
    with evaluating(network):
        generated = probability_of(network, network_input(model.inputs, xray, visible))
    assert (previews["generated"][1] == to_grey(generated)).all()
    assert (previews["generated"][0] != previews["generated"][1]).any()


def test_what_a_preview_looks_at_does_not_change_the_training(study, tmp_path):
    assert study.run("pretrain", tmp_path, **changed(preview_epochs=[2], probes=1)) == 0
    here, there = (load_file(d / "weights.safetensors") for d in (tmp_path, study / "pretext"))
    assert all(torch.equal(here[name], there[name]) for name in there)
    previews = np.load(tmp_path / "previews.npz")
    assert previews["epochs"].tolist() == [2]
    assert previews["generated"].shape == (1, 1, 32, 64) and previews["generated"].any()


def test_the_run_is_recorded(study, split):
    run = json.loads((study / "pretext/run.json").read_text())
    settings = study.settings().pretext["blocks"].model_dump(mode="json")
    assert run["settings"]["pretext"] == settings
    modules = ("maskedteeth.training.pretrain", "maskedteeth.models.modified_resunet")
    assert run["code"] == fingerprint(*modules)
    assert (run["pretext"], run["seed"], run["steps"]) == ("blocks", 42, 8)
    assert run["trained_on"] == split.train and run["radiographs"] == [10, 32, 64]
    assert "13" in split.train  # the unlabelled one
    assert run["images_per_second"] > 0
    assert set(run["inputs_sha256"]) == {"images", "index", "encoder"}
    assert [stay["precision"] for stay in run["machines"]] == ["float32"]


PATCHES = {"kind": "patches", "size": 8, "ratio": 0.3}


@pytest.mark.parametrize(
    ("pretext", "masked"),
    [
        ({"mask": PATCHES}, 10 / 32),
        ({"mask": PATCHES | {"size": 12}}, None),  # those at the edges are cut off
        ({"mask": {"kind": "none"}}, 0),
        ({"mask": {"fill": 0.25}, "guidance": "masked"}, None),
        ({"mask": PATCHES, "loss": {"over": "masked"}}, 10 / 32),
        ({"loss": {"over": "masked"}, "model": {"inputs": ["xray"]}}, None),
        ({"mask": {"kind": "none"}, "denoise": 0.1, "guidance": "masked"}, None),
    ],
)
def test_every_kind_of_pretext_shows_and_minimises_what_its_settings_say(
    study, split, watch, pretext, masked
):
    seen, losses, _ = watch("pretrain", **changed(learning_rate=1e-9, **pretext))
    order = shuffled_rows(len(split.train), len(seen), 4, generator(42, "order"))
    errors, fill = [], pretext.get("mask", {}).get("fill", 0)
    for rows, batch in zip(order, seen, strict=True):
        xray, visible = xray_of(study, split.train)[rows], batch[:, :1]
        hidden = (visible == fill) & (xray != fill)
        if masked is not None:
            assert (hidden.float().mean((1, 2, 3)) == masked).all()
        if pretext.get("denoise"):
            noise = visible - xray
            assert noise.std().item() == pytest.approx(0.1, rel=0.05)
            assert noise.mean().abs() < 0.01 and visible.min() >= 0 and visible.max() <= 1
        else:
            assert torch.equal(visible, torch.where(hidden, fill, xray))
        if "model" in pretext:
            assert batch.shape[1] == 1
        else:
            edges_of = visible if pretext.get("guidance") == "masked" else xray
            assert torch.equal(batch[:, 1:], sobel_magnitude(edges_of))
        error = (torch.sigmoid(0.3 * visible) - xray).abs()
        errors.append((error[hidden] if "loss" in pretext else error).mean().item())
    ends = last_steps(study.settings().pretext["blocks"], len(split.train))
    epochs = [np.mean(part) for part in np.split(errors, ends[:-1])]
    assert losses == pytest.approx(epochs, rel=1e-5)
    assert not torch.equal(seen[0], seen[3]), "each step has a mask or noise of its own"


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("pretext", [{}, {"mask": PATCHES, "denoise": 0.1, "schedule": "cosine"}])
def test_a_stopped_pretext_goes_on_to_the_same_bits(stop_and_go_on, device, pretext):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    changes = changed(**pretext)["changes"] | {"compute": {"device": device}}
    files = ("weights.safetensors", "history.csv", "previews.npz")
    stop_and_go_on("pretrain", Reconstruction, 5, files, changes=changes)


def test_further_datasets_add_their_radiographs_but_no_copies_of_test_radiographs(
    study, split, tmp_path, radiograph, capsys
):
    size = (64, 32)
    others = [cv2.resize(radiograph(200 + number)[0], size) for number in range(4)]
    tests = pixels_of(study / "images.npy", read_index(study / "index.csv"), split.test)
    np.save(tmp_path / "archive.npy", np.stack([*others, 255 - tests[0], tests[1, :, ::-1]]))
    changes = changed(also_on=["archive"])["changes"]
    changes |= {"datasets": {"archive": {"source": "phantom"}}}
    further = [tmp_path / "archive.npy"]
    assert study.run("pretrain", tmp_path, changes=changes, further=further) == 0
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["also_on"] == {"archive": 4} and run["radiographs"] == [14, 32, 64]
    assert run["trained_on"] == split.train
    assert "6 radiographs of archive, of which 2 are left out" in capsys.readouterr().out
