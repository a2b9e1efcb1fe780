import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as sklearn

from maskedteeth.metrics.segmentation import METRICS, count, scores

MASKS = arrays(bool, (3, 5), elements=st.booleans(), fill=st.booleans())
BY_SKLEARN = {"dice": "f1", "jaccard": "jaccard", "precision": "precision", "recall": "recall"}


def by_sklearn(truth, prediction, **options):
    return {
        key: getattr(sklearn, f"{name}_score")(truth.ravel(), prediction.ravel(), **options)
        for key, name in BY_SKLEARN.items()
    }


@pytest.fixture
def pair():
    generator = np.random.default_rng(0)
    truth = generator.random((5, 16, 32)) < 0.3
    return truth ^ (generator.random(truth.shape) < 0.1), truth


def test_scores_of_summed_counts_are_scores_of_all_pixels_together(pair):
    counts = count(*pair)
    pooled = scores(*(counts[key].sum() for key in ("tp", "fp", "fn")))
    assert pooled == pytest.approx(by_sklearn(pair[1], pair[0]), rel=1e-12)
    mean = scores(counts["tp"], counts["fp"], counts["fn"])["dice"].mean()
    assert pooled["dice"] != pytest.approx(mean, abs=1e-6)


@given(MASKS, MASKS)
def test_scores_are_scikit_learns_with_its_zero_division_set(guess, truth):
    counts = count(guess[None], truth[None])
    values = scores(counts["tp"], counts["fp"], counts["fn"])
    expected = by_sklearn(truth, guess, zero_division=0 if (guess | truth).any() else 1)
    assert {key: value[0] for key, value in values.items()} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [(0, 0, 1.0), (1, 0, 0.0), (0, 1, 0.0), (1, 1, 1.0)],
    ids=["both-empty", "truth-empty", "prediction-empty", "both-full"],
)
def test_empty_masks_score_so_that_an_error_never_helps(prediction, truth, expected):
    counts = count(np.full((1, 4, 8), prediction), np.full((1, 4, 8), truth))
    values = scores(counts["tp"], counts["fp"], counts["fn"])
    assert {key: value[0] for key, value in values.items()} == dict.fromkeys(METRICS, expected)
