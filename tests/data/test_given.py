"""Splits and patients that are given."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
from formats import WRITERS, Drawn, write, write_coco

from maskedteeth.cli import main
from maskedteeth.data.arrays import read_index
from maskedteeth.data.splits import draw_pretext_split, draw_split
from maskedteeth.data.state import state_of_dataset
from maskedteeth.errors import InputError
from maskedteeth.files import read_json, write_json
from maskedteeth.settings.config import Data, HeldOut


@pytest.fixture
def dataset(tmp_path, write_folder):
    """Seven radiographs, of which 6 and 7 have no mask."""
    return write_folder(tmp_path / "raw", 7, labelled=5)


@pytest.fixture
def read_with(tmp_path, run_prepare):
    """Read a dataset with a split of lines `id,part`; return the lines of its index."""

    def read(raw, lines, columns="id,part", **layout):
        write(tmp_path / "split.csv", "\n".join([columns, *lines.split()]) + "\n")
        run_prepare(raw, given=str(tmp_path / "split.csv"), **layout)
        return read_index(tmp_path / "index.csv")

    return read


GIVEN = HeldOut(given="split.csv")
LINES = "1,train 2,test 3,train 4,train 5,unlabelled 6,train 7,test"


def test_a_given_split_is_what_trains_and_tests(dataset, read_with):
    rows = read_with(dataset, LINES)
    smaller, larger = (draw_split(rows, GIVEN, fraction, 42) for fraction in (0.5, 0.75))
    assert smaller.test == larger.test == ["2"] and larger.pool == 3
    assert sorted(larger.train) == ["1", "3", "4"] and smaller.train == larger.train[:2]
    pretext = draw_pretext_split(rows, GIVEN)
    assert (pretext.train, pretext.test) == (["1", "3", "4", "5", "6"], ["2"])
    with pytest.raises(InputError, match=r"Fraction 0\.9 of 4 labelled .* possible .* is 0\.75\."):
        draw_split(rows, GIVEN, 0.9, 42)


def test_what_a_given_split_does_not_tell_is_drawn_as_ever(dataset, run_prepare, tmp_path):
    run_prepare(dataset)
    rows = read_index(tmp_path / "index.csv")
    assert {row["part"] + row["patient"] for row in rows} == {""}
    assert [row["group"] for row in rows] == [row["id"] for row in rows]


def test_another_split_is_another_state_of_the_dataset(tmp_path):
    file, states = tmp_path / "split.csv", set()
    for text in ("id,part\n1,train\n", "id,part\n1,test\n"):
        write(file, text)
        states.add(state_of_dataset(Data(source="hitl"), str(file), tmp_path / "known"))
    assert len(states) == 2
    with pytest.raises(InputError, match="split.given nowhere.csv does not exist; name a CSV"):
        state_of_dataset(Data(source="hitl"), "nowhere.csv", tmp_path / "known")


def test_a_copy_of_what_an_earlier_study_tested_is_to_be_removed(
    study, earlier, write_folder, run_prepare, tmp_path
):
    raw, tested = write_folder(tmp_path / "raw", 13), study.split().test[0]
    for part in ("images", "masks"):
        shutil.copy(raw / part / f"{tested}.png", raw / part / "again.png")
    with pytest.raises(InputError, match=f"'again' in train and '{tested}' in test.* Remove the f"):
        run_prepare(raw, given=str(earlier))


@pytest.fixture
def earlier(study, tmp_path):
    """Results of the finished study, whose radiographs are 1 to 13, the last without a mask."""
    folder = tmp_path / "results" / "first"
    for name, target in (("index.csv", "data"), ("run/evaluation.json", "evaluation/ours")):
        (folder / target).mkdir(parents=True)
        shutil.copy(study / name, folder / target)
    return folder


def recorded(earlier, group, digest=None, **held_out):
    """Write an evaluation of other settings of `split`, or of another index."""
    record = read_json(earlier / "evaluation/ours/evaluation.json")
    record["settings"]["held_out"] |= held_out
    record["inputs_sha256"]["index"] = digest or record["inputs_sha256"]["index"]
    (earlier / "evaluation" / group).mkdir(exist_ok=True)
    write_json(earlier / "evaluation" / group / "evaluation.json", record)


def parts_in(index):
    return {row["id"]: row["part"] for row in read_index(index)}


def test_the_test_set_of_an_earlier_study_stays_when_more_are_annotated(
    study, earlier, write_folder, run_prepare, tmp_path
):
    raw, test = write_folder(tmp_path / "raw", 14, labelled=13), study.split().test
    trained = dict.fromkeys(map(str, range(1, 14)), "train")
    expected = trained | dict.fromkeys(test, "test") | {"14": "unlabelled"}
    run_prepare(raw, given=str(earlier))
    assert len(test) == 3 and parts_in(tmp_path / "index.csv") == expected
    recorded(earlier, "gone", digest="0" * 64, test_seed=7)  # of a method that is no more
    recorded(earlier, "ours", protocol="validation")  # sets it aside
    run_prepare(raw, given=str(earlier))
    assert parts_in(tmp_path / "index.csv") == expected
    (raw / "masks" / f"{test[0]}.png").unlink()
    with pytest.raises(InputError, match=f"tested on '{test[0]}', which is not among the anno"):
        run_prepare(raw, given=str(earlier))


def test_a_folder_without_one_test_set_is_a_sentence(earlier, tmp_path):
    def state(given):
        return state_of_dataset(Data(source="hitl"), str(given), tmp_path / "known")

    assert state(earlier)
    recorded(earlier, "gone", test_seed=7)
    with pytest.raises(InputError, match="has different test sets in .*gone and .*ours; remove"):
        state(earlier)
    recorded(earlier, "gone", protocol="complement")
    with pytest.raises(InputError, match="has split.protocol: complement, with another test set"):
        state(earlier)
    recorded(earlier, "gone", protocol="by age")
    with pytest.raises(InputError, match=r"gone/evaluation\.json .* by another version"):
        state(earlier)
    for given in (tmp_path, earlier):
        (earlier / "data/index.csv").write_text("id,labelled\n")  # of no evaluation
        with pytest.raises(InputError, match="not the folder of a study that has been evaluated"):
            state(given)


def test_drafts_in_another_folder_leave_the_test_set_as_it_is(radiograph, study, tmp_path):
    """The loop of docs/use.md, with an annotation tool's files; names get longer by the folder."""

    def put(folder, numbers, seeds):
        drawn = []
        for number, seed in zip(numbers, seeds, strict=True):
            pixels, mask = radiograph(seed)
            outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            teeth = [("tooth", outline[:, 0]) for outline in outlines if len(outline) > 2]
            drawn.append(Drawn(f"{number}.png", pixels.shape, teeth))
            (folder / "images").mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / "images" / f"{number}.png"), pixels)
        WRITERS["labelme"](folder, drawn, ["tooth"])

    put(tmp_path / "raw/first", range(1, 13), range(1, 13))
    labelme = {"data": {"source": "labelme"}}
    first = replace(study, raw=tmp_path / "raw", out=tmp_path / "results/first/data", own=labelme)
    ours = tmp_path / "results/first/evaluation/scratch"
    assert first.run("prepare") == first.run("train", ours, method="scratch") == 0
    assert first.run("evaluate", ours, method="scratch") == 0
    assert list(parts_in(first / "index.csv")) == [str(number) for number in range(1, 13)]

    words = ["--weights", ours / "weights.safetensors", "--format", "labelme", "--device", "cpu"]
    rest, drafts = tmp_path / "raw/second", tmp_path / "drafts"
    rest.mkdir()
    for number, seed in ((4, 54), (13, 63)):
        cv2.imwrite(str(rest / f"{number}.png"), radiograph(seed)[0])
    assert main(["predict", str(rest), "--out", str(drafts), *map(str, words)]) == 0
    for file in drafts.rglob("*.json"):
        shutil.copy(file, rest)

    given = {"split": {"given": str(tmp_path / "results/first")}}
    second = replace(first, out=tmp_path / "results/second/data", own=labelme | given)
    assert second.run("prepare") == 0
    test = {f"first/images/{name}" for name in first.split().test}
    parts = parts_in(second / "index.csv")
    assert {name for name, part in parts.items() if part == "test"} == test
    assert parts["second/4"] == parts["second/13"] == "train" and len(parts) == 14


