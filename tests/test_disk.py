"""Every stage that writes, on a disk that is full at one write after the other."""

import errno
import json
import re
import resource
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError
from small_disk import PAGE

from maskedteeth.cli import main
from maskedteeth.files import new_array, replacing

REPORT = {
    **{"dataset": "Synthetic", "protocol": "fixed-test", "threshold": 0.5, "ours": "ours"},
    **{"boundary_tolerance": 2, "labels": {"ours": "Ours"}, "short_labels": {"ours": "Ours"}},
    **{"figure_fraction": 0.25, "samples": 1},
}
PHANTOM = {"images": 12, "height": 64}
#: Stage → settings, inputs and outputs; inputs lie in the finished study, outputs on the disk.
STAGES = {
    "phantom": (PHANTOM, {}, "raw"),
    "fetch": ({"data": {"source": "hitl", "path": "mine.zip"}}, {"downloads": "downloads"}, "raw"),
    "index": ("index", {"raw": "../raw"}, "index.csv problems.csv"),
    "prepare": ("prepare", {"raw": "../raw", "index": "index.csv"}, "images.npy masks.npy"),
    "split": ("split", {"index": "index.csv"}, "split.json"),
    "split-pretext": ("split-pretext", {"index": "index.csv"}, "split.json"),
    "guard": ("split-pretext", {"index": "index.csv", "images": "images.npy"}, "guard.json"),
    "pretrain": (
        "pretrain",
        {"images": "images.npy", "index": "index.csv", "split": "pretext/split.json"},
        "weights.safetensors history.csv previews.npz run.json",
    ),
    "train": (
        "train",
        {name.partition(".")[0]: name for name in ("images.npy", "masks.npy", "index.csv")}
        | {"split": "split.json"},
        "weights.safetensors history.csv run.json",
    ),
    "evaluate": (
        "evaluate",
        {name.partition(".")[0]: name for name in ("images.npy", "masks.npy", "index.csv")}
        | {"split": "split.json", "weights": "weights.safetensors"},
        "metrics.csv predictions.npz evaluation.json",
    ),
    "lpips-weights": ("lpips-weights", {}, "weights.safetensors"),
    "measure-pretext": (
        "measure-pretext",
        {"images": "images.npy", "index": "index.csv", "split": "pretext/split.json"}
        | {"weights": "pretext/weights.safetensors", "lpips": "pretext/lpips.safetensors"},
        "metrics.csv fillers.csv samples.npz evaluation.json",
    ),
    "describe": (
        {"model": {"architecture": "modified_resunet", "widths": [4, 8, 8]}}
        | {"height": 32, "width": 64},
        {},
        "architecture.json",
    ),
    "table2": (
        REPORT,
        {"metrics": "metrics.csv", "published": "published.csv"},
        "table.csv table.md table.tex",
    ),
    "dice-by-fraction": (
        REPORT,
        {"metrics": "metrics.csv", "published": "published.csv"},
        "figure.png figure.pdf",
    ),
}


@pytest.fixture(scope="module")
def inputs(study, tmp_path_factory, request):
    """The finished study with what else the stages read."""
    folder = tmp_path_factory.mktemp("inputs")
    shutil.copytree(study.out, folder / "out")
    (folder / "raw").symlink_to(study.raw)
    assert study.run("lpips-weights", weights=folder / "out/pretext/lpips.safetensors") == 0
    shutil.copy(
        request.config.rootpath / "config/published/table2.csv", folder / "out/published.csv"
    )
    raw = folder / "drawn"
    assert main(["phantom", "--settings", json.dumps(PHANTOM), "--raw", str(raw)]) == 0
    shutil.make_archive(str(folder / "out/mine"), "zip", raw)
    return folder / "out"


@pytest.fixture
def stage(inputs, study, monkeypatch):
    """Returns a function that runs a stage with all of its outputs in a folder."""
    monkeypatch.chdir(inputs)  # data.path is relative

    def run(name: str, folder: Path) -> int:
        settings, files, outputs = STAGES[name]
        settings = study.settings(settings) if isinstance(settings, str) else settings
        words = [name, "--settings", json.dumps(settings)]
        for flag, file in files.items():
            words += [f"--{flag}", str(inputs / file)]
        for output in outputs.split():
            words += [f"--{Path(output).suffix[1:] if name in TYPES else Path(output).stem}"]
            words += [str(folder / output)]
        return main(words)

    return run


TYPES = ("table2", "dice-by-fraction")  # their flags are the types of files


def contents(folder: Path) -> dict[str, bytes]:
    """Files by their names, without states of trainings, which stay, and what records the time."""
    found = {}
    for file in sorted(folder.rglob("*")):
        name = str(file.relative_to(folder))
        if file.is_file() and name != "ballast" and ".state/" not in name:
            found[name] = file.read_bytes()
            if file.suffix == ".json":
                assert json.loads(found.pop(name))
            elif file.suffix == ".safetensors":  # the order of its header changes
                found[name] = bytes(sorted(found[name]))
    return found


