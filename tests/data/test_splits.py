import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maskedteeth.data.splits import draw_pretext_split, draw_split
from maskedteeth.errors import InputError
from maskedteeth.settings.config import HeldOut

FRACTIONS = (0.1, 0.2, 0.3, 0.8, 0.9)
FIXED, COMPLEMENT = HeldOut(protocol="fixed-test"), HeldOut(protocol="complement")


def row(name, group=None, labelled=True, share="0.1"):
    """A line of index.csv."""
    found = {
        "id": name,
        "labelled": "1",
        "group": group or name,
        "part": "",
        "tooth_fraction": share,
    }
    return found if labelled else found | {"labelled": "0", "tooth_fraction": ""}


def tidy(count):
    return [row(str(number)) for number in range(count)]


def mixed(random, count):
    """An index with duplicate groups of up to three radiographs and with unlabelled ones, mixed."""
    groups, number = [], 0
    while len(groups) < count:
        number += 1
        groups += [str(number)] * random.choice((1, 1, 1, 2, 3))
    random.shuffle(groups)
    choices = (False, *[True] * 6)
    return [row(str(n), group, random.choice(choices)) for n, group in enumerate(groups)]


indexes = st.builds(mixed, st.randoms(use_true_random=True), st.integers(60, 90))
protocols = st.sampled_from([FIXED, COMPLEMENT])
seeds = st.integers(0, 2**31 - 1)


def draw_all(rows, held_out=FIXED, seed=42):
    """Every fraction's split, smallest first."""
    return [draw_split(rows, held_out, fraction, seed) for fraction in FRACTIONS]


def labelled(rows):
    return [row["id"] for row in rows if row["labelled"] == "1"]


def groups_of(rows, ids):
    return {row["group"] for row in rows if row["id"] in ids}


@given(indexes, protocols, seeds)
def test_subsets_are_nested_and_no_duplicate_group_crosses_a_split(rows, held_out, seed):
    drawn = draw_all(rows, held_out, seed)
    for smaller, larger in itertools.pairwise(split.train for split in drawn):
        assert larger[: len(smaller)] == smaller and len(smaller) < len(larger)
    for split in drawn:
        assert not groups_of(rows, split.train) & groups_of(rows, split.test)
        together = split.train + split.test
        assert len(set(together)) == len(together) and set(together) <= set(labelled(rows))
        # In the order of the index, so that predictions of all runs stand alike.
        assert split.test == [i for i in labelled(rows) if i in split.test]


@given(indexes, seeds)
@example(tidy(65), 0)  # 6.5 test and 58.5 train: both halves round down
def test_nothing_trains_on_the_fixed_test_set_and_the_pretext_does_not_see_it(rows, seed):
    pretext, drawn = draw_pretext_split(rows, FIXED), draw_all(rows, FIXED, seed)
    assert {tuple(split.test) for split in drawn} == {tuple(pretext.test)}
    test = groups_of(rows, pretext.test)
    # Everything else trains the pretext, the unlabelled too, unless it shows a test radiograph.
    assert pretext.train == [row["id"] for row in rows if row["group"] not in test]
    # The largest fraction is all that is left.
    assert sorted(drawn[-1].train + drawn[-1].test) == sorted(labelled(rows))
    assert {split.pool for split in drawn} == {len(drawn[-1].train)}


@given(indexes, seeds)
def test_in_the_complement_protocol_all_that_does_not_train_tests(rows, seed):
    for split in draw_all(rows, COMPLEMENT, seed):
        assert split.pool == len(labelled(rows))
        assert sorted(split.train + split.test) == sorted(labelled(rows))
    assert draw_pretext_split(rows, COMPLEMENT).train == [row["id"] for row in rows]


@given(indexes, protocols, seeds)
def test_sizes_are_right_to_within_one_duplicate_group(rows, held_out, seed):
    drawn, count = draw_all(rows, held_out, seed), len(labelled(rows))
    for fraction, split in zip(FRACTIONS[:4], drawn, strict=False):
        assert 0 <= len(split.train) - round(fraction * count) <= 2  # of at most three members
    if held_out == FIXED:
        assert 0 <= round(0.1 * count) - len(drawn[0].test) <= 2


def test_the_papers_sizes():
    rows = [row(str(n), labelled=n not in (177, 299, 585)) for n in range(598)]
    drawn = draw_all(rows)
    assert [len(split.train) for split in drawn] == [60, 119, 178, 476, 535]  # of 595
    assert {len(split.test) for split in drawn} == {60}
    assert len(draw_pretext_split(rows, FIXED).train) == 538


