import json

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import cdist
from sklearn import metrics as sklearn

from maskedteeth.files import read_csv
from maskedteeth.metrics.evaluate import predict
from maskedteeth.provenance import sha256
from maskedteeth.settings.config import Model
from maskedteeth.training.device import Machine
from maskedteeth.training.weights import load_weights, new_network

CPU = Machine(torch.device("cpu"), torch.float32, "test")


@pytest.fixture(scope="module")
def measured(study):
    """The lines of metrics.csv with, of each radiograph, probability as written and truth."""
    rows = read_csv(study / "metrics.csv")
    stored = np.load(study / "predictions.npz")
    assert stored["ids"].tolist() == [row["id"] for row in rows]
    order = [row["id"] for row in read_csv(study / "index.csv")]
    truth = np.load(study / "masks.npy")[[order.index(i) for i in stored["ids"]]]
    return rows, stored["probability"], truth


def test_every_test_radiograph_has_a_line(study, measured):
    test = json.loads((study / "split.json").read_text())["test"]
    rows = measured[0]
    assert [row["id"] for row in rows] == test and len(test) == 3
    assert {(row["method"], row["fraction"], row["seed"]) for row in rows} == {
        ("ours", "0.25", "3407")
    }
    columns = "method fraction seed id tp fp fn tn dice jaccard precision recall nsd hd95"
    assert list(rows[0]) == columns.split()


def test_the_record_says_which_weights_were_measured_and_how(study):
    record = json.loads((study / "evaluation.json").read_text())
    run = json.loads((study / "run.json").read_text())
    assert record["inputs_sha256"]["weights"] == run["weights_sha256"]
    assert run["weights_sha256"] == sha256(study / "weights.safetensors")
    assert record["settings"]["threshold"] == 0.5 and record["settings"]["boundary_tolerance"] == 2
    assert record["code"] != run["code"] and record["precision"] == "float32"


def test_counts_add_up_to_the_radiograph(measured):
    for row in measured[0]:
        assert sum(int(row[key]) for key in ("tp", "fp", "fn", "tn")) == 32 * 64


def test_metrics_can_be_recomputed_from_the_predictions_that_are_kept(measured):
    """128 of 256 stands for probabilities from 0.5 on: quantising moves no pixel across it."""
    for row, probability, truth in zip(*measured, strict=True):
        assert probability.dtype == np.uint8 and probability.shape == (32, 64)
        found, actual = (probability >= 128).ravel(), truth.ravel()
        (tn, fp), (fn, tp) = sklearn.confusion_matrix(actual, found, labels=[0, 1])
        assert [int(row[key]) for key in ("tp", "fp", "fn", "tn")] == [tp, fp, fn, tn]
        for key, name in (("dice", "f1"), ("jaccard",) * 2, ("precision",) * 2, ("recall",) * 2):
            expected = getattr(sklearn, f"{name}_score")(actual, found, zero_division=0)
            assert float(row[key]) == pytest.approx(expected, abs=1e-6)


def test_boundary_metrics_can_be_recomputed_from_the_predictions_that_are_kept(measured):
    for row, probability, truth in zip(*measured, strict=True):
        outlines = [
            np.argwhere(mask & ~binary_erosion(mask))
            for mask in (probability >= 128, truth.astype(bool))
        ]
        distances = cdist(*outlines)
        there, back = distances.min(1), distances.min(0)
        far = max(np.percentile(there, 95), np.percentile(back, 95))
        assert float(row["hd95"]) == pytest.approx(far, abs=1e-4)
        assert float(row["nsd"]) == pytest.approx((np.append(there, back) <= 2).mean(), abs=1e-6)


def test_predictions_are_those_of_the_weights_in_evaluation_mode(study, measured):
    model = Model.model_validate(study.settings("evaluate")["model"])
    network = new_network(model, 0, CPU.device).train()
    load_weights(network, study / "weights.safetensors")
    pixels = np.load(study / "images.npy")
    together = predict(network, pixels, model.inputs, CPU)
    assert together.dtype == np.float32 and network.training
    alone = np.concatenate([predict(network, pixels[n : n + 1], model.inputs, CPU) for n in (0, 9)])
    np.testing.assert_allclose(together[[0, 9]], alone, atol=1e-6)
    order = [row["id"] for row in read_csv(study / "index.csv")]
    here = together[order.index(measured[0][0]["id"])]
    written = measured[1][0] / 256
    assert ((written <= here + 1e-6) & (here <= written + 1 / 256 + 1e-6)).all()


@pytest.mark.parametrize("threshold", [0.25, 0.75])
def test_the_threshold_decides_what_is_tooth(study, tmp_path, measured, threshold):
    files = {"metrics": tmp_path / "m.csv", "predictions": tmp_path / "p.npz"}
    assert study.run("evaluate", {"threshold": threshold}, **files) == 0
    probability = np.load(files["predictions"])["probability"]
    assert (probability == measured[1]).all()
    positive = [int(row["tp"]) + int(row["fp"]) for row in read_csv(files["metrics"])]
    assert positive == (probability >= threshold * 256).sum((1, 2)).tolist()


def test_evaluating_twice_gives_the_same_bytes(study, tmp_path):
    files = {"metrics": tmp_path / "m.csv", "predictions": tmp_path / "p.npz"}
    assert study.run("evaluate", **files) == 0
    for flag, file in files.items():
        assert file.read_bytes() == (study / f"{flag}{file.suffix}").read_bytes()


def test_the_same_radiographs_are_tested_at_every_fraction(study, tmp_path):
    files = {"metrics": tmp_path / "m.csv", "predictions": tmp_path / "p.npz"}
    split = study / "split-0.75.json"
    assert study.run("evaluate", {"fraction": 0.75}, split=split, **files) == 0
    ids = [row["id"] for row in read_csv(files["metrics"])]
    assert ids == [row["id"] for row in read_csv(study / "metrics.csv")]
