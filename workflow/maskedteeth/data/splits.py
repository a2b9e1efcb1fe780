"""Who trains, who tests: drawn from the index, the same wherever it is asked for.

Copies of one radiograph form a duplicate group, and a group is never divided between training
and test.
"""

import random
from dataclasses import dataclass

import pandas as pd

from maskedteeth.errors import InputError
from maskedteeth.settings.sections import HeldOut


@dataclass(frozen=True)
class Split:
    """Radiographs by their ids.

    Attributes:
        train: those that train.
        test: those that test, in the order of the index.
        pool: number of radiographs of which ``train`` is a part.
    """

    train: list[str]
    test: list[str]
    pool: int


def draw_split(index: pd.DataFrame, held_out: HeldOut, fraction: float, seed: int) -> Split:
    """Draw the training subset of one fraction and seed.

    Subsets of one seed are nested: each is the beginning of one order of all radiographs that may
    train.

    Args:
        index: of :func:`maskedteeth.data.arrays.read_index`.
        held_out: protocol and test set.
        fraction: share of the labelled radiographs that trains.
        seed: of the order.

    Raises:
        InputError: the subset or the test set would be empty, or have empty masks only.
    """
    labelled = index[index["labelled"]]
    groups = _groups(labelled)
    test = _test_groups(groups, len(labelled), held_out)
    fixed = held_out.protocol == "fixed-test"
    pool = [name for name in groups if name not in test] if fixed else list(groups)
    random.Random(f"subset {seed}").shuffle(pool)
    pool_ids = [i for name in pool for i in groups[name]]

    whole_pool = fixed and fraction + held_out.test_fraction > 1 - 1e-9
    wanted = len(pool_ids) if whole_pool else round(fraction * len(labelled))
    train: list[str] = []
    for name in pool:
        if len(train) >= wanted:
            break
        train += groups[name]
    outside = pool_ids[len(train) :]  # train is the beginning of the pool
    held = {i for name in test for i in groups[name]} if fixed else set(outside)
    if not train or not held:
        raise InputError(
            f"Fraction {fraction:g} of {len(labelled)} labelled radiographs leaves "
            f"{len(train)} to train and {len(held)} to test; both must have at least one. "
            "Change split.fractions or add radiographs."
        )
    split = Split(train, [i for i in labelled["id"] if i in held], len(pool_ids))
    _refuse_toothless(labelled, split, fraction, seed)
    return split


def draw_pretext_split(index: pd.DataFrame, held_out: HeldOut) -> Split:
    """Draw the radiographs of the pretext, the same for all seeds.

    Under `fixed-test` every radiograph outside the test set trains, labelled or not; under
    `complement` every radiograph trains, and the test set is one that was seen.

    Args:
        index: of :func:`maskedteeth.data.arrays.read_index`.
        held_out: protocol and test set.

    Raises:
        InputError: nothing is left to train or to test.
    """
    labelled = index[index["labelled"]]
    test = _test_groups(_groups(labelled), len(labelled), held_out)
    tests = index["duplicate_group"].isin(test)
    trains = ~tests | (held_out.protocol == "complement")
    train = index["id"][trains].tolist()
    held = index["id"][tests & index["labelled"]].tolist()
    if not train or not held:
        raise InputError(
            f"{len(index)} radiographs leave {len(train)} for the pretext and {len(held)} to test; "
            "both must have at least one. Add radiographs."
        )
    return Split(train, held, len(train))


def _refuse_toothless(labelled: pd.DataFrame, split: Split, fraction: float, seed: int) -> None:
    """Stop where nothing could be learnt or measured because no mask of a part has a tooth."""
    toothed = set(labelled["id"][labelled["tooth_fraction"] > 0])
    for part, ids in (("train", split.train), ("test", split.test)):
        if not toothed.intersection(ids):
            which = "split.test_seed" if part == "test" else "the seed"
            raise InputError(
                f"All {len(ids)} radiographs that would {part} at fraction {fraction:g} with seed "
                f"{seed} have an empty mask, so that nothing could be "
                f"{'measured' if part == 'test' else 'learnt'}. Check the masks, change {which}, "
                "or take a larger part of the radiographs."
            )


def _groups(labelled: pd.DataFrame) -> dict[str, list[str]]:
    """Return the ids by duplicate group, both in the order of the index."""
    return labelled.groupby("duplicate_group", sort=False)["id"].apply(list).to_dict()


def _test_groups(groups: dict[str, list[str]], labelled: int, held_out: HeldOut) -> set[str]:
    """Draw whole groups until the test set has its size; one that does not fit is passed over."""
    names = list(groups)
    random.Random(f"test {held_out.test_seed}").shuffle(names)
    wanted, chosen, size = round(held_out.test_fraction * labelled), set(), 0
    for name in names:
        if size + len(groups[name]) <= wanted:
            chosen.add(name)
            size += len(groups[name])
    return chosen
