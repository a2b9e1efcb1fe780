import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from maskedteeth.cli import main
from maskedteeth.errors import InputError
from maskedteeth.files import write_csv
from maskedteeth.metrics.segmentation import scores
from maskedteeth.report.claims import Claim, Measured, of_published, of_study, read_claims
from maskedteeth.report.expressions import Interval, Misread, read
from maskedteeth.report.published import Published, Unavailable
from maskedteeth.report.results import read_metrics
from maskedteeth.report.statistics import percentile_interval
from maskedteeth.settings.jobs import ReportJob

VALUES = {
    ("dice", ("a", 0.1)): 0.7,
    ("dice", ("a", 0.2)): 0.8,
    ("dice", ("b", 0.1)): 0.6,
    ("dice", ("b", 0.2)): 0.9,
    ("ssim", ("p",)): 0.5,
}


def value(text):
    return read(text).value(lambda name, arguments: VALUES[name, arguments])


# --- The language ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 * (3 + 4) / 7 - 1", 1),
        ("-abs(1 - 3)", -2),
        ("mean(1, 2, 6) + min(4, 3) + max(1, 2)", 8),
        ('dice("a", 0.2) - dice("b", 0.1)', 0.2),
        ('max(dice(m, 0.1) for m in ("a", "b"))', 0.7),
        ('mean(max(dice(m, f) for m in ("a", "b")) for f in (0.1, 0.2))', 0.8),
        ('ssim("p") > 0.4', 0.1),
        ('dice("a", 0.1) < dice("a", 0.2) < dice("b", 0.2)', 0.1),
        ('dice("a", 0.1) > 0.5 and dice("a", 0.2) > 0.9', -0.1),
        ('dice("a", 0.1) > 0.5 or dice("a", 0.2) > 0.9', 0.2),
        ('not dice("a", 0.1) > 0.5', -0.2),
        ('all(dice("a", f) > dice("b", f) for f in (0.1, 0.2))', -0.1),
        ('any(dice("a", f) > dice("b", f) for f in (0.1, 0.2))', 0.1),
        ("mean(f for f in (1, 2))", 1.5),
    ],
)
def test_an_expression_means_what_it_says(text, expected):
    assert value(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('__import__("os").system("true")', "has no meaning here"),
        ('open("secret")', "'open' is no function here"),
        ("().__class__", "has no meaning here"),
        ("(lambda: 1)()", "has no meaning here"),
        ("[x for x in (1, 2)]", "has no meaning here"),
        ("9 ** 9", "has no meaning here"),
        ("True", "has no meaning here"),
        ('"text"', "has no meaning here"),
        ("1 == 1", "something else than"),
        ("1 < 2 + (3 > 2)", "is a statement where a number belongs"),
        ("not 3", "is a number where a statement belongs"),
        ('dise("a", 0.1)', "'dise' is no function here; known: dice"),
        ('dice("a")', "dice wants a method and a fraction, but has 1 arguments"),
        ("dice(unet, 0.1)", "'unet' is neither a number nor a name in quotes"),
        ('dice(0.1, "a")', "dice wants a method, a name in quotes, not 0.1"),
        ("unet", "'unet' is no variable here; names of methods stand in quotes"),
        ("max(dice(m, 0.1) for m in (1, 2))", "a name in quotes, not m"),
        ("max(f for f in (1, 2) if f > 1)", "more than one plain 'for'"),
        ("max(f for f in range(9))", "no list of numbers or of names"),
        ("max(f for f in ())", "no list of numbers or of names"),
        ("max()", "max has 0 arguments"),
        ("dice('a', 0.1", "cannot be read"),
        ("", "cannot be read"),
        ("1" * 5000, "5000 characters"),
        ("-" * 1900 + "1", "too large"),
        ("1" + "0" * 400, "too large"),
        ("max(1, key=2)", "has no meaning here"),
        ("max(*(1, 2))", "has no meaning here"),
    ],
)
def test_what_is_not_in_the_language_is_refused_with_a_reason(text, expected):
    with pytest.raises(Misread) as raised:
        read(text)
    assert expected in str(raised.value)


