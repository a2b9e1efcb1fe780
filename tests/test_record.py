"""What a run notes down, what is said of runs that differ, and what is printed for people."""

import hashlib
import json
import subprocess
from importlib import metadata

import pytest
import torch

from maskedteeth import record
from maskedteeth.cli import main
from maskedteeth.files import write_json
from maskedteeth.fingerprint import fingerprint
from maskedteeth.record import PACKAGES, RunRecord, git_commit, image
from maskedteeth.report.records import read, unlike
from maskedteeth.settings.config import Compute
from maskedteeth.training.device import Machine

MACHINE = Machine(torch.device("cpu"), torch.bfloat16, "A processor")


def git(folder, *words):
    identity = ("-c", "user.name=n", "-c", "user.email=e")
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


@pytest.fixture
def code(tmp_path, monkeypatch):
    """A folder that the code is made to believe it lies in."""
    folder = tmp_path / "code"
    folder.mkdir()
    monkeypatch.setattr(record, "__file__", str(folder / "record.py"))
    return folder


def test_the_record_says_all_that_a_number_depends_on(tmp_path):
    (tmp_path / "index.csv").write_text("id\n1\n")
    module = "maskedteeth.training.losses"
    settings = {"compute": Compute(threads=3), "fraction": 0.2}
    opened = RunRecord(settings, (module,), MACHINE, index=tmp_path / "index.csv", pretext=None)
    (tmp_path / "index.csv").write_text("replaced while it ran")
    opened.write(tmp_path / "run.json", seed=7)
    said = json.loads((tmp_path / "run.json").read_text())
    compute = {"device": "auto", "precision": "auto", "threads": 3}
    assert said["settings"] == {"compute": compute, "fraction": 0.2}
    assert said["code"] == fingerprint(module) and said["modules"] == [module]
    digest = hashlib.sha256(b"id\n1\n").hexdigest()
    assert said["inputs_sha256"] == {"index": digest, "pretext": None}
    assert (said["device"], said["device_type"]) == ("A processor", "cpu")
    assert said["precision"] == "bfloat16" and said["peak_device_memory_mib"] is None
    assert said["threads"] == torch.get_num_threads()
    assert said["peak_memory_mib"] > 10
    assert said["seconds"] >= 0 and said["seed"] == 7
    assert set(said["packages"]) == set(PACKAGES)
    assert said["packages"]["torch"] == metadata.version("torch")
    assert said["image"] is None
    assert said["python"].count(".") == 2 and said["system"]


def test_outside_git_or_without_it_there_is_no_commit(code, monkeypatch):
    assert git_commit() is None
    monkeypatch.setenv("PATH", "")
    assert git_commit() is None


