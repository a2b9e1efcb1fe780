import json

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import cdist
from sklearn import metrics as sklearn

from maskedteeth.fingerprint import fingerprint
from maskedteeth.report.tables.numbering import scored
from maskedteeth.training.weights import new_network, save_weights


def read(folder):
    """Rows of metrics.csv and, of each, the probability of tooth as it was kept."""
    rows = pd.read_csv(folder / "metrics.csv", dtype={"id": str})
    return rows, np.load(folder / "predictions.npz")["probability"]


@pytest.fixture
def again(study, tmp_path):
    """Evaluate the finished training again, with other settings, fraction or weights."""

    def evaluate(**options):
        options = {"weights": [study / "run/weights.safetensors"], **options}
        assert study.run("evaluate", tmp_path, **options) == 0
        return read(tmp_path)

    return evaluate


@pytest.fixture(scope="module")
def measured(study):
    return read(study / "run")


def test_every_test_radiograph_has_a_row_that_says_of_which_run_it_is(study, measured):
    rows, _ = measured
    columns = "method fraction seed id tp fp fn tn dice jaccard precision recall nsd hd95"
    assert list(rows) == columns.split() and len(rows) == 3
    assert rows["id"].tolist() == study.split().test
    assert set(zip(rows["method"], rows["fraction"], rows["seed"], strict=True)) == {
        ("ours", 0.25, 3407)
    }


def test_metrics_can_be_recomputed_from_the_predictions_that_are_kept(study, measured):
    """128 of 256 stands for probabilities from 0.5 on: quantising moves no pixel across it."""
    rows, probabilities = measured
    truths = study.pixels("labels", rows["id"])
    for (_, row), probability, truth in zip(rows.iterrows(), probabilities, truths, strict=True):
        assert probability.dtype == np.uint8 and probability.shape == (32, 64)
        masks = probability >= 128, truth.astype(bool)
        found, actual = (mask.ravel() for mask in masks)
        (tn, fp), (fn, tp) = sklearn.confusion_matrix(actual, found, labels=[0, 1])
        assert [row[key] for key in ("tp", "fp", "fn", "tn")] == [tp, fp, fn, tn]
        for key, name in (("dice", "f1"), ("jaccard",) * 2, ("precision",) * 2, ("recall",) * 2):
            expected = getattr(sklearn, f"{name}_score")(actual, found, zero_division=0)
            assert row[key] == pytest.approx(expected, abs=1e-6)
        distances = cdist(*(np.argwhere(mask & ~binary_erosion(mask)) for mask in masks))
        there, back = distances.min(1), distances.min(0)
        far = max(np.percentile(there, 95), np.percentile(back, 95))
        assert row["hd95"] == pytest.approx(far, abs=1e-4)
        assert row["nsd"] == pytest.approx((np.append(there, back) <= 2).mean(), abs=1e-6)


def test_predictions_are_those_of_the_weights_in_evaluation_mode(study, measured):
    pixels = study.pixels("images", measured[0]["id"])
    expected = study.probability(study / "run/weights.safetensors", pixels)
    written = measured[1] / 256
    assert ((written <= expected + 1e-6) & (expected <= written + 1 / 256 + 1e-6)).all()


def test_numbers_of_teeth_can_be_recomputed_from_the_labels_that_are_kept(numbered):
    """And teeth are where the mask is, so that all other tables are of the same pixels."""
    rows, probability = read(numbered / "run")
    teeth = scored(pd.read_csv(numbered / "run/numbering.csv", dtype={"id": str}))
    labels = np.load(numbered / "run/predictions.npz")["labels"]
    assert ((labels > 0) == (probability >= 128)).all() and labels.max() <= 32
    truths = numbered.pixels("labels", rows["id"])
    assert (rows["tp"] == ((labels > 0) & (truths > 0)).sum((1, 2))).all()
    for name, found, truth in zip(rows["id"], labels, truths, strict=True):
        own = teeth[teeth["id"] == name].set_index("tooth")
        assert set(own.index) == set(np.unique([found, truth])) - {0}
        for tooth, row in own.iterrows():
            expected = sklearn.f1_score((truth == tooth).ravel(), (found == tooth).ravel())
            assert row["dice"] == pytest.approx(expected)
    assert set(teeth["method"]) == {"ours"} and teeth["right"].isna().eq(teeth["found"] != 1).all()


@pytest.mark.parametrize("threshold", [0.25, 0.75])
def test_the_threshold_decides_what_is_tooth(again, measured, threshold):
    rows, probability = again(changes={"evaluation": {"threshold": threshold}})
    assert (probability == measured[1]).all()
    positive = (probability >= threshold * 256).sum((1, 2))
    assert (rows["tp"] + rows["fp"]).tolist() == positive.tolist()


def test_a_pixel_of_exactly_the_threshold_is_tooth(study, again, tmp_path):
    network = new_network(study.settings().model_of("ours"), 0, torch.device("cpu"))
    torch.nn.init.zeros_(network.head.weight)
    torch.nn.init.zeros_(network.head.bias)
    save_weights(network, tmp_path / "zero.safetensors")
    rows, probability = again(weights=[tmp_path / "zero.safetensors"])
    assert (probability == 128).all()
    assert (rows["tp"] + rows["fp"] == 32 * 64).all()


def test_evaluating_twice_gives_the_same_bytes_whatever_the_precision(study, again, tmp_path):
    again(changes={"compute": {"precision": "bfloat16"}})
    for name in ("metrics.csv", "predictions.npz"):
        assert (tmp_path / name).read_bytes() == (study / "run" / name).read_bytes()


def test_the_evaluation_is_recorded(study):
    said, run = (
        json.loads((study / f"run/{name}.json").read_text()) for name in ("evaluation", "run")
    )
    settings = {"runs", "held_out", "threshold", "boundary_tolerance", "compute"}
    assert set(said["settings"]) == settings and said["settings"]["threshold"] == 0.5
    assert said["settings"]["held_out"] == run["settings"]["held_out"]
    for name in ("images", "labels", "index"):
        assert said["inputs_sha256"][name] == run["inputs_sha256"][name]
    modules = ["maskedteeth.metrics.evaluate", "maskedteeth.models.modified_resunet"]
    assert said["code"] == fingerprint(*modules, "maskedteeth.tasks.teeth")
    (about,) = said["runs"]
    assert (about["method"], about["fraction"], about["seed"]) == ("ours", 0.25, 3407)
    assert about["weights_sha256"] == run["weights_sha256"] and 0 <= about["seconds"] < 60