@pytest.mark.parametrize("seed", range(10))
def test_an_interval_holds_all_that_can_come_out(seed):
    generator = np.random.default_rng(seed)
    text = 'abs(dice("a", 0.1) - dice("b", 0.1)) * 2 / min(dice("a", 0.2), ssim("p")) - 1'
    low = generator.uniform(-1, 1, size=5)
    ends = {key: (a, a + 0.3) for key, a in zip(VALUES, low, strict=True)}
    for key in (("dice", ("a", 0.2)), ("ssim", ("p",))):
        ends[key] = (0.5, 0.8)  # not around zero
    expression = read(text)
    interval = expression.value(lambda *key: Interval(*ends[key]))
    for _ in range(200):
        drawn = {key: generator.uniform(*pair) for key, pair in ends.items()}
        result = expression.value(lambda *key, drawn=drawn: drawn[key])
        assert interval.low - 1e-12 <= result <= interval.high + 1e-12


# --- The paper's numbers ---


@pytest.fixture
def published(request):
    folder = request.config.rootpath / "config" / "published"
    return Published(*(folder / f"{n}.csv" for n in ("models", "table2", "table3", "pretext")))


def claim(statement, **more):
    return Claim(place="Section 0", claim="A claim", statement=statement, **more)


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        ('dice("unet", 0.8) > 0.843', "supported"),
        ('dice("unet", 0.8) > 0.845', "refuted"),
        ('dice("unet", 0.8) > 0.844', "inconclusive"),  # a third digit decides
        ('ssim("random_block_masking") + lpips("random_block_masking") < 1.002', "supported"),
    ],
)
def test_rounding_decides_where_the_paper_prints_no_seeds(published, statement, verdict):
    found = of_published(claim(statement), published)
    assert (found.verdict, found.basis) == (verdict, "rounding")


def test_a_row_that_was_averaged_or_is_impossible_is_marked(published):
    pooled, averaged = 'dice("pspnet", 0.8) > 0.8', 'dice("unet", 0.8) > 0.8'
    found = [of_published(claim(text), published) for text in (pooled, averaged)]
    both = of_published(claim(f"{pooled} and {averaged}"), published)
    assert [verdict.remark for verdict in (*found, both)] == ["", "not pooled", "not pooled"]
    assert {verdict.verdict for verdict in (*found, both)} == {"supported"}


def test_printed_seeds_give_a_t_interval(published):
    found = of_published(claim('dice("random_block_masking", 0.2) > 0'), published)
    seeds = [0.872, 0.875, 0.878]
    low, high = stats.t.interval(0.95, 2, loc=0.874, scale=stats.sem(seeds))
    assert (found.low, found.high) == pytest.approx((low - 0.0005, high + 0.0005))
    assert found.basis == "rounding, t over seeds"


@pytest.mark.parametrize("limit", [0.004, 0.03])
def test_printed_seeds_give_spreads_a_chi_square_interval(published, limit):
    found = of_published(claim(f'dice_sd("random_block_masking", 0.2) < {limit}'), published)
    ends = [np.sqrt(2 / stats.chi2.ppf(q, 2)) for q in (0.025, 0.975)]
    hidden = 0.0005 * np.sqrt(3 / 2)  # of three rounded values with a deviation of 0.003
    expected = [
        limit - (0.003 + sign * hidden) * end for sign, end in zip((1, -1), ends, strict=True)
    ]
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.verdict == ("supported" if limit > 0.025 else "inconclusive")
    assert found.basis == "rounding, spread over seeds"


def test_what_the_paper_does_not_print_is_not_tested(published):
    for statement, reason in {
        'dice("vnet", 0.2) > 0': "the paper has no method vnet",
        'dice("unet", 0.5) > 0': "table 2 has no fraction 0.5 of unet",
        'dice_sd("unet", 0.2) > 0': "the paper gives no seeds of unet",
        'l1("random_block_masking") > 0': "the paper does not give L1",
        'ssim("other") > 0': "the paper has no pretext other",
        '1 / (dice("unet", 0.2) - dice("unet", 0.2)) > 0': "the statement divides by zero",
    }.items():
        found = of_published(claim(statement), published)
        assert (found.verdict, found.basis) == ("not tested", reason)


