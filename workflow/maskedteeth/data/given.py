"""What is known of a split beforehand: who trains and who tests, and who is whose patient."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePath
from unicodedata import normalize

from maskedteeth.data.arrays import Row, read_index
from maskedteeth.data.folders import part_of
from maskedteeth.data.pixels import MOST_BYTES_OF_TEXT, read_file
from maskedteeth.data.splits import draw_pretext_split
from maskedteeth.errors import InputError
from maskedteeth.files import read_json
from maskedteeth.record import sha256
from maskedteeth.settings.config import HeldOut

TRAIN, TEST, UNLABELLED = PARTS = ("train", "test", "unlabelled")

#: Radiographs that a sentence names.
NAMED = 3


def patients_of(names: list[str], pattern: str) -> dict[str, str]:
    """Return the patient of each radiograph by the last part of its name.

    A name that does not fit, is a patient of its own; how many these are is printed.

    Args:
        names: of the radiographs.
        pattern: with `{patient}`, and `*` for anything.

    Raises:
        InputError: no name fits.
    """
    before, after = (re.escape(side).replace(r"\*", ".*") for side in pattern.split("{patient}"))
    last = {name: name.rpartition("/")[2] for name in names}
    matches = {name: re.fullmatch(f"{before}(.+?){after}", last[name]) for name in names}
    unfit = [name for name, match in matches.items() if match is None]
    if len(unfit) == len(names):
        raise InputError(
            f"data.patient is {pattern!r}, which fits no radiograph's name; change it to fit names "
            f"such as {last[names[0]]!r}."
        )
    patients = {name: match[1] if match else last[name] for name, match in matches.items()}
    alone = f"; {len(unfit)} names do not fit, such as {unfit[0]!r}" if unfit else ""
    print(f"{len(set(patients.values()))} patients (data.patient){alone}")
    return patients


def read_split(file: Path, used: Iterable[str], others: Iterable[str]) -> dict[str, dict[str, str]]:
    """Read a split.

    Args:
        file: CSV with the columns id, part (of :data:`PARTS`) and, where known, patient; no others,
            for one could be a patient's by another name.
        used: names of the radiographs that are used; each must be in it.
        others: those that were set aside; they may be.

    Returns:
        Name → the line of each radiograph that is used.

    Raises:
        InputError: it is no such CSV, or of other radiographs.
    """
    used = list(used)
    content = read_file(file, MOST_BYTES_OF_TEXT).decode("utf-8-sig", "replace")
    reader = csv.DictReader(io.StringIO(normalize("NFC", content)), skipinitialspace=True)
    try:
        lines = [{k: (v or "").strip() for k, v in row.items() if k} for row in reader]
    except (csv.Error, AttributeError) as error:
        raise InputError(f"{file} is not a CSV ({error}); correct it.") from None
    if {*(reader.fieldnames or ())} - {"", "patient"} != {"id", "part"}:
        raise InputError(
            f"{file} has the columns {', '.join(reader.fieldnames or ['none'])}; id, part and, "
            "where known, patient, separated by commas, were expected. Rename or remove the others."
        )
    lines = [line for line in lines if any(line.values())]
    found = {line["id"]: line for line in lines}
    wrong = [line for line in lines if line["part"] not in PARTS]
    if wrong:
        raise InputError(
            f"{file} says that {wrong[0]['id']!r} is for {wrong[0]['part']!r}; {', '.join(PARTS)} "
            "were expected."
        )
    if len(found) < len(lines):
        (name, count), *_ = Counter(line["id"] for line in lines).most_common(1)
        raise InputError(f"{file} names {name!r} {count} times; leave one line.")
    for names, what in (
        (found.keys() - {*used, *others}, "that are not in the dataset"),
        (set(used) - found.keys(), "too few"),
    ):
        if names:
            listing = ", ".join(map(repr, sorted(names)[:NAMED]))
            raise InputError(
                f"{file} names {len(names)} radiographs {what}: {listing}; each must be there "
                f"once, without suffix, such as {used[0]!r}."
            )
    return {name: found[name] for name in used}


def test_set_of(study: Path) -> list[str]:
    """Return the ids of the test radiographs of an earlier study, in the order of its index.

    They are also those that `validation` has set aside.

    Args:
        study: its folder of results.

    Raises:
        InputError: nothing has been evaluated in it, or there is no one test set.
    """
    index = _index_of(study)
    digest = sha256(index) if index.is_file() else None
    rows = read_index(index) if digest else []
    tested: dict[tuple[str, ...], Path] = {}
    for file in sorted(study.glob("evaluation/*/evaluation.json")):
        try:
            record = read_json(file)
            if record["inputs_sha256"]["index"] == digest:  # else of a method that is no more
                held_out = HeldOut.model_validate(record["settings"]["held_out"])
                fixed = held_out.model_copy(update={"protocol": "fixed-test"})
                test = draw_pretext_split(rows, fixed).test
                tested[tuple(test) if held_out.protocol != "complement" else ()] = file.parent
        except (LookupError, TypeError, ValueError):  # pydantic's are ValueErrors
            raise InputError(
                f"{file} (split.given) was made by another version of this project. Make the "
                "study again, or name a CSV."
            ) from None
    if not tested:
        raise InputError(
            f"split.given {study} is not the folder of a study that has been evaluated: it has no "
            "evaluation/*/evaluation.json of its data/index.csv. Name results/<study>, a CSV or "
            "'folders'."
        )
    if () in tested:
        raise InputError(
            f"split.given {study} has split.protocol: complement, with another test set for every "
            "training subset; name a study with one test set, or a CSV."
        )
    if len(tested) > 1:
        raise InputError(
            f"split.given {study} has different test sets in "
            f"{' and '.join(map(str, tested.values()))}; remove the folders of methods that no "
            "longer exist."
        )
    return [name for names in tested for name in names]


def parts_of_study(study: Path, rows: list[dict]) -> dict[str, str]:
    """Return who trains and who tests so that the test set of an earlier study stays.

    All other annotated radiographs train, drafts that a network made for them, too.

    Args:
        study: its folder of results.
        rows: id, sha256 and whether it is labelled, of all radiographs.

    Raises:
        InputError: a radiograph of that test set is not there, or no longer annotated.
    """
    tested = test_set_of(study)
    home = _home_of(read_index(_index_of(study)), rows, study)
    tested, labelled = [home + name for name in tested], {r["id"]: r["labelled"] for r in rows}
    if lost := [name for name in tested if not labelled.get(name)]:
        raise InputError(
            f"{study} (split.given) was tested on {lost[0]!r}, which is not among the annotated "
            "radiographs. Add it again under this name, or give another split."
        )
    parts = {name: TRAIN if known else UNLABELLED for name, known in labelled.items()}
    return parts | dict.fromkeys(tested, TEST)


def _index_of(study: Path) -> Path:
    return study / "data" / "index.csv"


def _home_of(before: list[Row], rows: list[dict], study: Path) -> str:
    """Return what comes before the ids of a study in those of its radiographs here.

    Ids begin below the folder that all radiographs are in, so that others elsewhere lengthen them.
    """
    known = {(row["id"], row["sha256"]) for row in before}
    homes: Counter[str] = Counter()
    for name, digest in ((row["id"], row["sha256"]) for row in rows):
        ends = [0, *(slash.end() for slash in re.finditer("/", name))]
        homes.update(name[:end] for end in ends if (name[end:], digest) in known)
    best = [home for home, count in homes.items() if count == max(homes.values())]
    if len(best) > 1:
        raise InputError(
            f"The radiographs of {study} (split.given) are both in {best[0] or '.'!r} and in "
            f"{best[1] or '.'!r}; remove the copies, or name a CSV."
        )
    return best[0] if best else ""


def parts_of_folders(labelled: dict[str, bool]) -> dict[str, str]:
    """Return who trains and who tests by the folders that are in the names of radiographs.

    Nothing here chooses among networks, so those in `valid` train; where there is no `test`, they
    test.

    Args:
        labelled: name → whether it is.

    Raises:
        InputError: a labelled one is in none of these folders.
    """
    folders = {name: part_of(PurePath(name)) for name in labelled}
    outside = [name for name, folder in folders.items() if not folder and labelled[name]]
    if outside:
        raise InputError(
            f"split.given is 'folders', but {len(outside)} labelled radiographs lie in no folder "
            f"train, valid or test, such as {outside[0]!r}; move them, or name a CSV instead."
        )
    valid = TRAIN if TEST in folders.values() else TEST
    if "valid" in folders.values():
        print(f"radiographs in folders 'valid' are for {valid} (split.given)")
    parts = {TRAIN: TRAIN, TEST: TEST, "valid": valid, "": UNLABELLED}
    return {name: parts[folder] for name, folder in folders.items()}


def refuse_unfair(rows: list[dict], given: str) -> None:
    """Stop where a patient or copies of a radiograph would both train and test, or nobody would.

    Args:
        rows: of the index.
        given: setting split.given.

    Raises:
        InputError: it is so.
    """
    first: dict[tuple[str, str], dict] = {}
    for row in rows:
        first.setdefault((row["group"], row["part"]), row)
    for (group, part), row in first.items():
        if part == TRAIN and (other := first.get((group, TEST))):
            copies = row["duplicate_group"] == other["duplicate_group"]
            of_study = given != "folders" and Path(given).expanduser().is_dir()
            raise InputError(
                f"split.given ({given}) has {row['id']!r} in train and {other['id']!r} in test, "
                f"which are {'near copies' if copies else 'of one patient, or copies of such'}: "
                "results would look too good. "
                + ("Remove the first, or name a CSV." if of_study else "Put both in one part.")
            )
    for part in (TRAIN, TEST):
        if not any(row["part"] == part and row["labelled"] for row in rows):
            raise InputError(
                f"split.given ({given}) has no labelled radiograph in {part}; add some."
            )
