"""Precision and recall of the candidates' ranking, against scikit-learn and against shuffling."""

import itertools

import numpy as np
import pandas as pd
import pytest
from records import RECORD, presentation
from sklearn.metrics import precision_score, recall_score

from maskedteeth.files import write_csv, write_json
from maskedteeth.report.candidates import NOT_ANNOTATED, Candidate
from maskedteeth.report.tables.annotation_errors import (
    annotation_errors,
    measure,
    read_errors,
    shown_by_radiographs,
    shown_by_regions,
)

#: By rank, best first: whether a radiograph's annotation is wrong; the last three have no rank.
WRONG = np.array([1, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0], bool)


def test_a_ranking_is_measured_as_scikit_learn_does_and_beside_chance():
    generator = np.random.default_rng(0)
    shuffled = generator.permuted(np.tile(WRONG, (20_000, 1)), axis=1)
    table = measure(np.eye(len(WRONG), dtype=bool)[:, WRONG], ranked=9)
    assert table["k"].tolist() == [1, 2, 3, 5, 9]
    for _, row in table.iterrows():
        first = np.arange(len(WRONG)) < row["k"]
        assert row["precision"] == pytest.approx(precision_score(WRONG, first))
        assert row["recall"] == pytest.approx(recall_score(WRONG, first))
        hits = shuffled[:, : int(row["k"])].sum(axis=1)
        assert row["precision_random"] == pytest.approx((hits / row["k"]).mean(), abs=0.01)
        assert row["recall_random"] == pytest.approx((hits / WRONG.sum()).mean(), abs=0.01)
        assert row["p"] == pytest.approx((hits >= row["hits"]).mean(), abs=0.015)


def test_an_error_that_several_regions_show_is_found_once():
    shows = np.zeros((6, 5), bool)
    for region, errors in enumerate([{0}, {0, 1}, set(), {2}, set(), {0}]):
        shows[region, list(errors)] = True
    table = measure(shows, 6).set_index("k")
    assert table["recall"].to_dict() == pytest.approx({1: 0.2, 2: 0.4, 3: 0.4, 5: 0.6, 6: 0.6})
    assert table["precision"].to_dict() == pytest.approx({1: 1, 2: 1, 3: 2 / 3, 5: 0.6, 6: 2 / 3})
    for k in (2, 3):  # every order is equally likely
        found = [shows[list(order)].any(0).mean() for order in itertools.permutations(range(6), k)]
        assert table.loc[k, "recall_random"] == pytest.approx(np.mean(found))


def test_nothing_to_find_and_nothing_ranked():
    table = measure(np.zeros((3, 0), bool), 2)
    assert table["precision"].tolist() == [0, 0] and table["recall"].isna().all()
    assert measure(np.ones((2, 1), bool), 0).empty


@pytest.mark.parametrize(
    ("region", "hit"),
    [
        ((10, 10, 20, 40), True),  # left, top, width, height
        ((14, 20, 5, 5), True),
        ((20, 10, 20, 40), True),  # just half of it
        ((22, 10, 20, 40), False),
        ((60, 10, 20, 40), False),
    ],
)
def test_a_region_shows_the_error_that_it_lies_on(region, hit):
    boxes = [(name, 10.0, 10.0, 30.0, 50.0) for name in "ab"]
    errors = pd.DataFrame(boxes, columns=["id", "left", "top", "right", "bottom"])
    found = shown_by_regions([Candidate("b", 1.0, NOT_ANNOTATED, region)], errors)
    assert found.tolist() == [[False, hit]]
    assert shown_by_regions([], errors).shape == (0, 2)
    assert shown_by_radiographs(["c", "b"], errors).tolist() == [[False, False], [False, True]]


@pytest.fixture
def phantom(tmp_path):
    """Three radiographs of 100 x 200 pixels, the second with a wrong annotation."""
    wrong = [{"kind": "omitted", "tooth": 3, "bbox": [40, 20, 79, 59]}]
    write_json(tmp_path / "raw/injected_errors.json", {"1": [], "2": wrong, "3": []})
    rows = [{"id": str(n), "height": 100, "width": 200} for n in (1, 2, 3)]
    write_csv(tmp_path / "index.csv", rows)
    return tmp_path


def test_boxes_are_scaled_to_the_arrays(phantom):
    errors = read_errors(phantom / "raw", phantom / "index.csv", height=50, width=50)
    assert errors.to_numpy().tolist() == [["2", 10, 10, 20, 30]]


@pytest.mark.parametrize("found", [True, False])
def test_the_table_says_what_was_found_and_how_little_that_is(phantom, found):
    masks = np.zeros((3, 100, 200), np.uint8)
    masks[:, 20:60, 100:140] = 1
    np.save(phantom / "labels.npy", masks)
    probability = (masks * 250).astype(np.uint8)
    if found:
        probability[1, 20:60, 40:80] = 250  # the tooth that is not annotated
    np.savez(phantom / "predictions.npz", probability=probability)
    run = {"method": "ours", "fraction": f"{1 / 3:g}", "seed": 7, "dice": 0.9}
    write_csv(phantom / "metrics.csv", [run | {"id": str(n)} for n in (1, 2, 3)])
    write_json(phantom / "run.json", RECORD)
    table = annotation_errors(
        presentation(figure_fraction=1 / 3),
        raw=phantom / "raw",
        labels=phantom / "labels.npy",
        index=phantom / "index.csv",
        metrics=[phantom / "metrics.csv"],
        predictions=[phantom / "predictions.npz"],
        runs=[phantom / "run.json"],
    )
    assert "1 on all 3 radiographs, 1 on the 3 test radiographs" in table.lead
    if not found:
        assert table.frame.empty and "There is no candidate on any test radiograph" in table.lead
        return
    assert table.frame["unit"].tolist() == ["radiographs", "regions"]
    assert table.frame[["precision", "recall"]].to_numpy().tolist() == [[1, 1], [1, 1]]
    assert table.frame["p"].tolist() == pytest.approx([1 / 3, 1])
    assert "nothing can be concluded" in table.lead
    assert table.parts[0].text["Precision at random"].tolist() == ["0.33", "1.00"]