# --- A study's numbers ---


def study(images, seeds=(1, 2), per_seed=None, generator=None):
    """Rows of metrics.csv: `good` is better than `bad` on most radiographs."""
    generator = generator or np.random.default_rng(0)
    rows = []
    for method, quality in (("good", 0.9), ("bad", 0.8)):
        for seed in seeds:
            names = per_seed[seed] if per_seed else range(images)
            for name in names:
                tooth = 100 + 10 * (name % 7)
                tp = generator.binomial(tooth, quality)
                fp = generator.binomial(tooth, 1 - quality)
                rows.append(
                    {"method": method, "fraction": 0.2, "seed": seed, "id": str(name)}
                    | {"tp": tp, "fp": fp, "fn": tooth - tp, "tn": 1000 - tooth - fp}
                )
    return pd.DataFrame(rows)


def test_the_estimate_is_table_2s_and_the_interval_a_paired_bootstrap_of_it():
    one = study(30, seeds=(1,))
    runs = pd.concat([one, one.assign(seed=2)])  # no chance in training
    found = of_study(claim('dice("good", 0.2) > dice("bad", 0.2)'), Measured(runs, {}, 500))

    def pooled(method, seed, names):
        rows = runs[(runs["method"] == method) & (runs["seed"] == seed)].set_index("id")
        tp, fp, fn = rows.loc[list(names), ["tp", "fp", "fn"]].sum()
        truth = np.repeat([1, 0, 1], [tp, fp, fn])
        return f1_score(truth, np.repeat([1, 1, 0], [tp, fp, fn]))

    def margin(names):
        sides = [np.mean([pooled(m, s, names) for s in (1, 2)]) for m in ("good", "bad")]
        return sides[0] - sides[1]

    names = [str(n) for n in range(30)]
    generator = np.random.default_rng(5)
    draws = [margin(generator.choice(names, 30)) for _ in range(120)]
    assert found.verdict == "supported"
    assert found.margin == pytest.approx(margin(names))
    assert (found.low, found.high) == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.008)


def trained(generator, mean, images, seeds, chance):
    """Rows of a method that hits a share of each tooth, with chance in radiograph and training."""
    hit = mean + generator.normal(0, 0.05, images) + generator.normal(0, chance, (seeds, 1))
    tp = np.round(10_000 * hit).astype(int)
    rows = [
        {"seed": seed, "id": str(name), "tp": tp[seed, name], "fp": 10_000 - tp[seed, name]}
        for seed in range(seeds)
        for name in range(images)
    ]
    return pd.DataFrame(rows).assign(fraction=0.2, tn=10_000, fn=lambda rows: rows["fp"])


def test_an_interval_holds_the_chance_of_radiographs_and_of_training():
    """Dice is the share that is hit. 120 studies whose 3 seeds vary as much as 50 radiographs."""
    generator, missed, narrow = np.random.default_rng(0), 0, 0
    for _ in range(120):
        runs = trained(generator, 0.8, 50, 3, 0.01).assign(method="a")
        found = of_study(claim('dice("a", 0.2) > 0.8'), Measured(runs, {}, 300))
        missed += not found.low <= 0 <= found.high
        copies = pd.concat([runs[runs["seed"] == 0].assign(seed=seed) for seed in (1, 2)])
        alone = of_study(claim('dice("a", 0.2) > 0.8'), Measured(copies, {}, 300))
        narrow += not alone.low <= 0 <= alone.high
    assert missed / 120 <= 0.08 and narrow / 120 >= 0.15


