import json

import numpy as np
import pandas as pd
import pytest
import torch

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.splits import draw_pretext_split
from maskedteeth.fingerprint import fingerprint
from maskedteeth.models.inputs import network_input, probability_of, to_grey, to_unit
from maskedteeth.pretext.masking import draw_masks
from maskedteeth.seeds import generator
from maskedteeth.settings.config import Mask
from maskedteeth.training.device import evaluating
from maskedteeth.training.weights import stored_network

FILLERS = ["composite", "inpainting", "image_mean", "unfilled"]
#: Two seeds that mean different blocks, blocks that are no black, a precision for training alone.
CHANGES = {"evaluation": {"mask_seed": 5}, "pretext": {"blocks": {"seed": 44}}}
CHANGES["compute"] = {"precision": "bfloat16"}
CHANGES["pretext"]["blocks"]["mask"] = {"fill": 0.25}


def measure(study, out, lpips):
    """Rows of metrics.csv and fillers.csv, and what samples.npz holds."""
    files = {"lpips": lpips, "weights": study / "pretext/weights.safetensors"}
    assert study.run("measure_pretext", out, changes=CHANGES, **files) == 0
    rows = (pd.read_csv(out / f"{name}.csv", dtype={"id": str}) for name in ("metrics", "fillers"))
    return *rows, dict(np.load(out / "samples.npz"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pretext")


@pytest.fixture(scope="module")
def measured(study, folder):
    assert study.run("lpips_weights", weights=folder / "off.safetensors") == 0
    return measure(study, folder, folder / "off.safetensors")


def test_every_test_radiograph_has_a_row_for_the_network_and_for_every_filler(study, measured):
    metrics, fillers, samples = measured
    test = draw_pretext_split(read_index(study / "index.csv"), study.settings().split).test
    assert metrics["id"].tolist() == samples["ids"].tolist() == test
    assert set(metrics["pretext"]) == set(fillers["pretext"]) == {"blocks"}
    assert list(fillers["filler"].unique()) == FILLERS
    for _, rows in fillers.groupby("filler"):
        assert rows["id"].tolist() == test
        assert rows["hidden"].tolist() == metrics["hidden"].tolist()
    assert metrics["hidden"].between(0.1, 0.76).all() and metrics["ssim"].between(-1, 1).all()
    scores = [
        f"{name}{kind}" for name in ("ssim", "fsim", "l1", "lpips") for kind in ("", "_masked")
    ]
    assert set(metrics) == {"pretext", "id", "hidden", *scores} == set(fillers) - {"filler"}
    assert set(samples) == {"ids", "xray", "masked", "sobel", "generated"}


@pytest.mark.usefixtures("measured")
def test_the_measurement_is_recorded(study, folder):
    said = json.loads((folder / "evaluation.json").read_text())
    run = json.loads((study / "pretext/run.json").read_text())
    sections = {"pretext", "compute", "mask_seed", "held_out", "pretext_name"}
    assert set(said["settings"]) == sections
    assert said["settings"]["mask_seed"] == 5 and said["precision"] == "float32"
    assert set(said["inputs_sha256"]) == {"images", "index", "weights", "lpips"}
    assert said["inputs_sha256"]["index"] == run["inputs_sha256"]["index"]
    modules = ("maskedteeth.metrics.pretext", "maskedteeth.models.modified_resunet")
    assert said["code"] == fingerprint(*modules) and said["pretext"] == "blocks"
    assert said["weights_sha256"] == run["weights_sha256"]


def test_without_its_weights_lpips_is_blank_and_with_them_it_is_not(
    study, measured, alexnet_weights, tmp_path
):
    columns = ["lpips", "lpips_masked"]
    assert measured[0][columns].isna().all(axis=None)
    assert measured[1][columns].isna().all(axis=None)
    metrics, fillers, _ = measure(study, tmp_path, alexnet_weights)
    assert (metrics[columns] > 0).all(axis=None) and (fillers[columns] > 0).all(axis=None)


def test_the_blocks_are_those_of_the_evaluations_seed_and_the_network_sees_what_they_leave(
    study, measured
):
    metrics, _, samples = measured
    pixels = pixels_of(study / "images.npy", read_index(study / "index.csv"), metrics["id"])
    xray = to_unit(torch.from_numpy(pixels))
    hidden = draw_masks(Mask(), len(xray), 32, 64, generator(5, "probes"))
    visible = torch.where(hidden, 0.25, xray)
    weights, model = study / "pretext/weights.safetensors", study.settings().model_of("ours")
    network = stored_network(model, weights, torch.device("cpu"))
    with evaluating(network):
        generated = probability_of(network, network_input(("xray", "sobel"), xray, visible))
    pictures = {"xray": xray, "masked": visible, "generated": generated}
    pictures["sobel"] = network_input(("sobel",), xray)  # of the unmasked radiograph
    for name, picture in pictures.items():
        np.testing.assert_allclose(samples[name], to_grey(picture), atol=int(name == "generated"))
    np.testing.assert_allclose(metrics["hidden"], hidden.float().mean((1, 2, 3)), atol=1e-6)
    l1 = (generated - xray).abs()
    np.testing.assert_allclose(metrics["l1"], l1.mean((1, 2, 3)), atol=1e-5)
    masked = [one[mask].mean() for one, mask in zip(l1, hidden, strict=True)]
    np.testing.assert_allclose(metrics["l1_masked"], masked, atol=1e-5)


def test_fillers_are_wrong_only_where_masked(measured):
    metrics, fillers, samples = measured
    np.testing.assert_allclose(fillers["l1"], fillers["hidden"] * fillers["l1_masked"], atol=2e-6)
    assert (metrics["l1"] > metrics["hidden"] * metrics["l1_masked"] + 1e-3).all()
    by_name = {name: rows.reset_index() for name, rows in fillers.groupby("filler")}
    assert (by_name["composite"]["l1_masked"] == metrics["l1_masked"]).all()
    l1 = np.abs(samples["masked"].astype(float) - samples["xray"]).mean((1, 2)) / 255
    np.testing.assert_allclose(by_name["unfilled"]["l1"], l1, atol=2e-3)


def test_a_pretext_that_masks_nothing_is_measured_over_all_pixels_beside_what_it_sees(
    study, folder, measured, tmp_path
):
    pretext = {"mask": {"kind": "none"}, "denoise": 0.1, "model": {"inputs": ["xray"]}}
    files = {"changes": {"pretext": {"blocks": pretext}}, "lpips": folder / "off.safetensors"}
    assert study.run("pretrain", tmp_path, changes=files["changes"]) == 0
    assert study.run("measure_pretext", tmp_path, **files) == 0
    metrics, fillers = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("metrics", "fillers"))
    assert (metrics["hidden"] == 0).all() and metrics["ssim"].notna().all()
    assert metrics.filter(like="_masked").isna().all(axis=None)
    assert set(fillers["filler"]) == {"unfilled"}
    noise = 0.1 * np.sqrt(2 / np.pi)
    np.testing.assert_allclose(fillers["l1"], noise, rtol=0.05)
    samples = np.load(tmp_path / "samples.npz")
    assert set(samples) == {"ids", "xray", "input", "generated"}
    l1 = np.abs(samples["input"].astype(float) - samples["xray"]).mean((1, 2)) / 255
    np.testing.assert_allclose(l1, fillers["l1"], atol=2e-3)
