"""Intervals, tests and corrections against SciPy, enumeration, simulation and published values."""

import re
from itertools import chain, combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import RECORD, presentation
from scipy import stats
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

from maskedteeth.files import write_csv, write_json
from maskedteeth.report.chance import (
    bootstrap_weights,
    holm,
    percentiles,
    pooled_scores,
    resampled_means,
    signed_rank_test,
    training_chance,
)
from maskedteeth.report.results import pooled_by_run
from maskedteeth.report.table import Table, in_latex
from maskedteeth.report.tables.boundary import boundary
from maskedteeth.report.tables.statistics import compare_with_ours, statistics

NOISE = np.random.default_rng(1).normal(size=40)

# --- Bootstrap ---


def test_a_draw_has_as_many_radiographs_as_there_are_and_the_same_ones_each_time():
    weights = bootstrap_weights(7, 2000)
    assert weights.shape == (2001, 7) and (weights[0] == 1).all()
    assert (weights.sum(1) == 7).all() and weights.min() == 0 and (weights == weights.round()).all()
    np.testing.assert_allclose(weights.mean(0), 1, atol=0.1)
    assert (weights == bootstrap_weights(7, 2000)).all()


def test_the_interval_of_a_mean_is_scipys():
    draws = resampled_means(NOISE, bootstrap_weights(NOISE.size, 20_000))
    options = {"method": "percentile", "n_resamples": 20_000, "rng": 1}
    expected = stats.bootstrap((NOISE,), np.mean, **options).confidence_interval
    assert draws[0] == pytest.approx(NOISE.mean())
    assert percentiles(draws) == pytest.approx(tuple(expected), abs=0.1 * stats.sem(NOISE))


def test_what_was_not_measured_is_left_out_of_a_mean():
    weights = np.array([[1, 1, 1], [0, 2, 1], [3, 0, 0]])
    found = resampled_means(np.array([np.nan, 0.2, 0.5]), weights)
    np.testing.assert_allclose(found, [0.35, 0.3, np.nan])


def drawn(generator, seeds=3, images=9):
    """Counts (seeds, images) of radiographs of 1000 pixels."""
    counts = generator.multinomial(1000, (0.2, 0.05, 0.05, 0.7), size=(seeds, images))
    return dict(zip(("tp", "fp", "fn", "tn"), np.moveaxis(counts, 2, 0), strict=True))


def test_a_resampled_test_set_scores_as_scikit_learn_scores_its_pixels():
    counts, weights = drawn(np.random.default_rng(0)), bootstrap_weights(9, 4)
    found = pooled_scores(counts, weights)
    references = (f1_score, jaccard_score, precision_score, recall_score)
    for row, (metric, reference) in product(range(5), zip(found, references, strict=True)):
        values = []
        for seed in range(3):
            tp, fp, fn, tn = (int(counts[k][seed] @ weights[row]) for k in counts)
            truth = np.repeat([1, 0, 1, 0], [tp, fp, fn, tn])
            values.append(reference(truth, np.repeat([1, 1, 0, 0], [tp, fp, fn, tn])))
        assert found[metric][row] == pytest.approx(np.mean(values), abs=1e-12)


def test_a_seed_of_which_nothing_is_drawn_is_left_out_and_does_not_count_as_right():
    """Complement protocol: the first radiograph tests seed 0, the second seed 1, the third none."""
    counts = {
        key: np.eye(2, 3) * np.array(value)[:, None]
        for key, value in (("tp", (5, 8)), ("fp", (5, 2)), ("fn", (5, 2)), ("tn", (85, 88)))
    }
    weights = np.array([[1, 1, 1], [2, 0, 1], [0, 2, 1], [0, 0, 3]])
    np.testing.assert_allclose(pooled_scores(counts, weights)["dice"], [0.65, 0.5, 0.8, np.nan])