def test_methods_of_the_same_seeds_are_compared_seed_by_seed():
    """What a seed does to both of them says nothing of their difference."""
    rows = trained(np.random.default_rng(1), 0.8, 1, 3, 0.02)
    worse = rows.assign(tp=rows["tp"] - 500, fp=rows["fp"] + 500, fn=rows["fn"] + 500)
    paired = pd.concat([rows.assign(method="a"), worse.assign(method="b")])
    others = paired.assign(seed=paired["seed"] + 3 * (paired["method"] == "b"))
    statement = claim('dice("a", 0.2) > dice("b", 0.2)')
    found, apart = (of_study(statement, Measured(runs, {}, 2000)) for runs in (paired, others))
    assert (found.low, found.margin, found.high) == pytest.approx((0.05, 0.05, 0.05))
    assert apart.low < 0 < 0.1 < apart.high


def test_equal_methods_are_seldom_told_apart():
    """At most once in 20 studies, both ways together, whether seeds do the same to them or not."""
    generator, wrong = np.random.default_rng(2), {0.0: 0, 0.02: 0}
    for shared in wrong:
        for _ in range(150):
            runs = [trained(generator, 0.8, 20, 3, 0.01).assign(method=m) for m in "ab"]
            both = np.round(10_000 * generator.normal(0, shared, 3)).astype(int)
            for method in runs:
                shift = both[method["seed"]]
                method["tp"] += shift
                method["fp"] -= shift
                method["fn"] -= shift
            measured = Measured(pd.concat(runs), {}, 300)
            found = of_study(claim('dice("a", 0.2) > dice("b", 0.2)'), measured)
            wrong[shared] += found.verdict != "inconclusive"
    assert max(wrong.values()) / 150 <= 0.06


def test_without_a_second_seed_no_part_decides_and_it_says_so():
    runs = study(30, seeds=(1, 2, 3))
    runs = runs[(runs["method"] == "good") | (runs["seed"] == 1)]
    measured = Measured(runs, {}, 300)
    found = of_study(claim('dice("good", 0.2) > dice("bad", 0.2)'), measured)
    assert found.low > 0 and (found.verdict, found.remark) == ("inconclusive", "one seed")
    assert (
        found.basis == "bootstrap over radiographs, t over seeds, one seed of bad at fraction 0.2"
    )
    other = claim('dice("good", 0.2) < 0.5 and dice("good", 0.2) > dice("bad", 0.2)')
    assert of_study(other, measured).verdict == "refuted"
    assert of_study(claim('dice("good", 0.2) > 0.5'), measured).remark == ""


def test_a_claim_the_other_way_round_is_refuted_and_a_close_one_inconclusive():
    measured = Measured(study(30), {}, resamples=300)
    assert of_study(claim('dice("good", 0.2) < dice("bad", 0.2)'), measured).verdict == "refuted"
    margin = measured.lookup("dice", ("good", 0.2))[0] - measured.lookup("dice", ("bad", 0.2))[0]
    close = claim(f'dice("good", 0.2) > dice("bad", 0.2) + {margin}')
    assert of_study(close, measured).verdict == "inconclusive"


def test_more_seeds_of_the_same_radiographs_do_not_pass_for_more_radiographs():
    one = study(12, seeds=(1,))
    copies = pd.concat([one.assign(seed=seed) for seed in (1, 2, 3)])
    statement = claim('dice("good", 0.2) > 0.5')
    few, many = (of_study(statement, Measured(runs, {})) for runs in (one, copies))
    assert (few.low, few.high) == pytest.approx((many.low, many.high))


def test_seeds_with_test_sets_of_their_own_are_pooled_over_these():
    runs = study(0, per_seed={1: range(12), 2: range(8, 20)})
    measured = Measured(runs, {}, resamples=200)
    assert len(measured.ids) == 20
    sums = runs[runs["method"] == "good"].groupby("seed")[["tp", "fp", "fn"]].sum()
    expected = scores(sums["tp"], sums["fp"], sums["fn"])["dice"]
    found = measured.lookup("dice", ("good", 0.2))
    assert found[0] == pytest.approx(expected.mean())
    assert measured.lookup("dice_range", ("good", 0.2))[0] == pytest.approx(np.ptp(expected))
    assert measured.lookup("dice_sd", ("good", 0.2))[0] == pytest.approx(expected.std(ddof=1))