@pytest.mark.parametrize("held_out", [FIXED, COMPLEMENT])
def test_a_fraction_may_be_a_single_radiograph(held_out):
    rows = tidy(60)
    one, five = (draw_split(rows, held_out, fraction, 42) for fraction in (0.01, 0.09))
    assert len(one.train) == 1 and len(five.train) == 5 and five.train[:1] == one.train
    with pytest.raises(InputError, match=r"Fraction 0\.008 of 60 labelled .* 0 to train"):
        draw_split(rows, held_out, 0.008, 42)


def test_the_streams_of_random_numbers_stay_as_they_are():
    split = draw_split(tidy(20), FIXED, 0.2, 42)
    assert (split.train, split.test, split.pool) == (["0", "3", "7", "8"], ["4", "9"], 18)
    assert draw_split(tidy(20), FIXED, 0.2, 43).train != split.train
    assert draw_split(tidy(20), HeldOut(test_seed=43), 0.2, 42).test != split.test


@pytest.mark.parametrize("given", [None, "split.csv"])
def test_settings_are_chosen_without_the_test_set(given):
    rows = [row(str(n), labelled=n < 50) for n in range(60)]
    if given:
        rows = [r | {"part": "test" if r["id"] in [*"01234"] else "train"} for r in rows]
    tested = HeldOut(given=given)
    chosen = tested.model_copy(update={"protocol": "validation"})
    set_aside = set(draw_split(rows, tested, 0.2, 42).test)
    assert len(set_aside) == 5
    for split in (draw_split(rows, chosen, 0.2, 42), draw_pretext_split(rows, chosen)):
        assert not set_aside & {*split.train, *split.test}
        assert not {*split.train} & {*split.test}
        assert len(split.test) == 4  # a tenth of the 45 that are left
    assert len(draw_split(rows, chosen, 0.2, 42).train) == 9
    assert len(draw_pretext_split(rows, chosen).train) == 60 - 5 - 4


def test_the_pretext_without_annotations_has_a_validation_set_too():
    rows = [row(str(n), labelled=False) for n in range(50)]
    tested, chosen = (
        draw_pretext_split(rows, HeldOut(protocol=p)) for p in ("fixed-test", "validation")
    )
    assert not {*tested.test} & {*chosen.train, *chosen.test} and len(chosen.test) == 4


@pytest.mark.parametrize("held_out", [FIXED, COMPLEMENT])
def test_too_few_radiographs_or_masks_are_explained(held_out):
    with pytest.raises(InputError, match=r"Fraction 0\.1 of 3 labelled .* 0 to train .* Change"):
        draw_split(tidy(3), held_out, 0.1, 42)
    unlabelled = [row(str(n), labelled=False) for n in range(30)]
    with pytest.raises(InputError, match="of 0 labelled .* 30 of 30 radiographs have none"):
        draw_split(unlabelled, held_out, 0.1, 42)
    with pytest.raises(InputError, match="0 to test"):
        draw_pretext_split(unlabelled[:2], held_out)
    with pytest.raises(InputError) as error:
        draw_split(tidy(12), held_out, 0.01, 42)
    assert str(error.value).endswith("Change split.fractions (the smallest possible is 0.042).")
    assert len(draw_split(tidy(12), held_out, 0.042, 42).train) == 1


def test_a_test_set_that_would_be_empty_is_explained_by_its_own_setting():
    with pytest.raises(
        InputError, match=r"1 to train and 0 to test.*Change split\.test_fraction\.$"
    ):
        draw_split(tidy(4), FIXED, 0.3, 42)


@pytest.mark.parametrize("held_out", [FIXED, COMPLEMENT])
def test_the_pretext_needs_no_annotation(held_out):
    unlabelled = [row(str(n), labelled=False) for n in range(30)]
    split = draw_pretext_split(unlabelled, held_out)
    assert len(split.test) == 3 and len(split.train) == (27 if held_out is FIXED else 30)


@pytest.mark.parametrize(
    ("part", "advice"), [("train", "change the seed"), ("test", r"change split\.test_seed")]
)
def test_a_part_with_empty_masks_only_is_refused(part, advice):
    ids = getattr(draw_split(tidy(20), FIXED, 0.1, 42), part)
    rows = [r | {"tooth_fraction": "0.000000" if r["id"] in ids else "0.1"} for r in tidy(20)]
    sentence = rf"All 2 radiographs for {part}ing at fraction 0\.1 with seed 42 .*{advice}"
    with pytest.raises(InputError, match=sentence):
        draw_split(rows, FIXED, 0.1, 42)
