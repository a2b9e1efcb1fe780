"""What networks made of annotations with errors, against the right ones."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from maskedteeth.data.annotations import with_errors
from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.metrics.corrections import compare
from maskedteeth.settings.config import Annotations
from maskedteeth.settings.sections import Run

ERRORS = {"drop": 0.4, "shift": 2}
CHANGES = {"methods": {"ours": {"annotations": ERRORS}}}


@pytest.fixture(scope="module")
def trained(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wrong")
    pretext = study / "pretext/weights.safetensors"
    assert study.run("train", folder, pretext=pretext, changes=CHANGES) == 0
    corrections = folder / "corrections.csv"
    assert study.run("evaluate", folder, changes=CHANGES, corrections=corrections) == 0
    return folder


@pytest.fixture(scope="module")
def labels(study):
    """Of the training radiographs, right and with the errors that the run's seed gives them."""
    ids = study.split().train
    right = study.pixels("labels", ids)
    return ids, right, with_errors(right, ids, Annotations(**ERRORS), 3407)


def test_predictions_and_given_annotations_are_compared_with_the_right_ones(study, trained, labels):
    ids, right, wrong = labels
    predicted = study.probability(trained / "weights.safetensors", study.pixels("images", ids))
    masks = {"given": wrong > 0, "prediction": predicted >= 0.5}
    rows = pd.read_csv(trained / "corrections.csv", dtype={"id": str})
    assert len(rows) == 2 * len(ids)
    for name, mask in masks.items():
        own = rows[rows["of"] == name]
        assert own["id"].tolist() == ids
        expected = [
            f1_score(truth.ravel() > 0, found.ravel())
            for truth, found in zip(right, mask, strict=True)
        ]
        assert own["dice"].to_numpy() == pytest.approx(np.array(expected), abs=1e-6)


def test_a_wrong_number_is_an_error_where_teeth_are_numbered_and_not_where_they_are_not(numbered):
    ids, index = numbered.split().train, read_index(numbered / "index.csv")
    right = pixels_of(numbered / "labels.npy", index, ids)
    model = numbered.settings().model_of("ours")
    about = {"method": "ours", "fraction": 0.25, "seed": 1, "model": model}
    swapped = Annotations(swap=1)
    for task, dice in (("teeth", 1), ("numbering", pytest.approx(0, abs=0.1))):
        run = Run(**about, task=task, annotations=swapped)
        prediction, given = compare(run, ids, right, right)
        assert (prediction["dice"] == 1).all() and given["dice"].mean() == dice
        assert (prediction["tp"] == (right > 0).sum(axis=(1, 2))).all()
    run = Run(**about, task="numbering", annotations=swapped)
    unknown = np.where(right > 16, 99, right)
    prediction, _ = compare(run, ids, right, unknown)
    assert (prediction["dice"] == 1).all()
    assert (prediction["tp"] == ((right > 0) & (right <= 16)).sum(axis=(1, 2))).all()


def test_the_test_radiographs_stay_as_they_are(study, trained):
    rows = pd.read_csv(trained / "metrics.csv", dtype={"id": str})
    truth = study.pixels("labels", rows["id"]) > 0
    assert (rows["tp"] + rows["fn"]).tolist() == truth.sum(axis=(1, 2)).tolist()