def test_a_tiny_test_set_that_a_draw_misses_leaves_that_draw_out():
    runs = study(0, per_seed={1: range(2), 2: range(2, 12)})
    found = of_study(claim('dice_sd("good", 0.2) > -1'), Measured(runs, {}, resamples=300))
    assert found.verdict == "supported"


def test_spreads_over_few_seeds_have_a_chi_square_interval():
    same = study(12, seeds=(1,))
    runs = pd.concat([same.assign(seed=s, tp=same["tp"] + 9 * s) for s in (1, 2, 3)])
    drawn = Measured(runs, {}, resamples=20_000).lookup("dice_sd", ("good", 0.2))
    one_radiograph = Measured(runs[runs["id"] == "0"], {}, resamples=20_000)
    alone = one_radiograph.lookup("dice_sd", ("good", 0.2))
    low, high = percentile_interval(alone[1:])  # no chance of radiographs: that of seeds alone
    bounds = [np.sqrt(2 / stats.chi2.ppf(q, 2)) for q in (0.975, 0.025)]
    assert (low / alone[0], high / alone[0]) == pytest.approx(bounds, rel=0.05)
    assert np.ptp(drawn) > 0
    found = of_study(claim('dice_sd("good", 0.2) > 0'), Measured(runs, {}, resamples=100))
    assert found.basis == "bootstrap over radiographs, spread over seeds"


def test_metrics_of_one_run_share_a_draw_of_the_seeds_and_other_runs_have_another():
    same = study(6, seeds=(1,))
    runs = pd.concat([same.assign(seed=s, tp=same["tp"] + 9 * s) for s in (1, 2, 3)])
    measured = Measured(runs[runs["id"] == "0"], {}, resamples=50)
    names = [("dice_sd", "good"), ("jaccard_sd", "good"), ("dice_sd", "bad")]
    found = [measured.lookup(name, (method, 0.2)) for name, method in names]
    factors = [values[1:] / values[0] for values in found]
    assert factors[0] == pytest.approx(factors[1])
    assert factors[0] != pytest.approx(factors[2])


def test_pretext_metrics_are_averaged_over_radiographs():
    values = pd.DataFrame({"id": ["0", "1", "99"], "ssim": [0.7, 0.8, 0.9], "lpips": [np.nan] * 3})
    measured = Measured(study(5), {"masking": values}, resamples=200)
    assert measured.lookup("ssim", ("masking",))[0] == pytest.approx(0.8)
    found = of_study(claim('ssim("masking") > 0.65'), measured)
    assert found.verdict == "supported" and found.low > 0.04
    with pytest.raises(Unavailable, match="LPIPS of masking was not measured"):
        measured.lookup("lpips", ("masking",))


def test_what_the_study_lacks_is_not_tested_and_says_so():
    measured = Measured(study(5, seeds=(1,)), {}, resamples=20)
    for statement, reason in {
        'dice("unet", 0.2) > 0': "the study has no method unet",
        'dice("good", 0.8) > 0': "the study has no fraction 0.8 of good",
        'dice_sd("good", 0.2) > 0': "the study has one seed of good at fraction 0.2",
        'ssim("masking") > 0': "the study has no pretext masking",
        '1 / (dice("good", 0.2) - dice("good", 0.2)) > 0': "the statement divides by zero",
    }.items():
        found = of_study(claim(statement), measured)
        assert (found.verdict, found.basis) == ("not tested", reason)


# --- The file and the stage ---


def write(tmp_path, text):
    file = tmp_path / "claims.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("claims: {a: {place: P, claim: C}}", "Setting claims.a: give either a statement"),
        ("claims: {a: {place: P, claim: C, statement: 1 + 1}}", "'1 + 1' is a number; compare"),
        (
            "claims: {a: {place: P, claim: C, statement: f(1) > 1}}",
            "claims.a: statement: 'f' is no",
        ),
        ("claims: {a: {plaice: P, claim: C, statement: 1 > 0}}", "did you mean 'place'?"),
        ("claims: {}", "Setting claims is {}"),
        ("- a", "Settings are ['a']"),
        ("claims: {", "is no valid YAML"),
    ],
)
def test_a_bad_entry_is_named_with_its_file(tmp_path, text, expected):
    with pytest.raises(InputError) as raised:
        read_claims(write(tmp_path, text))
    assert "claims.yaml" in str(raised.value) and expected in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere.yaml does not exist"):
        read_claims(tmp_path / "nowhere.yaml")


