"""Hold a split file against what the stage `guard` found, right before it is trained on."""

from pathlib import Path

from maskedteeth.data.arrays import read_split
from maskedteeth.errors import InputError
from maskedteeth.files import read_json
from maskedteeth.fingerprint import fingerprint


def refuse_leak(guard: Path | None, split: Path, *, pretext: bool = False) -> None:
    """Stop when a split, edited by hand or out of date, trains on a radiograph that tests.

    Args:
        guard: ``guard.json``; None: nothing is checked.
        split: a split file of a training or of the pretext.
        pretext: it is the pretext's, which under `complement` sees every radiograph.

    Raises:
        InputError: a test radiograph, of this file or of the study, or a copy of one is among
            those that train; the sentence names both.
    """
    if guard is None:
        return
    found = read_json(guard, ("code", "protocol", "test", "copies"))
    if found["code"] != fingerprint("maskedteeth.data.guard"):
        raise InputError(
            f"{guard} was written by another version of the check for leaks. Remove it, so that it "
            "is made again."
        )
    if not (isinstance(found["test"], list) and isinstance(found["copies"], list)):
        raise InputError(
            f"{guard} has no lists under 'test' and 'copies'. Remove it, so that it is made again."
        )
    drawn = read_split(split)
    if pretext and found["protocol"] == "complement":
        return
    train, test = set(drawn["train"]), {*drawn["test"], *found["test"]}
    pairs = [(name, name) for name in drawn["train"] if name in test]
    pairs += [
        (tested, trained)
        for one, other, _ in found["copies"]
        for tested, trained in ((one, other), (other, one))
        if tested in test and trained in train
    ]
    if pairs:
        tested, trained = pairs[0]
        which = "itself" if tested == trained else f"as radiograph {trained}, its copy,"
        raise InputError(
            f"{split} leaks: radiograph {tested} tests, and {which} is among those that train "
            f"({len(pairs)} such in this file). Nothing was trained. Remove the file, so that it "
            "is drawn again."
        )