def test_intervals_hold_the_truth_about_as_often_as_they_promise():
    """60 radiographs whose difficulty all 3 seeds share, and 300 such studies."""
    generator = np.random.default_rng(0)
    weights, more = bootstrap_weights(60, 400), bootstrap_weights(180, 400)
    hits = {"clustered": 0, "as if seeds were radiographs": 0}
    for _ in range(300):
        hit = np.clip(generator.beta(8, 2, 60) + generator.normal(0, 0.02, (3, 60)), 0, 1)
        counts = {"tp": 1000 * hit, "fp": 500 * (1 - hit), "fn": 1000 * (1 - hit)}
        flat = {key: value.reshape(1, -1) for key, value in counts.items()}
        truth = 2 * 0.8 / (2 * 0.8 + 0.5 * 0.2 + 0.2)  # pooled over all radiographs there could be
        for name, dice in zip(
            hits, (pooled_scores(counts, weights), pooled_scores(flat, more)), strict=True
        ):
            low, high = percentiles(dice["dice"])
            hits[name] += low <= truth <= high
    assert 0.90 <= hits["clustered"] / 300 <= 0.98
    assert hits["as if seeds were radiographs"] / 300 < 0.85


@pytest.mark.parametrize("seeds", [2, 3, 6])
def test_chance_in_training_is_students_t_and_joint_for_metrics_of_the_same_seeds(seeds):
    one, other = np.random.default_rng(seeds).normal(0.8, 0.02, (2, seeds))
    a, b, both = (training_chance(v, 100_000, [1, 2]) for v in (one, other, one + other))
    np.testing.assert_allclose(a + b, both)
    expected = stats.t.ppf((0.025, 0.25, 0.9), seeds - 1) * stats.sem(one)
    np.testing.assert_allclose(np.quantile(a, (0.025, 0.25, 0.9)), expected, rtol=0.05)
    assert (training_chance(np.full(seeds, 0.5), 9, [1]) == 0).all()


# --- Tests ---


