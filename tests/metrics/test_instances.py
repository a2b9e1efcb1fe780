import numpy as np
import pytest
from pycocotools import mask as coco_mask

from maskedteeth.metrics.instances import average_precision


def teeth(*numbers):
    """Labels of a radiograph with teeth of these numbers side by side, apart."""
    labels = np.zeros((1, 20, 10 * len(numbers)), np.uint8)
    for place, number in enumerate(numbers):
        labels[0, 5:15, 10 * place + 2 : 10 * place + 8] = number
    return labels


def found(labels, place, category=1, score=0.9, moved=0):
    mask = np.zeros(labels.shape[1:], np.uint8)
    mask[5 + moved : 15 + moved, 10 * place + 2 : 10 * place + 8] = 1
    coded = coco_mask.encode(np.asfortranarray(mask))
    return {"image_id": 0, "category_id": category, "score": score, "segmentation": coded}


def test_ap_is_cocos_of_what_is_found():
    """By hand: COCO reads precision at 101 recalls, and every IoU from 0.5 to 0.95 by 0.05."""
    labels = teeth(99, 99)
    both = [found(labels, 0), found(labels, 1)]
    one = 51 / 101
    for results, expected in (
        (both, (1, 1, 1)),
        (both[:1], (one, one, one)),
        ([], (0, 0, 0)),
        # IoU 2/3 with the tooth: right at 0.5, 0.55, 0.6 and 0.65.
        ([found(labels, place, moved=2) for place in (0, 1)], (0.4, 1, 0)),
        # Something else, more certain: half of what is found is right, then two thirds.
        ([*both, found(labels, 0, score=0.99, moved=5)], (2 / 3, 2 / 3, 2 / 3)),
    ):
        measured = average_precision(results, labels, numbered=False)
        assert tuple(measured.values()) == pytest.approx(expected, abs=0.01), results


def test_where_numbers_are_classes_a_wrong_one_is_an_error_and_an_unknown_one_is_none():
    labels = teeth(3, 4, 99)
    right = [found(labels, 0, 3), found(labels, 1, 4)]
    wrong = [found(labels, 0, 3), found(labels, 1, 5)]
    on_unknown = [*right, found(labels, 2, 3, score=0.99)]
    for results, expected in ((right, 1), (wrong, 0.5), (on_unknown, 1)):
        assert average_precision(results, labels, numbered=True)["ap"] == pytest.approx(expected)


def test_without_teeth_there_is_no_ap():
    assert np.isnan(average_precision([], np.zeros((1, 8, 8), np.uint8), False)["ap"])
