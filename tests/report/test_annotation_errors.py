"""Precision and recall of the candidates' ranking, against scikit-learn and against shuffling."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_score, recall_score

from maskedteeth.cli import main
from maskedteeth.errors import InputError
from maskedteeth.files import write_csv
from maskedteeth.report.annotation_errors import (
    Ranking,
    measure,
    of_radiographs,
    of_regions,
    read_errors,
)
from maskedteeth.report.candidates import NOT_ANNOTATED, NOT_PREDICTED, Candidate
from maskedteeth.settings.jobs import ReportJob

#: By rank, best first: whether a radiograph's annotation is wrong.
WRONG = [True, False, True, True, False, False, False, True, False]
UNRANKED = [False, True, False]


def ranking():
    number = itertools.count()
    shows = [{next(number)} if wrong else set() for wrong in WRONG]
    rest = [{next(number)} if wrong else set() for wrong in UNRANKED]
    return Ranking(shows, rest, next(number))


def test_precision_and_recall_at_k_are_scikit_learns():
    truth = np.array(WRONG + UNRANKED)
    for _, row in measure(ranking()).iterrows():
        first = np.arange(len(truth)) < row["k"]
        assert row["precision"] == pytest.approx(precision_score(truth, first))
        assert row["recall"] == pytest.approx(recall_score(truth, first))
    assert measure(ranking())["k"].tolist() == [1, 2, 3, 5, 9]


def test_chance_is_what_shuffling_all_radiographs_gives():
    truth, generator = np.array(WRONG + UNRANKED), np.random.default_rng(0)
    shuffled = generator.permuted(np.tile(truth, (20_000, 1)), axis=1)
    for _, row in measure(ranking()).iterrows():
        hits = shuffled[:, : int(row["k"])].sum(axis=1)
        assert row["precision_random"] == pytest.approx((hits / row["k"]).mean(), abs=0.01)
        assert row["recall_random"] == pytest.approx((hits / truth.sum()).mean(), abs=0.01)
        assert row["p"] == pytest.approx((hits >= row["hits"]).mean(), abs=0.015)


def test_an_error_that_several_regions_show_is_found_once():
    shows = [{0}, {0, 1}, set(), {2}, set(), {0}]
    table = measure(Ranking(shows, [], errors=5)).set_index("k")
    assert table["recall"].to_dict() == pytest.approx({1: 0.2, 2: 0.4, 3: 0.4, 5: 0.6, 6: 0.6})
    assert table["precision"].to_dict() == pytest.approx({1: 1, 2: 1, 3: 2 / 3, 5: 0.6, 6: 2 / 3})
    for k in (2, 3):  # every order is equally likely
        orders = list(itertools.permutations(range(6), k))
        found = [len(set().union(*(shows[i] for i in order))) / 5 for order in orders]
        assert table.loc[k, "recall_random"] == pytest.approx(np.mean(found))


def test_a_perfect_ranking_is_told_from_chance_and_the_worst_is_not():
    perfect = Ranking([{n} for n in range(5)], [set()] * 15, 5)
    assert measure(perfect).iloc[-1][["precision", "recall"]].tolist() == [1, 1]
    assert measure(perfect).iloc[-1]["p"] < 1e-4
    worst = Ranking([set()] * 5, [{n} for n in range(5)] + [set()] * 10, 5)
    assert measure(worst).iloc[-1][["hits", "recall", "p"]].tolist() == [0, 0, 1]


def test_nothing_to_find_and_nothing_ranked():
    table = measure(Ranking([set(), set()], [set()], 0))
    assert table["precision"].tolist() == [0, 0] and table["recall"].isna().all()
    assert measure(Ranking([], [set(), {0}], 1)).empty


BOX = (10.0, 10.0, 30.0, 50.0)  # left, top, right, bottom


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
    ranked = [Candidate("b", 1.0, NOT_ANNOTATED, region)]
    found = of_regions(ranked, ["a", "b"], {"a": [BOX], "b": [BOX]})
    assert found.shows == [{1} if hit else set()] and found.errors == 2


def test_radiographs_without_a_candidate_come_last():
    ranked = [Candidate(name, 1.0, NOT_PREDICTED, (0, 0, 1, 1)) for name in "cb"]
    found = of_radiographs(ranked, list("abcd"), {"a": [BOX], "b": [], "c": [BOX], "d": []})
    assert found.shows == [{1}, set()] and found.unranked == [{0}, set()]
    assert (found.hits, found.errors) == (2, 2)


@pytest.fixture
def phantom(tmp_path):
    """Three radiographs of 100 x 200 pixels, the second with a wrong annotation."""
    (tmp_path / "raw").mkdir()
    wrong = [{"kind": "omitted", "tooth": 3, "bbox": [40, 20, 79, 59]}]
    errors = {"1": [], "2": wrong, "3": []}
    (tmp_path / "raw" / "injected_errors.json").write_text(json.dumps(errors))
    rows = [{"id": str(n), "height": 100, "width": 200} for n in (1, 2, 3)]
    write_csv(tmp_path / "index.csv", rows)
    return tmp_path


def test_boxes_are_scaled_to_the_arrays(phantom):
    errors = read_errors(phantom / "raw", phantom / "index.csv", height=50, width=50)
    assert errors == {"1": [], "2": [(10, 10, 20, 30)], "3": []}


def test_other_data_than_a_phantom_has_no_known_errors(phantom):
    (phantom / "raw" / "injected_errors.json").write_text('{"1": []}')
    with pytest.raises(InputError, match="knows no radiograph '2'"):
        read_errors(phantom / "raw", phantom / "index.csv", 50, 50)
    (phantom / "raw" / "injected_errors.json").unlink()
    with pytest.raises(InputError, match="only a phantom knows"):
        read_errors(phantom / "raw", phantom / "index.csv", 50, 50)


@pytest.mark.parametrize("found", [True, False])
def test_the_table_says_what_was_found_and_how_little_that_is(phantom, found):
    masks = np.zeros((3, 100, 200), np.uint8)
    masks[:, 20:60, 100:140] = 1
    np.save(phantom / "masks.npy", masks)
    probability = (masks * 250).astype(np.uint8)
    if found:
        probability[1, 20:60, 40:80] = 250  # the tooth that is not annotated
    np.savez(phantom / "predictions.npz", ids=np.array(["1", "2", "3"]), probability=probability)
    run = {"method": "ours", "fraction": 0.2, "seed": 7}
    rows = [run | {"id": str(n), "tp": 9, "fp": 0, "fn": 0, "dice": 1} for n in (1, 2, 3)]
    write_csv(phantom / "metrics.csv", rows)
    settings = ReportJob(
        dataset="A phantom",
        protocol="fixed-test",
        threshold=0.5,
        boundary_tolerance=2,
        labels={"ours": "Our approach"},
        short_labels={"ours": "Ours"},
        ours="ours",
    )
    words = ["annotation-errors", "--settings", settings.model_dump_json()]
    names = ("masks.npy", "index.csv", "metrics.csv", "predictions.npz", "raw")
    for name in (*names, "out/x.csv", "out/x.md", "out/x.tex"):
        flag = name.rpartition(".")[2] if name.startswith("out") else name.partition(".")[0]
        words += [f"--{flag}", str(phantom / name)]
    assert main(words) == 0
    table, text = pd.read_csv(phantom / "out/x.csv"), (phantom / "out/x.md").read_text()
    assert "1 injected annotation error on 3 test radiographs; the dataset has 1 on 3" in text
    if not found:
        assert table.empty and "There is no candidate on any test radiograph" in text
        return
    assert table["unit"].tolist() == ["radiographs", "regions"]
    assert table[["precision", "recall"]].to_numpy().tolist() == [[1, 1], [1, 1]]
    assert table["p"].tolist() == pytest.approx([1 / 3, 1], abs=1e-6)
    assert "nothing can be concluded" in text and "| 0.33" in text
