"""What studies would compute alike is computed once."""

import json
import multiprocessing
import time

import pytest
from waiting import wait_until

from maskedteeth.study.sharing import sharing

IDENTITY = {"settings": {"epochs": 1}, "code": "c"}


def make(root, study, identity=IDENTITY, content=b"made", seconds=0.0):
    """Return True when ``study`` had to make its result itself."""
    outputs = {name: root / study / name for name in ("weights", "run")}
    with sharing(root / ".shared", identity, **outputs) as source:
        if source is None:
            time.sleep(seconds)
            with (root / "log").open("a") as log:
                log.write(f"{study}\n")
            for path in outputs.values():
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
    assert all(path.exists() for path in outputs.values())
    return source is None


def test_the_second_copies_and_the_third_too_when_the_first_is_deleted(tmp_path):
    assert make(tmp_path, "a")
    assert not make(tmp_path, "b", content=b"never")
    assert (tmp_path / "b" / "weights").read_bytes() == b"made"
    for file in (tmp_path / "a").iterdir():
        file.unlink()
    assert not make(tmp_path, "c")
    for study in "bc":
        (tmp_path / study / "run").unlink()
    assert make(tmp_path, "d")


def test_copies_are_files_of_their_own(tmp_path):
    make(tmp_path, "a")
    make(tmp_path, "b")
    assert (tmp_path / "a" / "run").stat().st_ino != (tmp_path / "b" / "run").stat().st_ino
    assert (tmp_path / "b" / "run").stat().st_mtime_ns > (tmp_path / "a" / "run").stat().st_mtime_ns


@pytest.mark.parametrize("other", [IDENTITY | {"code": "d"}, {"settings": {"epochs": 2}}])
def test_what_differs_is_not_mixed(tmp_path, other):
    assert make(tmp_path, "a")
    assert make(tmp_path, "b", other, b"other")
    assert (tmp_path / "b" / "weights").read_bytes() == b"other"


def test_a_changed_copy_is_not_believed(tmp_path):
    make(tmp_path, "a")
    (tmp_path / "a" / "weights").write_bytes(b"edited")
    assert make(tmp_path, "b")
    assert (tmp_path / "b" / "weights").read_bytes() == b"made"


def test_what_failed_is_not_registered(tmp_path):
    outputs = {"weights": tmp_path / "weights"}
    with (
        pytest.raises(RuntimeError, match="broken"),
        sharing(tmp_path / ".shared", IDENTITY, **outputs),
    ):
        raise RuntimeError("broken")
    assert not list((tmp_path / ".shared").glob("*.json"))


def test_several_at_once_make_it_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    studies = [context.Process(target=make, args=(tmp_path, s, IDENTITY, b"m", 0.5)) for s in "abc"]
    for study in studies:
        study.start()
    try:
        wait_until(lambda: all(study.exitcode is not None for study in studies))
    finally:
        for study in studies:
            study.kill()
    assert [study.exitcode for study in studies] == [0, 0, 0]
    assert len((tmp_path / "log").read_text().split()) == 1


def test_without_a_folder_nothing_is_shared(tmp_path):
    with sharing(None, IDENTITY, weights=tmp_path / "weights") as source:
        assert source is None


@pytest.mark.parametrize("content", ["{", '{"a": 1}', "[1]", '[{"weights": "x"}]', "\x00"])
def test_a_damaged_register_is_written_anew(tmp_path, content):
    make(tmp_path, "a")
    (register,) = (tmp_path / ".shared").glob("*.json")
    register.write_text(content)
    assert make(tmp_path, "b")
    assert len(json.loads(register.read_text())) == 1
    assert not make(tmp_path, "c")


def test_a_register_that_cannot_be_written_spoils_no_result(tmp_path, monkeypatch, capsys):
    def refuse(*_):
        raise PermissionError("Permission denied")

    monkeypatch.setattr("maskedteeth.study.sharing.write_json", refuse)
    assert make(tmp_path, "a")
    assert "cannot be written (Permission denied)" in capsys.readouterr().err


def test_where_nothing_can_be_locked_the_result_is_made(tmp_path, capsys):
    (tmp_path / ".shared").write_text("a file in the folder's place")
    assert make(tmp_path, "a") and make(tmp_path, "b")
    assert "cannot be locked" in capsys.readouterr().err
