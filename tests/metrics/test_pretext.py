import numpy as np
import pandas as pd
import pytest
import torch

from maskedteeth.metrics.lpips_weights import fetch_weights
from maskedteeth.metrics.pretext import measure_pretext
from maskedteeth.models.inputs import network_input, probability_of, to_grey, to_unit
from maskedteeth.pretext.masking import draw_masks, hide
from maskedteeth.seeds import generator
from maskedteeth.settings.config import Blocks, Evaluation, Pretext
from maskedteeth.training.device import evaluating
from maskedteeth.training.weights import stored_network

FILLERS = ["composite", "inpainting", "image_mean", "unfilled"]


def run(prepared, out, lpips):
    """Rows of metrics.csv and fillers.csv, and what samples.npz holds."""
    names = "metrics.csv fillers.csv samples.npz evaluation_record.json"
    files = {name.partition(".")[0]: out / name for name in names.split()} | prepared.files
    files.pop("masks")
    pretext = Pretext(model=prepared.model, blocks=Blocks(fill=0.25), seed=44)
    sections = prepared.compute, Evaluation(mask_seed=5), prepared.held_out
    measure_pretext(pretext, *sections, "blocks", lpips=lpips, **files)
    metrics, fillers = (
        pd.read_csv(files[name], dtype={"id": str}) for name in ("metrics", "fillers")
    )
    return metrics, fillers, dict(np.load(files["samples"]))


@pytest.fixture(scope="module")
def without_lpips(tmp_path_factory):
    weights = tmp_path_factory.mktemp("lpips") / "off.safetensors"
    fetch_weights(Evaluation(lpips="off"), weights=weights)
    return weights


@pytest.fixture(scope="module")
def measured(prepared, without_lpips, tmp_path_factory):
    return run(prepared, tmp_path_factory.mktemp("pretext"), without_lpips)


def test_every_test_radiograph_has_a_row_for_the_network_and_for_every_filler(measured):
    metrics, fillers, samples = measured
    assert set(metrics["pretext"]) == set(fillers["pretext"]) == {"blocks"}
    assert list(fillers["filler"].unique()) == FILLERS
    for _, rows in fillers.groupby("filler"):
        assert rows["id"].tolist() == metrics["id"].tolist() == samples["ids"].tolist()
        assert rows["hidden"].tolist() == metrics["hidden"].tolist()
    assert metrics["hidden"].between(0.1, 0.76).all() and metrics["ssim"].between(-1, 1).all()


def test_without_its_weights_lpips_is_blank_and_with_them_it_is_not(
    prepared, measured, alexnet_weights, tmp_path
):
    columns = ["lpips", "lpips_masked"]
    assert measured[0][columns].isna().all(axis=None) and measured[1][columns].isna().all(axis=None)
    metrics, fillers, _ = run(prepared, tmp_path, alexnet_weights)
    assert (metrics[columns] > 0).all(axis=None) and (fillers[columns] > 0).all(axis=None)


def test_the_blocks_are_those_of_the_evaluations_seed_and_the_network_sees_what_they_leave(
    prepared, measured
):
    metrics, _, samples = measured
    xray = to_unit(torch.from_numpy(prepared.rows("images", metrics["id"])))
    hidden = draw_masks(Blocks(), len(xray), 32, 64, generator(5, "probes"))
    visible = hide(xray, hidden, Blocks(fill=0.25))
    network = stored_network(prepared.model, prepared.files["weights"], torch.device("cpu"))
    with evaluating(network):
        generated = probability_of(network, network_input(("xray", "sobel"), xray, visible))
    pictures = {"xray": xray, "masked": visible, "generated": generated}
    pictures["sobel"] = network_input(("sobel",), xray)  # of the unmasked radiograph
    for name, picture in pictures.items():
        np.testing.assert_allclose(samples[name], to_grey(picture), atol=int(name == "generated"))
    share = hidden.float().mean((1, 2, 3))
    np.testing.assert_allclose(metrics["hidden"], share, atol=1e-6)
    l1 = (generated - xray).abs()
    np.testing.assert_allclose(metrics["l1"], l1.mean((1, 2, 3)), atol=1e-5)
    np.testing.assert_allclose(
        metrics["l1_masked"], [one[m].mean() for one, m in zip(l1, hidden, strict=True)], atol=1e-5
    )


def test_fillers_are_wrong_only_where_masked(measured):
    metrics, fillers, samples = measured
    assert fillers["l1"].to_numpy() == pytest.approx(
        (fillers["hidden"] * fillers["l1_masked"]).to_numpy(), abs=2e-6
    )
    assert (metrics["l1"] > metrics["hidden"] * metrics["l1_masked"] + 1e-3).all()
    by_name = {name: rows.reset_index() for name, rows in fillers.groupby("filler")}
    assert (by_name["composite"]["l1_masked"] == metrics["l1_masked"]).all()
    l1 = np.abs(samples["masked"].astype(float) - samples["xray"]).mean((1, 2)) / 255
    assert by_name["unfilled"]["l1"].to_numpy() == pytest.approx(l1, abs=2e-3)
