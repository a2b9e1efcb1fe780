import itertools
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from maskedteeth.data.splits import draw_pretext_split, draw_split, split, split_pretext
from maskedteeth.errors import InputError
from maskedteeth.files import write_csv
from maskedteeth.settings.jobs import SplitJob, SplitPretextJob
from maskedteeth.settings.validation import validate

FRACTIONS = (0.1, 0.2, 0.3, 0.8, 0.9)
TOOTHED = {"tooth_fraction": "0.1"}


def make_index(random, count):
    """Rows with duplicate groups of up to three radiographs and with unlabelled ones, mixed."""
    names, group = [], 0
    while len(names) < count:
        group += 1
        names += [str(group)] * random.choice((1, 1, 1, 2, 3))
    random.shuffle(names)
    return [
        {"id": str(n), "labelled": random.choice("0111111"), "duplicate_group": name} | TOOTHED
        for n, name in enumerate(names, start=1)
    ]


indexes = st.builds(make_index, st.randoms(use_true_random=True), st.integers(60, 90))
protocols = st.sampled_from(["fixed-test", "complement"])
seeds = st.integers(0, 2**31 - 1)


def job(seed=42, fraction=0.1, **changes):
    return SplitJob(seed=seed, fraction=fraction, **changes)


def draw_all(rows, seed=42, **changes):
    """Every fraction's split, smallest first."""
    return [draw_split(rows, job(seed, fraction, **changes)) for fraction in FRACTIONS]


def labelled(rows):
    return [row["id"] for row in rows if row["labelled"] == "1"]


def groups_of(rows, ids):
    of = {row["id"]: row["duplicate_group"] for row in rows}
    return {of[i] for i in ids}


def tidy(count, **changes):
    rows = [
        {"id": str(n), "labelled": "1", "duplicate_group": str(n)} | TOOTHED for n in range(count)
    ]
    for position, change in changes.items():
        rows[int(position.removeprefix("at"))] |= change
    return rows


@given(indexes, seeds, protocols)
def test_larger_fractions_contain_the_smaller_ones(rows, seed, protocol):
    subsets = [entry["train"] for entry in draw_all(rows, seed, protocol=protocol)]
    for smaller, larger in itertools.pairwise(subsets):
        assert larger[: len(smaller)] == smaller
        assert len(smaller) < len(larger)


@given(indexes, seeds, protocols)
def test_a_duplicate_never_straddles_the_split(rows, seed, protocol):
    for entry in draw_all(rows, seed, protocol=protocol):
        assert not groups_of(rows, entry["train"]) & groups_of(rows, entry["test"])


@given(indexes, seeds, protocols)
def test_only_labelled_radiographs_train_and_test_each_once(rows, seed, protocol):
    for entry in draw_all(rows, seed, protocol=protocol):
        together = entry["train"] + entry["test"]
        assert len(set(together)) == len(together)
        assert set(together) <= set(labelled(rows))


@given(indexes, seeds)
def test_nothing_trains_on_the_fixed_test_set_and_the_pretext_does_not_see_it(rows, seed):
    drawn = draw_all(rows, seed)
    pretext = draw_pretext_split(rows, SplitPretextJob())
    tests = {tuple(entry["test"]) for entry in drawn}
    assert tests == {tuple(pretext["test"])}
    test = groups_of(rows, pretext["test"])
    assert not test & groups_of(rows, pretext["train"])
    # Everything else trains the pretext, the unlabelled too, unless it shows a test radiograph.
    assert set(pretext["train"]) == {r["id"] for r in rows if r["duplicate_group"] not in test}


@given(indexes, seeds, seeds)
def test_the_fixed_test_set_is_the_same_for_all_seeds(rows, one, another):
    first, second = (draw_all(rows, seed) for seed in (one, another))
    assert [e["test"] for e in first] == [e["test"] for e in second]


@given(indexes, seeds)
@example(rows=tidy(65), seed=0)  # 6.5 test and 58.5 train: both halves round down
def test_the_largest_fraction_is_the_whole_pool(rows, seed):
    drawn = draw_all(rows, seed)
    largest = drawn[-1]
    assert sorted(largest["train"] + largest["test"]) == sorted(labelled(rows))
    assert {entry["pool"] for entry in drawn} == {len(largest["train"])}


@given(indexes, seeds)
def test_in_the_complement_protocol_all_that_does_not_train_tests(rows, seed):
    for entry in draw_all(rows, seed, protocol="complement"):
        assert entry["pool"] == len(labelled(rows))
        assert sorted(entry["train"] + entry["test"]) == sorted(labelled(rows))
        # In the order of the index, so that predictions of all runs stand alike.
        order = labelled(rows)
        assert entry["test"] == [i for i in order if i in set(entry["test"])]
    assert draw_pretext_split(rows, SplitPretextJob(protocol="complement"))["train"] == [
        row["id"] for row in rows
    ]


