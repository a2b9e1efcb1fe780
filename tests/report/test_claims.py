"""Claims, judged by the paper's numbers and by a study's."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from records import presentation
from scipy import stats

from maskedteeth.metrics.segmentation import scores
from maskedteeth.report.claims import CLAIMS, OURS, claim
from maskedteeth.report.evidence import Paper, Study
from maskedteeth.report.tables.claims import claims
from maskedteeth.report.verdicts import judge

# --- The paper's numbers ---


@pytest.fixture
def folder(request):
    return request.config.rootpath / "config" / "published"


@pytest.fixture
def paper(folder):
    return Paper(*(folder / f"{name}.csv" for name in ("table2", "table3")))


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [(0.843, "supported"), (0.845, "refuted"), (0.844, "inconclusive")],  # 0.844 is printed
)
def test_rounding_decides_where_the_paper_prints_no_seeds(paper, limit, verdict):
    found = judge(lambda r: [r.dice("unet", 0.8) - limit], paper)
    assert found.verdict == verdict


@pytest.mark.parametrize(("method", "remark"), [("pspnet", ""), ("unet", "not pooled")])
def test_a_row_that_was_averaged_or_is_impossible_is_marked(paper, method, remark):
    assert judge(lambda r: [r.dice(method, 0.8) - 0.8], paper).remark == remark


def test_printed_seeds_give_means_a_t_interval_and_spreads_that_of_their_rounding(paper):
    found = judge(lambda r: [r.dice(OURS, 0.2)], paper)
    low, high = stats.t.interval(0.95, 2, loc=0.874, scale=stats.sem([0.872, 0.875, 0.878]))
    assert (found.low, found.high) == pytest.approx((low - 0.0005, high + 0.0005))
    found = judge(lambda r: [0.03 - r.spread("sd", "dice", OURS, 0.2)], paper)
    hidden = 0.0005 * np.sqrt(3 / 2)  # of three rounded values with a deviation of 0.003
    assert (found.low, found.high) == pytest.approx((0.027 - hidden, 0.027 + hidden))
    rounded = np.array(list(product((-0.0005, 0, 0.0005), repeat=3))) + [0.872, 0.875, 0.878]
    assert rounded.std(axis=1, ddof=1).max() <= 0.003 + hidden


# --- A study's numbers ---

NONE = pd.DataFrame(columns=["pretext", "id"])


def study(images, seeds=(1, 2), per_seed=None):
    """Rows of metrics.csv: `good` is better than `bad` on most radiographs."""
    generator, rows = np.random.default_rng(0), []
    for method, quality in (("good", 0.9), ("bad", 0.8)):
        for seed in seeds:
            for name in per_seed[seed] if per_seed else range(images):
                tooth = 100 + 10 * (name % 7)
                tp, fp = generator.binomial(tooth, (quality, 1 - quality))
                rows.append((method, 0.2, seed, str(name), tp, fp, tooth - tp, 1000 - tooth - fp))
    return pd.DataFrame(rows, columns=["method", "fraction", "seed", "id", "tp", "fp", "fn", "tn"])


def trained(generator, mean, images, seeds, chance, method="a"):
    """Rows of a method that hits a share of each tooth, with chance in radiograph and training."""
    hit = mean + generator.normal(0, 0.05, images) + generator.normal(0, chance, (seeds, 1))
    rows = pd.DataFrame(np.round(10_000 * hit).astype(int)).stack().rename("tp")
    rows = rows.rename_axis(["seed", "id"]).reset_index().astype({"id": str})
    missed = 10_000 - rows["tp"]
    return rows.assign(method=method, fraction=0.2, fp=missed, fn=missed, tn=10_000)


def copies(runs, seeds):
    return pd.concat([runs.assign(seed=seed) for seed in range(seeds)])


def worse_by(runs, pixels):
    return runs.assign(tp=runs["tp"] - pixels, fp=runs["fp"] + pixels, fn=runs["fn"] + pixels)


def better(r):
    return [r.dice("good", 0.2) - r.dice("bad", 0.2)]


def a_beats_b(r):
    return [r.dice("a", 0.2) - r.dice("b", 0.2)]


def test_radiographs_are_drawn_with_all_their_seeds_not_rows():
    """More trainings on the same radiographs do not pass for more radiographs."""
    one = study(12, seeds=(1,))
    few, many = (
        judge(lambda r: [r.dice("good", 0.2) - 0.5], Study(runs, NONE, 2000))
        for runs in (copies(one, 2), copies(one, 5))
    )
    assert few.high - few.low > 0.02
    assert (few.low, few.high) == pytest.approx((many.low, many.high))


def test_methods_are_compared_on_the_same_radiographs():
    """Radiographs that are hard for both say nothing of their difference."""
    one = trained(np.random.default_rng(1), 0.8, 20, 1, 0)
    results = Study(copies(pd.concat([one, worse_by(one, 500).assign(method="b")]), 2), NONE, 500)
    found, alone = judge(a_beats_b, results), judge(lambda r: [r.dice("a", 0.2)], results)
    assert (found.low, found.margin, found.high) == pytest.approx((0.05, 0.05, 0.05))
    assert alone.high - alone.low > 0.02


def test_methods_of_the_same_seeds_are_compared_seed_by_seed():
    """What a seed does to both of them says nothing of their difference."""
    rows = trained(np.random.default_rng(1), 0.8, 1, 3, 0.02)
    paired = pd.concat([rows, worse_by(rows, 500).assign(method="b")])
    others = paired.assign(seed=paired["seed"] + 3 * (paired["method"] == "b"))
    found, apart = (judge(a_beats_b, Study(runs, NONE, 2000)) for runs in (paired, others))
    assert (found.low, found.margin, found.high) == pytest.approx((0.05, 0.05, 0.05))
    assert apart.low < 0 < 0.1 < apart.high


@pytest.mark.parametrize("shared", [0.0, 0.02])
def test_equal_methods_are_seldom_told_apart(shared):
    """At most once in 20 studies, both ways together, whether seeds do the same to them or not."""
    generator, wrong = np.random.default_rng(2), 0
    for _ in range(150):
        runs = pd.concat([trained(generator, 0.8, 20, 3, 0.01, method) for method in "ab"])
        shift = np.round(10_000 * generator.normal(0, shared, 3)).astype(int)[runs["seed"]]
        found = judge(a_beats_b, Study(worse_by(runs, shift), NONE, 300))
        wrong += found.verdict != "inconclusive"
    assert wrong / 150 <= 0.06


def test_without_a_second_seed_no_comparison_decides_and_it_says_so():
    runs = study(30, seeds=(1, 2, 3))
    results = Study(runs[(runs["method"] == "good") | (runs["seed"] == 1)], NONE, 300)
    found = judge(better, results)
    assert found.low > 0 and (found.verdict, found.remark) == ("inconclusive", "one seed")
    other = judge(lambda r: [0.5 - r.dice("good", 0.2), *better(r)], results)
    assert (other.verdict, other.remark) == ("refuted", "")


def test_seeds_with_test_sets_of_their_own_are_pooled_over_these():
    runs = study(0, per_seed={1: range(12), 2: range(8, 20)})
    results = Study(runs, NONE, 200)
    sums = runs[runs["method"] == "good"].groupby("seed")[["tp", "fp", "fn"]].sum()
    expected = scores(sums["tp"], sums["fp"], sums["fn"])["dice"]
    found = [results.dice("good", 0.2)]
    found += [results.spread(statistic, "dice", "good", 0.2) for statistic in ("range", "sd")]
    assert [quantity.value for quantity in found] == pytest.approx(
        [expected.mean(), np.ptp(expected), expected.std(ddof=1)]
    )


def test_pretext_metrics_are_averaged_over_radiographs():
    values = {"id": ["0", "1", "99"], "ssim": [0.7, 0.8, 0.9], "lpips": [np.nan] * 3}
    results = Study(study(5), pd.DataFrame(values).assign(pretext="masking"), 200)
    found = judge(lambda r: [r.pretext("ssim", "masking") - 0.65], results)
    assert found.margin == pytest.approx(0.15) and found.low > 0.04
    found = judge(lambda r: [1 - r.pretext("lpips", "masking")], results)
    assert (found.verdict, found.remark) == ("not tested", "LPIPS of masking was not measured")


@pytest.mark.parametrize(
    ("statement", "paper_lacks", "study_lacks"),
    [
        (
            lambda r: [r.dice("vnet", 0.2)],
            "the paper has no method vnet",
            "the study has no method vnet",
        ),
        (
            lambda r: [r.dice("unet", 0.5)],
            "table 2 has no fraction 0.5 of unet",
            "the study has no fraction 0.5 of unet",
        ),
        (
            lambda r: [r.spread("sd", "dice", "unet", 0.2)],
            "the paper gives no seeds of unet at fraction 0.2",
            "the study has one seed of unet at fraction 0.2",
        ),
        (
            lambda r: [r.pretext("ssim", OURS)],
            "the paper gives this number only in this sentence",
            f"the study has no pretext {OURS}",
        ),
    ],
)
def test_what_is_missing_is_not_tested_and_says_so(paper, statement, paper_lacks, study_lacks):
    ours = Study(study(5, seeds=(1,)).replace("good", "unet"), NONE, 20)
    for results, reason in ((paper, paper_lacks), (ours, study_lacks)):
        found = judge(statement, results)
        assert (found.verdict, found.remark) == ("not tested", reason)
        assert np.isnan([found.margin, found.low, found.high]).all()


# --- The table ---


def table(tmp_path, folder, runs):
    """Make the table of a study; return it with its frame by claim."""
    runs.to_csv(tmp_path / "metrics.csv", index=False)
    files = {name: folder / f"{name}.csv" for name in ("table2", "table3")}
    report = presentation(protocol="complement", bootstrap_resamples=300)
    made = claims(report, {}, metrics=[tmp_path / "metrics.csv"], **files)
    return made, made.frame.set_index("claim")


#: What the printed numbers say of the paper's claims: margin and interval.
PRINTED = """
outperforms_unet        supported     0.025000  0.013960  0.036040
outperforms_pspnet      supported     0.027000  0.018548  0.035452
comparable_to_linknet   inconclusive -0.005000 -0.013452  0.003452
beats_all_at_80         refuted      -0.040000 -0.051040 -0.028960
pretext_helps_at_10     supported     0.053000  0.023786  0.082214
pretext_helps_at_20     supported     0.080000  0.068960  0.091040
pretext_helps_at_30     supported     0.050000  0.047566  0.052434
pretext_helps_at_80     inconclusive  0.012000 -0.002145  0.026145
pretext_helps_at_90     inconclusive  0.004000 -0.010682  0.018682
pretext_helps           inconclusive  0.004000 -0.010682  0.018682
rivals_others           supported     0.013000  0.004015  0.021985
similar_over_seeds      supported     0.012000  0.011000  0.013000
variation_mean          supported     0.000680  0.000068  0.001292
variation_every_metric  refuted      -0.008500 -0.009500 -0.007500
best_jaccard_at_90      inconclusive  0.004000 -0.010682  0.018682
"""


def test_the_papers_claims_get_the_verdicts_of_its_own_numbers(tmp_path, folder):
    made, frame = table(tmp_path, folder, study(6))
    expected = {name: values for name, *values in map(str.split, PRINTED.split("\n")[1:-1])}
    assert frame["paper"][frame["paper"] != "not tested"].to_dict() == {
        name: verdict for name, (verdict, *_) in expected.items()
    }
    found = frame.loc[list(expected), ["paper_margin", "paper_low", "paper_high"]]
    numbers = [list(map(float, values[1:])) for values in expected.values()]
    assert found.to_numpy() == pytest.approx(np.array(numbers), abs=6e-7)
    assert set(frame["ours"]) == {"not tested"}
    assert frame.loc["due_to_pretext", "paper_remark"] != frame.loc["due_to_pretext", "ours_remark"]
    verdicts = made.parts[0].text
    assert (
        verdicts["By the paper's numbers"][0] == "**supported** +0.025 [+0.014, +0.036], not pooled"
    )
    assert (
        verdicts["By this study's numbers"][0]
        == "not tested: the study has no method random_block_masking"
    )
    assert "COMPLEMENT" in made.lead and "such intervals are too narrow" in made.notes[-1]


def test_adding_a_claim_is_adding_a_function(tmp_path, folder, monkeypatch):
    monkeypatch.setitem(CLAIMS, "better_on_20", None)  # to have it removed afterwards

    @claim("Section 9", "Good is better", "Much.")
    def better_on_20(r):
        return [*better(r), r.jaccard("good", 0.2) - 0.5]

    made, frame = table(tmp_path, folder, study(30))
    row = frame.loc["better_on_20"]
    assert row[["paper", "ours"]].tolist() == ["not tested", "supported"]
    assert row[["text", "place", "note"]].tolist() == ["Good is better", "Section 9", "Much."]
    assert made.parts[1].text.iloc[-1].tolist() == ["Good is better", "Much."]
    assert "This study's numbers support 1, refute 0" in made.lead


@pytest.mark.parametrize(("gain", "verdict"), [(0.05, "supported"), (-0.05, "refuted")])
def test_sobel_guidance_is_judged_where_the_study_has_the_pretext_without_it(gain, verdict):
    generator = np.random.default_rng(0)
    rows = []
    for name, level in ((OURS, 0.5 + gain), ("without_sobel", 0.5)):
        for n in range(20):
            ssim, fsim, l1 = level + generator.normal(0, 0.01, 3)
            rows.append({"pretext": name, "id": str(n), "ssim": ssim, "fsim": fsim, "l1": 1 - l1})
    found = judge(CLAIMS["sobel_guides"].margins, Study(study(20), pd.DataFrame(rows), 300))
    assert (found.verdict, found.margin) == (verdict, pytest.approx(gain, abs=0.02))
