"""Who trains, and who tests.

Copies of a radiograph, and the radiographs of a patient, form a group of the index, and a group is
never divided between training and test.
"""

import math
import random
from dataclasses import dataclass

from maskedteeth.data.arrays import Row
from maskedteeth.errors import InputError
from maskedteeth.settings.config import HeldOut


@dataclass(frozen=True)
class Split:
    """Ids of the radiographs that train and that test.

    Attributes:
        train: in the order drawn.
        test: in the order of the index.
        pool: how many radiographs may train.
    """

    train: list[str]
    test: list[str]
    pool: int


def draw_split(rows: list[Row], held_out: HeldOut, fraction: float, seed: int) -> Split:
    """Draw the training subset of one fraction and seed.

    Subsets of one seed are nested: each is the beginning of one order of all radiographs that may
    train.

    Args:
        rows: of the index.
        held_out: protocol and test set.
        fraction: of the labelled radiographs.
        seed: of the subset.

    Raises:
        InputError: the subset or the test set would be empty, or have empty masks only.
    """
    rows, held_out = _without_test_set(rows, held_out)
    groups, labelled = _groups(rows)
    test = _test_groups(rows, groups, held_out)
    fixed = held_out.protocol != "complement"
    pool = [name for name in groups if name not in test] if fixed else list(groups)
    random.Random(f"subset {seed}").shuffle(pool)
    pool_ids = [i for name in pool for i in groups[name]]

    drawn = fixed and not held_out.given
    whole_pool = drawn and fraction + held_out.test_fraction > 1 - 1e-9
    wanted = len(pool_ids) if whole_pool else round(fraction * len(labelled))
    if held_out.given and wanted > len(pool_ids):
        raise InputError(
            f"Fraction {fraction:g} of {len(labelled)} labelled radiographs is {wanted}, but "
            f"split.given has {len(pool_ids)} in train; the largest possible fraction is "
            f"{math.floor(1000 * len(pool_ids) / len(labelled)) / 1000:g}. Change split.fractions."
        )
    train: list[str] = []
    for name in pool:
        if len(train) >= wanted:
            break
        train += groups[name]
    outside = pool_ids[len(train) :]  # train is the beginning of the pool
    tests = [i for name in test for i in groups.get(name, [])] if fixed else outside
    if not train or not tests:
        unannotated = sum(row["labelled"] != "1" for row in rows)
        change = "split.fractions" if not train or not fixed else "split.test_fraction"
        if pool_ids and not train:  # a half is rounded to 0
            least = (math.floor(500 / len(labelled)) + 1) / 1000
            change += f" (the smallest possible is {least:g})"
        if unannotated:
            change += (
                f", or add annotations: {unannotated} of {len(rows)} radiographs have none "
                "(data.masks, data.mask_name)"
            )
        raise InputError(
            f"Fraction {fraction:g} of {len(labelled)} labelled radiographs leaves "
            f"{len(train)} to train and {len(tests)} to test; both must have at least one. "
            f"Change {change}."
        )
    _refuse_toothless(rows, {"train": train, "test": tests}, fraction, seed)
    order = {i: position for position, i in enumerate(labelled)}
    return Split(train, sorted(tests, key=order.get), len(pool_ids))


def draw_pretext_split(rows: list[Row], settings: HeldOut) -> Split:
    """Draw the radiographs of the pretext, the same for all seeds.

    Under `fixed-test` and `validation` every radiograph outside the test sets trains, labelled or
    not; under `complement` every radiograph trains, and the test set is one that was seen. Where
    nothing is annotated, test sets are drawn from all radiographs: the pretext needs no annotation.
    """
    if not any(row["labelled"] == "1" for row in rows):
        rows = [row | {"labelled": "1"} for row in rows]
    rows, settings = _without_test_set(rows, settings)
    groups, _ = _groups(rows)
    test = _test_groups(rows, groups, settings)
    everyone = [row["id"] for row in rows]
    tests = {i for name in test for i in groups.get(name, [])}
    seen = settings.protocol == "complement"
    train = [r["id"] for r in rows if seen or r["group"] not in test]
    held_out = [i for i in everyone if i in tests]
    if not train or not held_out:
        raise InputError(
            f"{len(everyone)} radiographs leave {len(train)} for the pretext and "
            f"{len(held_out)} to test; both must have at least one. Add radiographs."
        )
    return Split(train, held_out, len(train))


def _without_test_set(rows: list[Row], held_out: HeldOut) -> tuple[list[Row], HeldOut]:
    """Set the test set aside where settings are to be chosen; what is left is then divided."""
    if held_out.protocol != "validation":
        return rows, held_out
    test = _test_groups(rows, _groups(rows)[0], held_out)
    left = [row for row in rows if row["group"] not in test]
    return left, held_out.model_copy(update={"protocol": "fixed-test", "given": None})


def _refuse_toothless(
    rows: list[Row], parts: dict[str, list[str]], fraction: float, seed: int
) -> None:
    toothed = {row["id"] for row in rows if row["labelled"] == "1" and float(row["tooth_fraction"])}
    for part, ids in parts.items():
        if not toothed.intersection(ids):
            which = "split.test_seed" if part == "test" else "the seed"
            raise InputError(
                f"All {len(ids)} radiographs for {part}ing at fraction {fraction:g} with seed "
                f"{seed} have an empty mask, so nothing could be "
                f"{'measured' if part == 'test' else 'learnt'}. Check the masks, change {which}, "
                "or take a larger part of the radiographs."
            )


def _groups(rows: list[Row]) -> tuple[dict[str, list[str]], list[str]]:
    """Return the labelled ids by group, and all of them in order; a given split may leave out."""
    labelled = [row for row in rows if row["labelled"] == "1" and row["part"] != "unlabelled"]
    groups: dict[str, list[str]] = {}
    for row in labelled:
        groups.setdefault(row["group"], []).append(row["id"])
    return groups, [row["id"] for row in labelled]


def _test_groups(rows: list[Row], groups: dict[str, list[str]], settings: HeldOut) -> set[str]:
    """Return the groups of a given test set, or draw whole ones until it has its size.

    One that does not fit is passed over.
    """
    if settings.given:
        return {row["group"] for row in rows if row["part"] == "test"}
    names = list(groups)
    random.Random(f"test {settings.test_seed}").shuffle(names)
    labelled = sum(map(len, groups.values()))
    wanted, chosen, size = round(settings.test_fraction * labelled), set(), 0
    for name in names:
        if size + len(groups[name]) <= wanted:
            chosen.add(name)
            size += len(groups[name])
    return chosen