@given(indexes, seeds, protocols)
def test_sizes_are_right_to_within_one_duplicate_group(rows, seed, protocol):
    drawn = draw_all(rows, seed, protocol=protocol)
    count = len(labelled(rows))
    for entry in drawn[:4]:
        surplus = len(entry["train"]) - round(entry["fraction"] * count)
        assert 0 <= surplus <= 2  # groups have at most three members
    if protocol == "fixed-test":
        shortfall = round(0.1 * count) - len(drawn[0]["test"])
        assert 0 <= shortfall <= 2


@given(indexes, seeds, protocols)
@settings(max_examples=20)
def test_the_same_seed_draws_the_same_split(rows, seed, protocol):
    once, again = (draw_split(rows, job(seed, protocol=protocol)) for _ in range(2))
    assert once == again


def test_the_papers_sizes():
    rows = tidy(598, **{f"at{k}": {"labelled": "0"} for k in (177, 299, 585)})
    drawn = draw_all(rows)
    # Of 595 labelled radiographs; 60 test.
    assert [len(entry["train"]) for entry in drawn] == [60, 119, 178, 476, 535]
    assert {len(entry["test"]) for entry in drawn} == {60}
    assert len(draw_pretext_split(rows, SplitPretextJob())["train"]) == 538


def test_another_seed_draws_other_subsets_and_another_test_seed_another_test_set():
    rows = tidy(60)
    one, two = (draw_split(rows, job(seed, 0.2)) for seed in (1, 2))
    assert set(one["train"]) != set(two["train"])
    other = draw_split(rows, job(1, 0.2, test_seed=43))
    assert set(one["test"]) != set(other["test"])


def test_every_radiograph_has_the_same_chance_of_testing():
    rows, times = tidy(20), dict.fromkeys(map(str, range(20)), 0)
    for test_seed in range(2000):
        for i in draw_pretext_split(rows, SplitPretextJob(test_seed=test_seed))["test"]:
            times[i] += 1
    assert sum(times.values()) == 4000
    assert max(abs(n - 200) for n in times.values()) < 5 * (200 * 0.9) ** 0.5


@pytest.mark.parametrize("protocol", ["fixed-test", "complement"])
def test_an_empty_subset_is_explained(protocol):
    with pytest.raises(InputError, match=r"Fraction 0\.1 of 3 labelled .* 0 to train .* Change"):
        draw_split(tidy(3), job(protocol=protocol))


@pytest.mark.parametrize("protocol", ["fixed-test", "complement"])
def test_a_dataset_without_masks_is_explained(protocol):
    unlabelled = [row | {"labelled": "0"} for row in tidy(30)]
    with pytest.raises(InputError, match="of 0 labelled radiographs"):
        draw_split(unlabelled, job(protocol=protocol))
    with pytest.raises(InputError, match="0 to test"):
        draw_pretext_split(unlabelled, SplitPretextJob(protocol=protocol))


def test_the_stages_write_what_they_draw(tmp_path):
    rows = tidy(40)
    write_csv(tmp_path / "index.csv", rows)
    split(job(), index=tmp_path / "index.csv", split=tmp_path / "split.json")
    assert json.loads((tmp_path / "split.json").read_text()) == draw_split(rows, job())
    split_pretext(SplitPretextJob(), index=tmp_path / "index.csv", split=tmp_path / "p.json")
    expected = draw_pretext_split(rows, SplitPretextJob())
    assert json.loads((tmp_path / "p.json").read_text()) == expected


def test_a_split_file_says_what_it_is_of():
    drawn = draw_split(tidy(40), job(7, 0.2))
    assert list(drawn) == ["protocol", "fraction", "seed", "pool", "train", "test"]
    assert (drawn["protocol"], drawn["fraction"], drawn["seed"]) == ("fixed-test", 0.2, 7)


def test_a_fraction_that_does_not_fit_beside_the_test_set_is_refused():
    with pytest.raises(InputError, match=r"0\.95 does not fit .* the largest possible is 0\.9\."):
        validate({"fraction": 0.95, "seed": 1}, SplitJob)
    assert validate({"fraction": 0.95, "seed": 1, "protocol": "complement"}, SplitJob)


# --- Empty masks ---


@pytest.mark.parametrize(
    ("part", "advice"), [("train", "change the seed"), ("test", r"change split\.test_seed")]
)
def test_a_part_with_empty_masks_only_is_refused(part, advice):
    rows = tidy(20)
    drawn = draw_split(rows, job())
    for row in rows:
        row["tooth_fraction"] = "0.000000" if row["id"] in drawn[part] else "0.2"
    sentence = rf"All 2 radiographs that would {part} at fraction 0\.1 with seed 42 .*{advice}"
    with pytest.raises(InputError, match=sentence):
        draw_split(rows, job())
    next(row for row in rows if row["id"] == drawn[part][0])["tooth_fraction"] = "0.1"
    assert draw_split(rows, job()) == drawn
