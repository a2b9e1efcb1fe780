import hashlib
import json
import subprocess

import pytest
import torch

from maskedteeth import provenance
from maskedteeth.errors import InputError
from maskedteeth.fingerprint import fingerprint
from maskedteeth.provenance import PACKAGES, RunRecord, git_commit, image
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
    monkeypatch.setattr(provenance, "__file__", str(folder / "provenance.py"))
    return folder


def test_the_record_says_all_that_a_number_depends_on(tmp_path):
    (tmp_path / "index.csv").write_text("id\n1\n")
    module = "maskedteeth.training.losses"
    opened = RunRecord(
        Compute(threads=3), (module,), MACHINE, index=tmp_path / "index.csv", pretext=None
    )
    (tmp_path / "index.csv").write_text("replaced while it ran")
    opened.write(tmp_path / "run.json", seed=7)
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["settings"] == {"device": "auto", "precision": "auto", "threads": 3}
    assert record["code"] == fingerprint(module) and record["modules"] == [module]
    digest = hashlib.sha256(b"id\n1\n").hexdigest()
    assert record["inputs_sha256"] == {"index": digest, "pretext": None}
    assert (record["device"], record["device_type"]) == ("A processor", "cpu")
    assert record["precision"] == "bfloat16" and record["peak_device_memory_mib"] is None
    assert record["threads"] == torch.get_num_threads()
    assert record["peak_memory_mib"] > 10
    assert record["seconds"] >= 0 and record["seed"] == 7
    assert set(record["packages"]) == set(PACKAGES)
    assert record["packages"]["torch"] == torch.__version__
    assert record["image"] is None
    assert record["python"].count(".") == 2 and record["system"]


def test_outside_git_there_is_no_commit(code):
    assert git_commit() is None


def test_without_git_there_is_no_commit(monkeypatch):
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


DIGEST = f"sha256:{'d' * 64}"


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A Python of this project's image."""
    for name in ("MASKEDTEETH_IMAGE", "APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"):
        monkeypatch.delenv(name, raising=False)
    known = {"name": "maskedteeth", "commit": "", "content": "sha256:c"}
    (tmp_path / "image.json").write_text(json.dumps(known))
    monkeypatch.setattr(provenance.sys, "prefix", str(tmp_path))
    return {"name": "maskedteeth", "digest": None, "content": "sha256:c", "commit": None}


def test_an_image_is_known_by_what_was_written_when_it_was_built(built):
    assert image() == built


def test_whoever_starts_the_container_says_its_digest(built, monkeypatch):
    monkeypatch.setenv("MASKEDTEETH_IMAGE", f"registry/teeth:1@{DIGEST}")
    assert image() == built | {"name": "registry/teeth:1", "digest": DIGEST}
    monkeypatch.setenv("MASKEDTEETH_IMAGE", "teeth@sha256:d")
    with pytest.raises(InputError, match=r"MASKEDTEETH_IMAGE is 'teeth@sha256:d'; expected"):
        image()


def test_another_image_is_known_by_its_file(built, tmp_path, monkeypatch):
    (tmp_path / "image.json").unlink()
    monkeypatch.setenv("APPTAINER_CONTAINER", "/images/other.sif")
    unknown = {"digest": None, "content": None, "commit": None}
    assert image() == {"name": "/images/other.sif", **unknown}


def test_a_name_alone_makes_no_container(built, tmp_path, monkeypatch):
    (tmp_path / "image.json").unlink()
    monkeypatch.setenv("MASKEDTEETH_IMAGE", f"teeth@{DIGEST}")
    assert image() is None