@given(st.lists(st.integers(-6, 6), min_size=1, max_size=9))
def test_p_of_few_differences_is_that_of_all_their_signs_enumerated(values):
    others = np.array([value for value in values if value])
    p = signed_rank_test(np.array(values, float))
    if others.size == 0:
        assert p == 1
        return
    ranks = stats.rankdata(np.abs(others))
    sums = np.array([np.dot(signs, ranks) for signs in product((-1, 1), repeat=others.size)])
    observed = abs(np.sign(others) @ ranks)
    assert p == pytest.approx(np.mean(np.abs(sums) >= observed - 1e-9), abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_bonferroni_over_all_families_that_hold_a_comparison(p_values):
    """Holm's correction is the closure of Bonferroni's (Marcus, Peritz and Gabriel 1976)."""
    count = range(len(p_values))
    families = list(chain.from_iterable(combinations(count, n + 1) for n in count))
    expected = [
        max(min(1, len(f) * min(p_values[k] for k in f)) for f in families if n in f) for n in count
    ]
    np.testing.assert_allclose(holm(np.array(p_values)), expected, rtol=1e-12)


# --- The study's comparisons, and the tables ---

LABELS = {"unet": "U-Net", "linknet": "LinkNet", "ours": "Random Block Masking"}
REPORT = presentation(labels=LABELS, short_labels=LABELS, bootstrap_resamples=1000)


def runs(images=8, methods=LABELS, fractions=(0.2, 0.9), seeds=(42, 0)):
    """A frame as read from metrics.csv: unet is worse than ours everywhere, linknet is equal."""
    rows = []
    for method, fraction, seed, image in product(methods, fractions, seeds, range(images)):
        generator = np.random.default_rng([int(10 * fraction), seed, image])
        missed = int(generator.integers(10, 60)) + (30 + image if method == "unet" else 0)
        rows.append(
            {"method": method, "fraction": fraction, "seed": seed, "id": f"{image:02d}"}
            | {"tp": 300 - missed, "fp": 20, "fn": missed, "tn": 1700}
            | {"nsd": 1 - missed / 300, "hd95": missed / 10 + (seed == 42)}
        )
    frame = pd.DataFrame(rows)
    return frame.assign(dice=2 * frame["tp"] / (2 * frame["tp"] + frame["fp"] + frame["fn"]))


def test_methods_are_compared_to_ours_on_dice_averaged_over_seeds():
    frame = runs()
    table = compare_with_ours(frame, "ours", 1000).set_index(["method", "fraction"])
    for fraction in (0.2, 0.9):
        wide = frame[frame["fraction"] == fraction].pivot_table("dice", "id", "method")
        apart = wide["unet"] - wide["ours"]
        row = table.loc[("unet", fraction)]
        assert row["difference"] == pytest.approx(apart.mean())
        assert row["difference_low"] < apart.mean() < row["difference_high"] < 0
        assert row["p"] == pytest.approx(stats.wilcoxon(wide["unet"], wide["ours"]).pvalue)
        assert (row["pairs"], row["zeros"]) == (8, 0)
        equal = table.loc[("linknet", fraction)]
        assert (equal["difference"], equal["p"], equal["zeros"]) == (0, 1, 8)
    others = table[table["p"].notna()]
    assert len(others) == 4 and table.loc["ours", ["difference", "p_holm"]].isna().all(axis=None)
    np.testing.assert_allclose(others["p_holm"], holm(others["p"].to_numpy()))
    sums = frame.groupby(["method", "fraction", "seed"])[["tp", "fp", "fn"]].sum()
    dice = 2 * sums["tp"] / (2 * sums["tp"] + sums["fp"] + sums["fn"])
    expected = dice.groupby(level=[0, 1]).mean().reindex(table.index)
    np.testing.assert_allclose(table["dice"], expected, rtol=1e-12)
    assert table["dice"].between(table["dice_low"], table["dice_high"]).all()


def test_seeds_that_repeat_others_narrow_no_interval():
    once = runs()
    twice = pd.concat([once, once.assign(seed=once["seed"] + 100)])
    bounds = [
        name for name in compare_with_ours(once, "ours", 500) if name.endswith(("_low", "_high"))
    ]
    found, expected = (compare_with_ours(frame, "ours", 500)[bounds] for frame in (twice, once))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert len(bounds) == 10 and (found["dice_low"] < found["dice_high"]).all()


def test_radiographs_that_only_one_of_two_methods_was_tested_on_are_not_compared():
    frame = runs(images=8)
    frame = frame[~((frame["method"] == "unet") & (frame["id"] < "03"))]
    frame = frame[~((frame["method"] == "ours") & (frame["id"] > "06") & (frame["seed"] == 0))]
    table = compare_with_ours(frame, "ours", 200).set_index(["method", "fraction"])
    assert table.loc[("unet", 0.2), "pairs"] == 5 and table.loc[("unet", 0.2), "radiographs"] == 5
    assert table.loc[("linknet", 0.2), "pairs"] == table.loc[("ours", 0.2), "radiographs"] == 8


def test_the_metric_and_the_table_that_the_documents_show_how_to_add(make):
    page = (Path(__file__).parents[2] / "docs" / "extending.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    metric, table = ({}, {})
    for names, found in ((metric, "def specificity(fp"), (table, "def specificity(report")):
        exec(next(block for block in blocks if found in block), names)
    frame = runs(images=3)
    frame = frame.assign(**metric["specificity"](frame["fp"].to_numpy(), frame["tn"].to_numpy()))
    made = make(table["specificity"], frame).frame
    assert made["specificity"].tolist() == pytest.approx([1700 / 1720] * 6)


@pytest.fixture
def make(tmp_path):
    """Makes a table of a frame of runs."""

    def make(table, frame) -> Table:
        write_csv(tmp_path / "metrics.csv", frame.to_dict("records"))
        write_json(tmp_path / "run.json", RECORD)
        return table(REPORT, metrics=[tmp_path / "metrics.csv"], runs=[tmp_path / "run.json"])

    return make


def test_the_table_states_intervals_tests_and_what_became_of_ties(make):
    table = make(statistics, runs(images=12))
    row, text, said = table.frame.iloc[0], table.parts[0].text, " ".join(table.notes)
    assert table.frame["model"].tolist() == [label for label in LABELS.values() for _ in range(2)]
    assert text["Dice"][0] == f"{row['dice']:.3f} [{row['dice_low']:.3f}, {row['dice_high']:.3f}]"
    assert "resampled 1,000 times" in said and "all 4 comparisons" in said
    assert "pairs without a difference are dropped (24 of 48)" in said
    assert "no p can be below" not in table.lead
    assert "these trained networks differ on radiographs like these" in said
    assert "A synthetic set" in table.lead and r"$-$0." in in_latex(table)


def test_the_table_says_when_there_are_too_few_radiographs_for_any_test(make):
    lead = make(statistics, runs(images=5)).lead
    assert "With 5 radiographs no p can be below 0.062 (0.250 when corrected for 4" in lead
    assert "With 5 test radiographs such intervals are too narrow" in lead
    assert "There is no other model to compare." in make(statistics, runs(methods=["ours"])).notes


def test_a_difference_has_an_interval_that_includes_chance_in_training_where_both_have_seeds(make):
    frame = runs(images=12)
    first = (frame["method"] == "unet") & (frame["fraction"] == 0.2)
    table = make(statistics, frame).frame.set_index(["model", "fraction"])
    dice = pooled_by_run(frame).groupby(["method", "fraction"])["dice"].mean()
    row = table.loc["U-Net", 0.2]
    assert row["pooled_difference"] == pytest.approx(dice["unet", 0.2] - dice["ours", 0.2])
    assert row["pooled_difference_low"] < row["pooled_difference"] < row["pooled_difference_high"]
    assert table.loc[LABELS["ours"], "pooled_difference"].isna().all()

    def width(frame):
        row = make(statistics, frame).frame.set_index(["model", "fraction"]).loc["U-Net", 0.2]
        return row["pooled_difference_high"] - row["pooled_difference_low"]

    unstable = frame.copy()
    unstable.loc[first & (frame["seed"] == 0), "fp"] += 200  # one training went wrong
    assert width(unstable) > 2 * width(frame)
    once = make(statistics, frame[~first | (frame["seed"] == 0)])
    assert once.parts[0].text["Pooled difference, trained again"][0] == "–"


def test_the_boundary_table_averages_radiographs_then_seeds(make):
    frame = runs(images=3)
    assert "HD95 without missed" not in make(boundary, frame).parts[0].text
    missed = frame.index[0]
    frame.loc[missed, ["tp", "fp", "fn", "dice", "nsd", "hd95"]] = [0, 0, 300, 0, 0, 100]
    made = make(boundary, frame)
    row, text, said = made.frame.iloc[0], made.parts[0].text, " ".join(made.notes)
    for metric in ("nsd", "hd95"):
        means = of_first(frame, metric)
        assert row[metric] == pytest.approx(np.mean(means))
        assert row[f"{metric}_sd"] == pytest.approx(np.std(means, ddof=1))
    assert made.frame["missed"].tolist() == [1, 0, 0, 0, 0, 0]
    assert "within 2 pixels (of 32 × 64)" in said and "1 of 36 are missed" in said
    assert text["HD95"][0] == f"{row['hd95']:.1f} ± {row['hd95_sd']:.1f}"
    others = of_first(frame.drop(index=missed), "hd95")
    assert row["hd95_without_missed"] == pytest.approx(np.mean(others))
    shown = f"{np.mean(others):.1f} ± {np.std(others, ddof=1):.1f}"
    assert text["HD95 without missed"][0] == shown
    first = (frame["method"] == "unet") & (frame["fraction"] == 0.2)
    frame.loc[first, ["tp", "fp", "fn", "dice"]] = [0, 0, 300, 0]
    assert make(boundary, frame).parts[0].text["HD95 without missed"][0] == "–"


def of_first(frame, metric):
    """Mean of each seed of the boundary table's first row."""
    first = frame[(frame["method"] == "unet") & (frame["fraction"] == 0.2)]
    return [rows[metric].mean() for _, rows in first.groupby("seed")]
