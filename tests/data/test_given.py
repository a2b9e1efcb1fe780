"""Splits and patients that are given."""

import cv2
import numpy as np
import pytest
from formats import Drawn, write, write_coco

from maskedteeth.data.arrays import read_index
from maskedteeth.data.splits import draw_pretext_split, draw_split
from maskedteeth.data.state import state_of_dataset
from maskedteeth.errors import InputError
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
    with pytest.raises(InputError, match="split.given nowhere.csv is not there; name a CSV"):
        state_of_dataset(Data(source="hitl"), "nowhere.csv", tmp_path / "known")


def test_the_test_set_of_an_earlier_study_stays_when_more_are_annotated(
    dataset, run_prepare, tmp_path
):
    study = tmp_path / "results" / "first"
    write(study / "evaluation" / "unet" / "metrics.csv", "id,dice\n4,0.9\n2,0.8\n4,0.7\n")
    (dataset / "masks" / "6.png").write_bytes((dataset / "masks" / "5.png").read_bytes())
    run_prepare(dataset, given=str(study))
    parts = {row["id"]: row["part"] for row in read_index(tmp_path / "index.csv")}
    trained = dict.fromkeys("1356", "train")
    assert parts == trained | {"2": "test", "4": "test", "7": "unlabelled"}
    (dataset / "masks" / "4.png").unlink()
    with pytest.raises(InputError, match="tested '4', which is not among the annotated"):
        run_prepare(dataset, given=str(study))
    with pytest.raises(InputError, match="is not the folder of a study that has been evaluated"):
        state_of_dataset(Data(source="hitl"), str(tmp_path), tmp_path / "known")


UNFIT = {
    "unknown": (LINES + " 8,train", "1 radiographs that are not in the dataset: '8'; each must"),
    "missing": (LINES[8:], "1 radiographs too few: '1'; each must be there once, without suffix"),
    "with suffix": (LINES.replace("3,", "3.png,"), r"not in the dataset: '3\.png'"),
    "twice": (LINES + " 1,test", "names a radiograph twice"),
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
    "content", ["id;part\n1;train\n", "", "name,part\n1,train\n", "\0\0", "id"]
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
    with pytest.raises(InputError, match=r"'nobody \{patient\}', which no .* such as 'a_1'"):
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