def test_folders_with_the_same_names_are_told_apart_by_content(
    earlier, write_folder, run_prepare, study, tmp_path
):
    raw, others = tmp_path / "raw", write_folder(tmp_path / "others", 13, first=31)
    write_folder(tmp_path / "same", 13)
    for part in ("images", "masks"):
        for number in range(1, 14):
            (others / part / f"{30 + number}.png").rename(others / part / f"{number}.png")
        shutil.copytree(others / part, raw / part / "a")
        shutil.copytree(tmp_path / "same" / part, raw / part / "b")
    run_prepare(raw, given=str(earlier))
    parts = parts_in(tmp_path / "index.csv")
    tested = {f"b/{name}" for name in study.split().test}
    assert {name for name, part in parts.items() if part == "test"} == tested
    for part in ("images", "masks"):
        shutil.copytree(tmp_path / "same" / part, raw / part / "c")
    with pytest.raises(InputError, match=r"both in 'b/' and in 'c/'; remove the copies"):
        run_prepare(raw, given=str(earlier))


UNFIT = {
    "unknown": (LINES + " 8,train", "1 radiographs that are not in the dataset: '8'; each must"),
    "missing": (LINES[8:], "1 radiographs too few: '1'; each must be there once, without suffix"),
    "with suffix": (LINES.replace("3,", "3.png,"), r"not in the dataset: '3\.png'"),
    "twice": (LINES + " 1,test", "names '1' 2 times; leave one line"),
    "another part": (
        LINES.replace("2,test", "2,valid"),
        "that '2' is for 'valid'; train, test, unl",
    ),
    "no test": (LINES.replace("2,test", "2,train"), "has no labelled radiograph in test"),
    "no train": (LINES.replace("train", "unlabelled"), "has no labelled radiograph in train"),
    "empty": ("", "7 radiographs too few"),
}