def assert_one_sentence(text: str, stage: str, problem: str, place: Path) -> None:
    if "MB to unpack" in text:  # seen before a byte is unpacked, with a sentence of its own
        assert str(place) in text and "MB are left; make room" in text
        return
    assert "Traceback" not in text and "Exception ignored" not in text, text
    sentences = [line for line in text.splitlines() if line.startswith("maskedteeth ")]
    beginning = rf"maskedteeth {stage}: {problem} \(({re.escape(str(place))}/[^)]+)\): .+\.$"
    assert len(sentences) == 1 and (found := re.match(beginning, sentences[0])), text
    assert not Path(found[1]).name.startswith("."), text


@pytest.mark.parametrize("name", STAGES)
def test_a_full_disk_is_a_sentence_and_loses_nothing(name, stage, disk, tmp_path, capfd):
    assert stage(name, tmp_path / "elsewhere") == 0
    expected = contents(tmp_path / "elsewhere")
    failed, pages = 0, 0
    while True:
        disk.leave(pages)
        capfd.readouterr()
        if stage(name, disk.folder / "out") == 0:
            break
        assert_one_sentence(capfd.readouterr().err, name, "No space left on device", disk.folder)
        failed += 1
        # What stands there is whole, and nothing temporary is left.
        found = contents(disk.folder / "out") if (disk.folder / "out").exists() else {}
        assert found.items() <= expected.items()
        pages += max(1, pages)
    assert failed
    assert contents(disk.folder / "out") == expected


def test_a_read_only_folder_is_a_sentence(stage, disk, tmp_path, capfd):
    disk.read_only()
    for name in ("split", "train", "table2", "phantom"):
        assert stage(name, disk.folder / "out") == 2
        assert_one_sentence(capfd.readouterr().err, name, "Read-only file system", disk.folder)


def test_results_may_lie_on_another_file_system(stage, disk, tmp_path):
    (tmp_path / "results").symlink_to(disk.folder)
    for name in ("phantom", "fetch", "prepare", "train"):
        for _ in range(2):  # a second time they replace what is there
            assert stage(name, tmp_path / "results" / name) == 0
        assert stage(name, tmp_path / "elsewhere" / name) == 0
        assert contents(disk.folder / name) == contents(tmp_path / "elsewhere" / name)


@pytest.mark.parametrize("name", STAGES)
def test_a_file_that_may_not_grow_is_a_sentence(name, stage, tmp_path, capsys):
    """Runs anywhere, where the tests on a small disk need the right to mount one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
        assert stage(name, tmp_path / "out") == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert_one_sentence(capsys.readouterr().err, name, "File too large", tmp_path)
    assert contents(tmp_path / "out") == {}
    assert stage(name, tmp_path / "out") == 0


def test_a_folder_without_permission_is_a_sentence(stage, tmp_path, monkeypatch, capsys):
    def refuse(*_, dir, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(dir / ".x"))

    monkeypatch.setattr("maskedteeth.files.tempfile.mkstemp", refuse)
    assert stage("split", tmp_path) == 2
    assert_one_sentence(capsys.readouterr().err, "split", "Permission denied", tmp_path)


def test_a_missing_input_is_a_sentence(stage, inputs, tmp_path, monkeypatch, capsys):
    changed = dict(STAGES["guard"][1], images="nothing.npy")
    monkeypatch.setitem(STAGES, "guard", (STAGES["guard"][0], changed, "guard.json"))
    assert stage("guard", tmp_path) == 2
    assert capsys.readouterr().err.endswith("nothing.npy does not exist.\n")


def test_an_error_of_another_file_keeps_its_name(tmp_path):
    with pytest.raises(OSError) as error, replacing(tmp_path / "a.txt"):
        (tmp_path / "other").read_text()
    assert error.value.filename == str(tmp_path / "other")
    with pytest.raises(OSError) as error, replacing(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert error.value.filename == str(tmp_path / "a.txt")


def test_an_error_of_safetensors_that_is_not_the_disks_stays_its_own(tmp_path):
    with pytest.raises(SafetensorError), replacing(tmp_path / "a.safetensors"):
        raise SafetensorError("InvalidHeader")


def test_an_array_takes_its_room_before_it_is_filled(disk):
    disk.leave(10)
    with pytest.raises(OSError, match="No space"), replacing(disk.folder / "a.npy") as temporary:
        new_array(temporary, np.uint8, (20, PAGE))  # filled through a memory map it would crash
    assert not [file for file in disk.folder.iterdir() if file.name != "ballast"]


def test_a_log_on_the_full_disk_stops_no_training_and_hides_no_failure(
    stage, tmp_path, monkeypatch
):
    full = open("/dev/full", "w", buffering=1)  # noqa: PTH123, SIM115
    monkeypatch.setattr("sys.stderr", full)
    assert stage("train", tmp_path) == 0
    (tmp_path / "split.json").mkdir()
    assert stage("split", tmp_path) == 2
    with pytest.raises(OSError, match="No space left"):
        full.close()