REPORT = ReportJob.model_construct(
    dataset="A synthetic set",
    protocol="complement",
    threshold=0.5,
    boundary_tolerance=1.0,
    labels={"good": "Good", "bad": "Bad"},
    short_labels={"good": "Good", "bad": "Bad"},
    ours="good",
)


def run(tmp_path, file, request, runs):
    metrics = []
    for number, (_, rows) in enumerate(runs.groupby(["method", "fraction", "seed"])):
        metrics.append(tmp_path / f"{number}.csv")
        dice = scores(rows["tp"], rows["fp"], rows["fn"])["dice"]
        write_csv(metrics[-1], rows.assign(dice=dice).to_dict("records"))
    assert len(read_metrics(metrics, REPORT)) == len(runs)
    out = {kind: tmp_path / f"claims.{kind}" for kind in ("csv", "md", "tex")}
    folder = request.config.rootpath / "config" / "published"
    arguments = ["claims", "--settings", REPORT.model_dump_json(), "--claims", str(file)]
    arguments += ["--metrics", *map(str, metrics)]
    for name in ("table2", "table3", "pretext", "models"):
        arguments += [f"--{name}", str(folder / f"{name}.csv")]
    arguments += [text for kind, path in out.items() for text in (f"--{kind}", str(path))]
    assert main(arguments) == 0
    return pd.read_csv(out["csv"]).set_index("claim"), out["md"].read_text(), out["tex"].read_text()


def test_the_papers_claims_get_the_verdicts_of_its_own_numbers(tmp_path, request):
    file = request.config.rootpath / "config" / "claims.yaml"
    table, text, latex = run(tmp_path, file, request, study(6))
    assert table["paper"].to_dict() == {
        "outperforms_unet": "supported",
        "outperforms_pspnet": "supported",
        "comparable_to_linknet": "inconclusive",
        "sobel_guides": "not tested",
        "masking_ratio": "not tested",
        "ssim": "not tested",
        "lpips": "not tested",
        "fsim": "not tested",
        "beats_all_at_80": "refuted",
        "pretext_helps_at_10": "supported",
        "pretext_helps_at_20": "supported",
        "pretext_helps_at_30": "supported",
        "pretext_helps_at_80": "inconclusive",
        "pretext_helps_at_90": "inconclusive",
        "pretext_helps": "inconclusive",
        "correct_despite_errors": "not tested",
        "due_to_pretext": "not tested",
        "rivals_others": "supported",
        "similar_over_seeds": "inconclusive",
        "variation_mean": "inconclusive",
        "variation_every_metric": "refuted",
        "best_jaccard_at_90": "inconclusive",
    }
    assert set(table["ours"]) == {"not tested"}
    assert table["ours_basis"]["ssim"] == "the study has no pretext random_block_masking"
    assert table.loc["due_to_pretext", "paper_basis"] != table.loc["due_to_pretext", "ours_basis"]
    assert table.loc["outperforms_unet", "paper_remark"] == "not pooled"
    assert pd.isna(table.loc["similar_over_seeds", "paper_remark"])
    assert "**supported** +0.025 [+0.014, +0.036], not pooled" in text
    assert "COMPLEMENT" in text and "such intervals are too narrow" in text
    assert "**" not in latex and "`" not in latex


def test_adding_a_claim_is_adding_an_entry(tmp_path, request):
    statement = """claims:
  better:
    place: Section 9
    claim: Good is better
    statement: dice("good", 0.2) > dice("bad", 0.2)
"""
    table, text, _ = run(tmp_path, write(tmp_path, statement), request, study(30))
    assert table.loc["better", ["paper", "ours"]].tolist() == ["not tested", "supported"]
    assert table.loc["better", "paper_basis"] == "the paper has no method good"
    assert "this study's support 1, refute 0" in text and "Good is better" in text