@pytest.mark.parametrize("trouble", UNFIT)
def test_a_split_that_does_not_fit_the_dataset_is_a_sentence(dataset, read_with, trouble):
    lines, reason = UNFIT[trouble]
    with pytest.raises(InputError, match=reason):
        read_with(dataset, lines)


@pytest.mark.parametrize(
    "content",
    [
        "id;part\n1;train\n",
        "",
        "name,part\n1,train\n",
        "\0\0",
        "id",
        "id,part,Patient\n1,train,x\n",
    ],
)
def test_a_file_that_is_no_split_is_a_sentence(dataset, read_with, content):
    with pytest.raises(InputError, match="split.csv has the columns .* were expected"):
        read_with(dataset, "", columns=content)


def test_a_near_copy_or_a_patient_on_both_sides_is_refused(dataset, read_with):
    of_patients = "1,train,x 2,test,y 3,train,x 4,test,y 5,train, 6,train,z 7,train,z"
    groups = [row["group"] for row in read_with(dataset, of_patients, "id,part,patient")]
    assert groups == ["1", "2", "1", "2", "5", "6", "6"]
    with pytest.raises(InputError, match="'1' in train and '2' in test, which are of one patient"):
        read_with(dataset, of_patients.replace("y", "x"), "id,part,patient")
    copy = cv2.imread(str(dataset / "images/1.png"))[:, ::-1]
    cv2.imwrite(str(dataset / "images/2.png"), copy)
    with pytest.raises(InputError, match="'1' in train and '2' in test, which are near copies"):
        read_with(dataset, of_patients, "id,part,patient")


PATTERNS = {
    "{patient}_*": ["a", "a", "b", "b"],
    "*_{patient}": ["1", "x", "1", "2"],
    "{patient}": ["a_1", "a_2_x", "b_1", "b_2"],
    "{patient}_1": ["a", "a_2_x", "b", "b_2"],
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patients_are_told_by_names(tmp_path, write_folder, run_prepare, pattern):
    raw = write_folder(tmp_path / "raw", 4)
    for number, name in enumerate(["a_1", "a_2_x", "b_1", "b_2"], start=1):
        for folder in (raw / "images", raw / "masks"):
            (folder / f"{number}.png").rename(folder / f"{name}.png")
    rows, _ = run_prepare(raw, patient=pattern)
    assert [row["patient"] for row in rows] == PATTERNS[pattern]
    with pytest.raises(InputError, match=r"'nobody \{patient\}', which fits no .* such as 'a_1'"):
        run_prepare(raw, patient="nobody {patient}")


def test_folders_may_be_the_split(tmp_path, write_folder, run_prepare):
    write_folder(tmp_path / "raw", 4)
    raw = tmp_path / "coco"
    names = {"1": "train", "2": "train", "3": "valid", "4": "test"}
    drawn = []
    for name, folder in names.items():
        (raw / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / f"raw/images/{name}.png").rename(raw / f"{folder}/{name}.png")
        drawn.append(
            Drawn(f"{name}.png", (64, 128), [("48", np.array([[2, 2], [40, 2], [40, 40]]))])
        )
    write_coco(raw, drawn, ["48"])
    rows, _ = run_prepare(raw, "coco", given="folders")
    assert {row["id"]: row["part"] for row in rows} == {
        **{"train/1": "train", "train/2": "train", "valid/3": "train"},
        "test/4": "test",
    }
    (raw / "test/4.png").rename(raw / "valid/4.png")
    rows, _ = run_prepare(raw, "coco", given="folders")
    assert [row["part"] for row in rows] == ["train", "train", "test", "test"]
    (raw / "valid/4.png").rename(raw / "4.png")
    with pytest.raises(InputError, match="1 labelled radiographs lie in no folder .* such as '4'"):
        run_prepare(raw, "coco", given="folders")
