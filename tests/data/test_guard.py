"""No test radiograph is trained on, under whatever name, and the guard looks at the pixels."""

import json

import cv2
import numpy as np
import pytest

from maskedteeth.data.guard import guard
from maskedteeth.data.index import index
from maskedteeth.data.leaks import refuse_leak
from maskedteeth.data.splits import draw_pretext_split, draw_split
from maskedteeth.errors import InputError
from maskedteeth.files import read_csv, read_json, write_csv, write_json
from maskedteeth.fingerprint import fingerprint
from maskedteeth.settings.jobs import GuardJob, IndexJob, SplitJob

COUNT = 20
PROTOCOLS = ["fixed-test", "complement"]


@pytest.fixture
def dataset(tmp_path, radiograph):
    """Arrays and index of 20 different radiographs; the last has no annotation."""
    images = np.stack([radiograph(number)[0] for number in range(COUNT)])
    np.save(tmp_path / "images.npy", images)
    rows = [
        {"id": str(n), "file": f"images/{n}.png", "labelled": "01"[n < COUNT - 1]}
        | {"duplicate_group": str(n), "tooth_fraction": "0.1"}
        for n in range(COUNT)
    ]
    write_csv(tmp_path / "index.csv", rows)
    return tmp_path


def run(folder, protocol="fixed-test"):
    files = {"index": folder / "index.csv", "images": folder / "images.npy"}
    guard(GuardJob(protocol=protocol), **files, guard=folder / "guard.json")
    return read_json(folder / "guard.json")


def test_set(folder):
    return draw_pretext_split(read_csv(folder / "index.csv"), GuardJob())["test"]


test_set.__test__ = False


def disguised(pixels):
    """Brighter and recompressed."""
    brighter = cv2.add(pixels, 25)
    encoded = cv2.imencode(".jpg", brighter, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)


