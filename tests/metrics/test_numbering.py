"""Teeth that are found, and their numbers, in label maps whose answers are known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import f1_score, jaccard_score

from maskedteeth.errors import InputError
from maskedteeth.metrics.numbering import measure
from maskedteeth.report.tables.numbering import scored

MAPS = arrays.arrays(np.uint8, (2, 12, 12), elements=st.sampled_from([0, 0, 1, 2, 17, 32]))


def teeth(*drawn):
    """A label map of 20 x 60: teeth of 10 x 6 pixels, at given columns."""
    labels = np.zeros((20, 60), np.uint8)
    for number, column in drawn:
        labels[5:15, column : column + 6] = number
    return labels


def measured(prediction, truth):
    """The rows of one radiograph, by tooth: pixels, the number, and whether it was found."""
    rows = pd.DataFrame(measure(["a"], prediction[None], truth[None])).set_index("tooth")
    assert (rows.pop("id") == "a").all()
    return {tooth: tuple(row) for tooth, row in rows.iterrows()}


def test_teeth_are_found_whatever_their_number():
    truth = teeth((1, 0), (2, 6), (3, 20), (4, 30))
    prediction = teeth((1, 0), (15, 6), (3, 24))
    assert measured(prediction, truth) == {
        1: (60, 60, 60, 1, 1),
        2: (60, 0, 0, 15, 1),  # under a wrong number
        3: (60, 60, 20, 3, 0),  # an IoU of 20/100
        4: (60, 0, 0, 0, 0),  # missed
        15: (0, 60, 0, 0, 0),  # predicted and not there
    }


def test_a_region_is_what_hangs_together():
    """Both wisdom teeth called 1: each is found, one of them rightly numbered."""
    truth, prediction = teeth((1, 0), (16, 50)), teeth((1, 0), (1, 50))
    assert measured(prediction, truth) == {1: (60, 120, 60, 1, 1), 16: (60, 0, 0, 1, 1)}
    # Neighbours of one number are one region, too large for either.
    truth, prediction = teeth((1, 0), (2, 6), (3, 12)), teeth((1, 0), (1, 6), (1, 12))
    assert [row[-2:] for row in measured(prediction, truth).values()] == [(1, 0)] * 3


def test_an_iou_of_one_half_is_enough_and_the_larger_part_counts():
    truth, prediction = teeth((5, 10)), np.zeros((20, 60), np.uint8)
    prediction[5:10, 10:16] = 5  # 30 of 60 pixels
    assert measured(prediction, truth)[5] == (60, 30, 30, 5, 1)
    prediction[9, 15] = 0
    assert measured(prediction, truth)[5] == (60, 29, 29, 5, 0)
    prediction[10:15, 10:16] = 6
    assert measured(prediction, truth)[5] == (60, 29, 29, 6, 1)


def test_what_is_predicted_on_a_tooth_of_unknown_number_does_not_count():
    truth, prediction = teeth((99, 0), (7, 20)), teeth((6, 0), (7, 20))
    assert measured(prediction, truth) == {7: (60, 60, 60, 7, 1)}
    with pytest.raises(InputError, match="None of the 1 radiographs for testing has a tooth of k"):
        measured(prediction, teeth((99, 0)))


@given(MAPS, MAPS)
def test_scores_of_each_tooth_are_those_of_scikit_learn(prediction, truth):
    truth[0, 0, 0] = 1
    rows = scored(pd.DataFrame(measure(["a", "b"], prediction, truth)))
    for number, name in enumerate("ab"):
        shown = set(np.unique([prediction[number], truth[number]])) - {0}
        own = rows[rows["id"] == name].set_index("tooth")
        assert set(own.index) == shown
        for tooth in shown:
            maps = (truth[number] == tooth).ravel(), (prediction[number] == tooth).ravel()
            assert own.loc[tooth, "dice"] == pytest.approx(f1_score(*maps))
            assert own.loc[tooth, "jaccard"] == pytest.approx(jaccard_score(*maps))
            assert own.loc[tooth, "annotated"] == maps[0].any()