def test_the_commit_is_named_and_marked_when_the_tree_has_changed(code):
    git(code, "init", "--quiet")
    (code / "a.py").write_text("x = 1\n")
    git(code, "add", "a.py")
    git(code, "commit", "--quiet", "-m", "first")
    head = subprocess.run(
        ["git", "-C", str(code), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert git_commit() == head
    # A tag can be moved, a commit cannot.
    git(code, "tag", "-a", "v1", "-m", "release")
    assert git_commit() == head
    (code / "a.py").write_text("x = 2\n")
    assert git_commit() == f"{head}-dirty"


def test_a_container_is_known_by_who_starts_it_and_by_what_was_written_when_it_was_built(
    tmp_path, monkeypatch
):
    for name in ("MASKEDTEETH_IMAGE", "APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(record.sys, "prefix", str(tmp_path))
    monkeypatch.setenv("MASKEDTEETH_IMAGE", "teeth@sha256:d")
    assert image() is None  # a name alone makes no container
    monkeypatch.setenv("APPTAINER_CONTAINER", "/images/other.sif")
    assert image() == {"name": "teeth@sha256:d", "content": None, "commit": None}
    known = {"name": "maskedteeth", "commit": "", "content": "sha256:c"}
    (tmp_path / "image.json").write_text(json.dumps(known))
    assert image() == {"name": "teeth@sha256:d", "content": "sha256:c", "commit": None}
    monkeypatch.delenv("MASKEDTEETH_IMAGE")
    assert image()["name"] == "/images/other.sif"
    monkeypatch.delenv("APPTAINER_CONTAINER")
    assert image() == {"name": "maskedteeth", "content": "sha256:c", "commit": None}


# --- Runs that differ ---

RUNS = ("ours", "psp", "unet")


@pytest.fixture
def study(tmp_path):
    """The records of three trainings and a pretext that are alike, and of their evaluations."""
    common = {"packages": {"torch": "2.13.0"}, "device": "A card", "code": "a" * 16}
    held_out = {"protocol": "fixed-test"}
    trained = common | {
        "settings": {"training": {"epochs": 80}, "held_out": held_out},
        "modules": ["maskedteeth.training.train"],
        "inputs_sha256": {"images": "1" * 64, "labels": "2" * 64, "pretext": None},
        "precision": "bfloat16",
        "steps": 9,
        "weights_sha256": "7" * 64,
    }
    measured = common | {
        "settings": {"threshold": 0.5, "held_out": held_out},
        "modules": ["maskedteeth.metrics.evaluate"],
        "inputs_sha256": {"images": "1" * 64},
        "precision": "float32",
    }
    weights = {"weights_sha256": "7" * 64}
    names = {method: {"method": method, "fraction": 0.1, "seed": 42} for method in RUNS}
    names["masked"] = {"pretext": "masked"}
    for name, about in names.items():
        own = about | weights if name == "masked" else {"runs": [about | weights]}
        write_json(tmp_path / name / "run.json", trained | about)
        write_json(tmp_path / name / "evaluation.json", measured | own)
    return tmp_path


def change(study, file, **values):
    write_json(study / file, read(study / file) | values)


def compared(study):
    return unlike(sorted(study.glob("*/*.json")))


def test_runs_of_one_kind_are_not_remarked_on(study):
    assert compared(study) == "" and unlike([]) == ""


def test_runs_of_different_code_data_packages_and_machines_are_named(study):
    change(study, "psp/run.json", code="e" * 16)
    change(study, "unet/run.json", inputs_sha256={"images": "9" * 64})
    moved = [{"device": "A card", "precision": p} for p in ("bfloat16", "float32")]
    change(study, "ours/run.json", machines=moved)
    change(study, "masked/run.json", packages={"torch": "2.12.0"})
    assert compared(study) == (
        "Runs of different code: training.train: aaaaaaaaaaaa (3 runs), "
        "eeeeeeeeeeee (psp at 0.1 with seed 42). "
        "Runs on different data: images: 111111111111 (4 runs), "
        "999999999999 (unet at 0.1 with seed 42). "
        "Runs of different packages: torch: 2.13.0 (4 runs), 2.12.0 (pretext masked). "
        "Runs in different precision: bfloat16 (3 runs), "
        "bfloat16 then float32 (ours at 0.1 with seed 42)."
    )


def test_trainings_that_differ_are_named(study):
    change(study, "psp/run.json", settings={"training": {"epochs": 90}})
    assert compared(study) == (
        "Runs trained in different ways: epochs: 80 (3 runs), 90 (psp at 0.1 with seed 42)."
    )


def test_evaluations_that_differ_are_named(study):
    settings = {"threshold": 0.4, "held_out": {"protocol": "complement"}}
    run = read(study / "unet/evaluation.json")["runs"][0] | {"weights_sha256": "8" * 64}
    change(study, "unet/evaluation.json", settings=settings, precision="bfloat16", runs=[run])
    name = "unet at 0.1 with seed 42"
    assert compared(study) == (
        f"Runs with different test sets: protocol: fixed-test (4 runs), complement ({name}). "
        f"Runs in different precision: evaluations: float32 (3 runs), bfloat16 ({name}). "
        f"Runs measured with different settings: threshold: 0.5 (3 runs), 0.4 ({name}). "
        f"Measured with weights other than the run's: {name}."
    )


def test_a_run_is_explained_by_its_training_and_what_its_evaluation_adds(study, capsys):
    for path in (study / "masked", study / "masked/evaluation.json"):
        assert main(["why", str(path)]) == 0
        text = capsys.readouterr().out
        assert "settings.training.epochs: 80" in text and "inputs_sha256.pretext: none" in text
        assert "code: aaaaaaaaaaaa" in text and "precision: float32" in text
        assert text.count("packages.torch: 2.13.0") == 1


@pytest.mark.parametrize("name", ["tables/table2.csv", "unet/missing.csv"])
def test_what_is_no_result_of_a_training_is_a_sentence(study, name, capsys):
    assert main(["why", str(study / name)]) == 2
    assert "is not the result of a training" in capsys.readouterr().err