def plant(folder, original, place, change=disguised):
    """Put a copy of a radiograph in another one's place."""
    images = np.load(folder / "images.npy")
    images[int(place)] = change(images[int(original)])
    np.save(folder / "images.npy", images)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_clean_dataset_passes_and_the_proof_says_what_was_compared(dataset, protocol, capsys):
    found = run(dataset, protocol)
    test = test_set(dataset)
    fixed = protocol == "fixed-test"
    labelled = COUNT - 1
    pairs = len(test) * (COUNT - len(test)) if fixed else labelled * (labelled - 1) // 2
    assert found["compared"] == pairs and found["copies"] == []
    assert found["test"] == (test if fixed else []) and found["protocol"] == protocol
    assert found["nearest"]["distance"] > found["threshold"]
    printed = capsys.readouterr().out
    assert all(file in printed for file in found["nearest"]["files"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("change", [np.copy, disguised, lambda x: cv2.flip(x, 1)])
def test_a_copy_of_a_test_radiograph_stops_with_both_names(dataset, protocol, change):
    test = test_set(dataset)[0]
    place = next(str(n) for n in range(COUNT - 1) if str(n) not in test_set(dataset))
    plant(dataset, test, place, change)
    with pytest.raises(InputError) as stop:
        run(dataset, protocol)
    sentence = str(stop.value)
    assert f"images/{test}.png" in sentence and f"images/{place}.png" in sentence
    assert "data.near_duplicates" in sentence
    assert not (dataset / "guard.json").exists()


def test_an_unlabelled_copy_would_teach_the_pretext_and_stops(dataset):
    plant(dataset, test_set(dataset)[0], COUNT - 1)
    with pytest.raises(InputError, match=f"images/{COUNT - 1}.png"):
        run(dataset)
    assert run(dataset, "complement")["copies"]  # there it neither trains nor tests


def test_copies_on_one_side_are_no_leak_and_are_listed(dataset):
    pool = [str(n) for n in range(COUNT - 1) if str(n) not in test_set(dataset)]
    plant(dataset, pool[0], pool[1])
    assert [pair[:2] for pair in run(dataset)["copies"]] == [sorted(pool[:2], key=int)]
    with pytest.raises(InputError, match="two names"):  # some subset would part them
        run(dataset, "complement")


def test_what_another_version_of_the_guard_found_is_not_believed(dataset):
    found = run(dataset)
    write_json(dataset / "guard.json", found | {"code": "0" * 16})
    with pytest.raises(InputError, match="another version of the check for leaks"):
        refuse_leak(dataset / "guard.json", dataset / "split.json")


def test_grouped_copies_are_no_leak(dataset):
    rows = read_csv(dataset / "index.csv")
    rows[4]["duplicate_group"] = rows[3]["id"]
    write_csv(dataset / "index.csv", rows)
    plant(dataset, 3, 4)
    for protocol in PROTOCOLS:
        assert [pair[:2] for pair in run(dataset, protocol)["copies"]] == [["3", "4"]]


def test_arrays_and_index_of_different_datasets_are_refused(dataset):
    np.save(dataset / "images.npy", np.load(dataset / "images.npy")[1:])
    with pytest.raises(InputError, match="19 radiographs and .* 20"):
        run(dataset)


def test_near_duplicates_can_be_grouped_when_they_are_indexed(tmp_path, write_folder):
    raw = write_folder(tmp_path / "raw", 12)
    for old, new in (("3", "7"), ("7", "11")):
        pixels = cv2.imread(str(raw / f"images/{old}.png"), cv2.IMREAD_GRAYSCALE)
        cv2.imwrite(str(raw / f"images/{new}.png"), disguised(pixels))
    files = {name: tmp_path / f"{name}.csv" for name in ("index", "problems")}
    for setting, groups in (("stop", 12), ("group", 10)):
        job = IndexJob(source="folder", images="images", masks="masks", near_duplicates=setting)
        index(job, raw=raw, **files)
        group = {row["id"]: row["duplicate_group"] for row in read_csv(files["index"])}
        assert len(set(group.values())) == groups
    assert {group[name] for name in ("3", "7", "11")} == {"3"}


def split_file(folder, edit, protocol="fixed-test"):
    rows = read_csv(folder / "index.csv")
    content = draw_split(rows, SplitJob(fraction=0.3, seed=1, protocol=protocol))
    edit(content)
    write_json(folder / "split.json", content)
    return folder / "split.json"


def test_a_split_as_it_was_drawn_passes(dataset):
    for protocol in PROTOCOLS:
        run(dataset, protocol)
        split = split_file(dataset, lambda content: None, protocol)
        refuse_leak(dataset / "guard.json", split)
        refuse_leak(None, split)


@pytest.mark.parametrize("moved", [False, True])
def test_a_split_edited_to_leak_is_refused(dataset, moved):
    run(dataset)
    test = test_set(dataset)[0]

    def leak(content):
        content["train"].append(test)
        if moved:  # out of this file's test set, but not out of the study's
            content["test"].remove(test)

    with pytest.raises(InputError, match=f"radiograph {test} tests, and itself is among"):
        refuse_leak(dataset / "guard.json", split_file(dataset, leak))


def test_a_split_edited_to_part_copies_is_refused(dataset):
    pool = [str(n) for n in range(COUNT - 1) if str(n) not in test_set(dataset)]
    plant(dataset, pool[0], pool[1])
    run(dataset)

    def leak(content):
        content["train"], content["test"] = [pool[1]], [pool[0]]

    expected = f"radiograph {pool[0]} tests, and as radiograph {pool[1]}, its copy,"
    with pytest.raises(InputError, match=expected):
        refuse_leak(dataset / "guard.json", split_file(dataset, leak))


def test_the_pretext_may_see_test_radiographs_in_the_complement_protocol_alone(dataset):
    for protocol in PROTOCOLS:
        run(dataset, protocol)
        content = {"protocol": "complement", "train": test_set(dataset), "test": []}
        split = dataset / "pretext.json"
        split.write_text(json.dumps(content))
        if protocol == "complement":
            refuse_leak(dataset / "guard.json", split, pretext=True)
        else:
            with pytest.raises(InputError, match="leaks"):
                refuse_leak(dataset / "guard.json", split, pretext=True)


@pytest.mark.parametrize("stage", ["train", "pretrain"])
def test_a_training_refuses_a_leaking_split_before_it_starts(study, tmp_path, stage, capsys):
    content = read_json(study / ("split.json" if stage == "train" else "pretext/split.json"))
    content["train"].append(content["test"][0])
    write_json(tmp_path / "split.json", content)
    proof = {"protocol": "fixed-test", "test": content["test"], "copies": []}
    proof["code"] = fingerprint("maskedteeth.data.guard")
    write_json(tmp_path / "guard.json", proof)
    names = {"weights": "weights.safetensors", "history": "history.csv", "run": "run.json"}
    names |= {"split": "split.json", "guard": "guard.json"}
    if stage == "pretrain":
        names["previews"] = "previews.npz"
    assert study.run(stage, **{flag: tmp_path / name for flag, name in names.items()}) == 2
    assert "split.json leaks: radiograph" in capsys.readouterr().err
    assert not (tmp_path / "weights.safetensors").exists()
