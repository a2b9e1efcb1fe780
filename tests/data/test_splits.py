import itertools

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maskedteeth.data.splits import draw_pretext_split, draw_split
from maskedteeth.errors import InputError
from maskedteeth.settings.sections import HeldOut

FRACTIONS = (0.1, 0.2, 0.3, 0.8, 0.9)


def make_index(random, count):
    """An index with duplicate groups of up to three radiographs and with unlabelled ones, mixed."""
    names, group = [], 0
    while len(names) < count:
        group += 1
        names += [str(group)] * random.choice((1, 1, 1, 2, 3))
    random.shuffle(names)
    labelled = [random.choice((False, *[True] * 6)) for _ in names]
    return tidy(len(names)).assign(labelled=labelled, duplicate_group=names)


def tidy(count):
    ids = [str(n) for n in range(count)]
    columns = {"id": ids, "labelled": True, "duplicate_group": ids, "tooth_fraction": 0.1}
    return pd.DataFrame(columns)


indexes = st.builds(make_index, st.randoms(use_true_random=True), st.integers(60, 90))
protocols = st.sampled_from([HeldOut(protocol=name) for name in ("fixed-test", "complement")])
seeds = st.integers(0, 2**31 - 1)
FIXED, COMPLEMENT = HeldOut(protocol="fixed-test"), HeldOut(protocol="complement")


def draw_all(index, held_out=FIXED, seed=42):
    """Every fraction's split, smallest first."""
    return [draw_split(index, held_out, fraction, seed) for fraction in FRACTIONS]


def labelled(index):
    return index["id"][index["labelled"]].tolist()


def groups_of(index, ids):
    return set(index.set_index("id").loc[ids, "duplicate_group"])


@given(indexes, protocols, seeds)
def test_larger_fractions_contain_the_smaller_ones(index, held_out, seed):
    subsets = [split.train for split in draw_all(index, held_out, seed)]
    for smaller, larger in itertools.pairwise(subsets):
        assert larger[: len(smaller)] == smaller and len(smaller) < len(larger)


@given(indexes, protocols, seeds)
def test_no_duplicate_group_crosses_a_split(index, held_out, seed):
    for split in draw_all(index, held_out, seed):
        assert not groups_of(index, split.train) & groups_of(index, split.test)


@given(indexes, protocols, seeds)
def test_only_labelled_radiographs_train_and_test_each_once(index, held_out, seed):
    for split in draw_all(index, held_out, seed):
        together = split.train + split.test
        assert len(set(together)) == len(together) and set(together) <= set(labelled(index))
        # In the order of the index, so that predictions of all runs stand alike.
        assert split.test == [i for i in labelled(index) if i in set(split.test)]


@given(indexes, seeds)
def test_nothing_trains_on_the_fixed_test_set_and_the_pretext_does_not_see_it(index, seed):
    pretext = draw_pretext_split(index, FIXED)
    assert {tuple(split.test) for split in draw_all(index, FIXED, seed)} == {tuple(pretext.test)}
    test = groups_of(index, pretext.test)
    # Everything else trains the pretext, the unlabelled too, unless it shows a test radiograph.
    assert pretext.train == index["id"][~index["duplicate_group"].isin(test)].tolist()


@given(indexes, seeds)
@example(index=tidy(65), seed=0)  # 6.5 test and 58.5 train: both halves round down
def test_the_largest_fraction_is_the_whole_pool(index, seed):
    drawn = draw_all(index, FIXED, seed)
    assert sorted(drawn[-1].train + drawn[-1].test) == sorted(labelled(index))
    assert {split.pool for split in drawn} == {len(drawn[-1].train)}


@given(indexes, seeds)
def test_in_the_complement_protocol_all_that_does_not_train_tests(index, seed):
    for split in draw_all(index, COMPLEMENT, seed):
        assert split.pool == len(labelled(index))
        assert sorted(split.train + split.test) == sorted(labelled(index))
    assert draw_pretext_split(index, COMPLEMENT).train == index["id"].tolist()


@given(indexes, protocols, seeds)
def test_sizes_are_right_to_within_one_duplicate_group(index, held_out, seed):
    drawn, count = draw_all(index, held_out, seed), len(labelled(index))
    for fraction, split in zip(FRACTIONS[:4], drawn, strict=False):
        assert 0 <= len(split.train) - round(fraction * count) <= 2  # of at most three members
    if held_out == FIXED:
        assert 0 <= round(0.1 * count) - len(drawn[0].test) <= 2


def test_the_papers_sizes():
    index = tidy(598)
    index.loc[[177, 299, 585], "labelled"] = False
    drawn = draw_all(index)
    assert [len(split.train) for split in drawn] == [60, 119, 178, 476, 535]  # of 595
    assert {len(split.test) for split in drawn} == {60}
    assert len(draw_pretext_split(index, FIXED).train) == 538


def test_the_streams_of_random_numbers_stay_as_they_are():
    split = draw_split(tidy(20), FIXED, 0.2, 42)
    assert (split.train, split.test, split.pool) == (["0", "3", "7", "8"], ["4", "9"], 18)
    assert draw_split(tidy(20), FIXED, 0.2, 43).train != split.train
    assert draw_split(tidy(20), HeldOut(test_seed=43), 0.2, 42).test != split.test


def test_every_radiograph_has_the_same_chance_of_testing():
    index, times = tidy(20), dict.fromkeys(map(str, range(20)), 0)
    for test_seed in range(1000):
        for i in draw_pretext_split(index, HeldOut(test_seed=test_seed)).test:
            times[i] += 1
    assert sum(times.values()) == 2000
    assert max(abs(n - 100) for n in times.values()) < 5 * (100 * 0.9) ** 0.5


@pytest.mark.parametrize("held_out", [FIXED, COMPLEMENT])
def test_too_few_radiographs_or_masks_are_explained(held_out):
    with pytest.raises(InputError, match=r"Fraction 0\.1 of 3 labelled .* 0 to train .* Change"):
        draw_split(tidy(3), held_out, 0.1, 42)
    unlabelled = tidy(30).assign(labelled=False)
    with pytest.raises(InputError, match="of 0 labelled radiographs"):
        draw_split(unlabelled, held_out, 0.1, 42)
    with pytest.raises(InputError, match="0 to test"):
        draw_pretext_split(unlabelled, held_out)


@pytest.mark.parametrize(
    ("part", "advice"), [("train", "change the seed"), ("test", r"change split\.test_seed")]
)
def test_a_part_with_empty_masks_only_is_refused(part, advice):
    index = tidy(20)
    drawn = draw_split(index, FIXED, 0.1, 42)
    ids = getattr(drawn, part)
    index.loc[index["id"].isin(ids), "tooth_fraction"] = 0
    sentence = rf"All 2 radiographs that would {part} at fraction 0\.1 with seed 42 .*{advice}"
    with pytest.raises(InputError, match=sentence):
        draw_split(index, FIXED, 0.1, 42)
    index.loc[index["id"] == ids[0], "tooth_fraction"] = 0.1
    assert draw_split(index, FIXED, 0.1, 42) == drawn
