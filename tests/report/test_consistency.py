"""What a row of printed metrics can be, against cases of which it is known."""

import numpy as np
import pytest

from maskedteeth.metrics.segmentation import METRICS, scores
from maskedteeth.report.consistency import judge

#: An empty image, left empty, whose metrics follow different conventions for 0/0. Dice and Jaccard
#: follow the same one, precision and recall any.
EMPTY = np.array([(d, d, p, r) for d in (0, 1) for p in (0, 1) for r in (0, 1)])


def surface(precision, recall):
    """Dice, Jaccard, precision and recall of cases, (..., 4)."""
    dice = 2 * precision * recall / (precision + recall)
    return np.stack([dice, dice / (2 - dice), precision, recall], axis=-1)


def rounded(point, digits=3):
    return dict(zip(METRICS, np.round(point, digits), strict=True))


def cases(generator, number):
    """Precision and recall of some images, of very different kinds."""
    shape = generator.choice([0.2, 1.0, 5.0], size=2)
    return surface(*generator.beta(shape[0], shape[1], size=(2, number)))


@pytest.mark.parametrize("seed", range(40))
def test_an_average_over_images_is_never_called_impossible(seed):
    generator = np.random.default_rng(seed)
    points = cases(generator, generator.integers(2, 12))
    weights = generator.dirichlet(np.full(len(points), 0.5))
    assert judge(rounded(weights @ points)).verdict != "impossible"


@pytest.mark.parametrize("seed", range(10))
def test_an_average_of_real_counts_with_empty_images_is_never_called_impossible(seed):
    generator = np.random.default_rng(seed)
    counts = generator.integers(0, 50, size=(3, 20))
    counts[:, 2:4] += 1
    counts[:, :2] = 0  # nothing annotated, nothing found: all four are 1
    counts[[0, 1], 2] = 0  # annotated, nothing found: precision 0/0
    counts[[0, 2], 3] = 0  # nothing annotated, something found: recall 0/0
    values = scores(*counts)
    for convention in (0.0, 1.0):
        values["precision"][2] = values["recall"][3] = convention
        row = {metric: round(values[metric].mean(), 3) for metric in METRICS}
        assert judge(row).verdict != "impossible"


@pytest.mark.parametrize("seed", range(40))
def test_one_set_of_counts_is_pooled(seed):
    tp, fp, fn = np.random.default_rng(seed).integers(0, 10_000, size=3)
    row = {metric: round(float(value), 3) for metric, value in scores(tp, fp, fn).items()}
    assert judge(row).verdict == "pooled"


def test_an_average_of_unlike_images_is_not_pooled():
    row = rounded(surface(np.array([0.5, 1.0]), np.array([0.9, 0.6])).mean(axis=0))
    verdict = judge(row)
    assert verdict.verdict == "averaged"
    assert verdict.jaccard_residual > 0 > verdict.dice_residual
    assert verdict.excess == verdict.empty_share == 0


@pytest.mark.parametrize(
    "row",
    [
        {"dice": 0.9, "jaccard": 0.81},  # below D/(2 − D)
        {"dice": 0.5, "jaccard": 0.51},
        {"dice": 0.9, "jaccard": 0.82, "precision": 0.8, "recall": 0.9},  # above 2PR/(P + R)
        {"jaccard": 0.75, "precision": 0.9, "recall": 0.9},  # below P + R − 1
    ],
)
def test_a_row_that_breaks_an_inequality_is_impossible(row):
    verdict = judge(row)
    assert verdict.verdict == "impossible" and 0 < verdict.excess < 0.2


@pytest.mark.parametrize("seed", range(10))
def test_a_soft_dice_beside_thresholded_metrics_is_not_held_against_a_row(seed):
    generator = np.random.default_rng(seed)
    truth = generator.random((6, 400)) < 0.4
    probability = np.clip(0.5 + 0.2 * (truth - 0.5) + generator.normal(0, 0.1, truth.shape), 0, 1)
    mask = probability >= 0.5
    counts = [np.sum(x, axis=1) for x in (mask & truth, mask & ~truth, ~mask & truth)]
    row = {metric: round(float(v.mean()), 3) for metric, v in scores(*counts).items()}
    soft = 2 * (probability * truth).sum(axis=1) / (probability.sum(axis=1) + truth.sum(axis=1))
    assert judge(row | {"dice": round(float(soft.mean()), 3)}).verdict == "impossible"
    del row["dice"]
    assert judge(row).verdict != "impossible"


def test_the_excess_is_the_rounding_that_the_row_would_need():
    row = {"dice": 0.896, "jaccard": 0.80, "precision": 0.89, "recall": 0.9}
    excess = judge(row).excess
    assert judge(row, half_width=0.0005 + excess - 1e-5).verdict == "impossible"
    assert judge(row, half_width=0.0005 + excess + 1e-5).verdict != "impossible"


@pytest.mark.parametrize("seed", range(15))
def test_no_more_empty_images_are_asked_for_than_there_are(seed):
    generator = np.random.default_rng(seed)
    share = generator.uniform(0.01, 0.1)
    point = (1 - share) * cases(generator, 8).mean(axis=0) + share * EMPTY[generator.integers(8)]
    assert judge(rounded(point)).empty_share <= share + 1e-6


def test_our_row_at_30_percent_is_impossible_by_the_last_digit_alone():
    # By hand: Dice is at least 0.8805, so Jaccard at least 0.8805 / 1.1195 = 0.786512 > 0.7865.
    row = {"dice": 0.881, "jaccard": 0.786, "precision": 0.874, "recall": 0.889}
    assert judge(row).excess == pytest.approx(4.5e-6, abs=1e-6)
    assert judge(row, half_width=0.001).verdict == "pooled"
