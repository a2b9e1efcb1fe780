import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from maskedteeth.errors import InputError
from maskedteeth.files import (
    read_csv,
    read_json,
    replacing,
    replacing_folder,
    write_csv,
    write_json,
    write_text,
)


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_a_finished_file_stands_under_its_name_alone(tmp_path):
    with replacing(tmp_path / "deep" / "down" / "a.npz") as temporary:
        assert temporary.suffix == ".npz" and temporary.parent == tmp_path / "deep" / "down"
        temporary.write_bytes(b"new")
        assert not (tmp_path / "deep" / "down" / "a.npz").exists()
    assert names(tmp_path / "deep" / "down") == ["a.npz"]
    assert (tmp_path / "deep" / "down" / "a.npz").read_bytes() == b"new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_no_temporary_one(tmp_path, error):
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(error), replacing(tmp_path / "a.csv") as temporary:
        temporary.write_text("half")
        raise error
    assert names(tmp_path) == ["a.csv"] and (tmp_path / "a.csv").read_text() == "old"


def test_a_failure_without_an_old_file_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), replacing(tmp_path / "a.csv") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert names(tmp_path) == []


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_follow_the_umask(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "a.txt", "x")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode


def test_numpy_writes_to_the_temporary_name_as_given(tmp_path):
    with replacing(tmp_path / "a.npz") as temporary:
        np.savez_compressed(temporary, x=np.arange(3))
    assert names(tmp_path) == ["a.npz"]
    assert np.load(tmp_path / "a.npz")["x"].tolist() == [0, 1, 2]


def test_csv_survives_commas_quotes_newlines_and_umlauts(tmp_path):
    rows = [{"a": 'x, "y"', "b": "line\nline"}, {"a": "Zähne", "b": ""}]
    write_csv(tmp_path / "a.csv", rows)
    assert read_csv(tmp_path / "a.csv") == rows
    assert b"\r" not in (tmp_path / "a.csv").read_bytes()


def test_csv_without_rows_has_a_header(tmp_path):
    write_csv(tmp_path / "a.csv", [], ("id", "reason"))
    assert (tmp_path / "a.csv").read_text() == "id,reason\n"


def test_json_is_read_as_written_and_nan_is_refused(tmp_path):
    value = {"a": [1, 2.5, None], "ü": "ß"}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text()) == value


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\xfe"])
def test_json_that_cannot_be_read_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json (does not exist|is not valid JSON)"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("content", [None, b"id\n\xff\xfe\n"])
def test_csv_that_cannot_be_read_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.csv (does not exist|is not valid CSV)"):
        read_csv(tmp_path / "a.csv")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "old").write_text("old")
    return tmp_path / "raw"


def test_a_finished_folder_takes_the_place_of_the_old_one(folder):
    with replacing_folder(folder) as new:
        (new / "new").write_text("new")
        assert names(folder) == ["old"]
    assert names(folder) == ["new"] and names(folder.parent) == ["raw"]


def test_a_failure_leaves_the_old_folder(folder):
    with pytest.raises(RuntimeError), replacing_folder(folder) as new:
        (new / "new").write_text("half")
        raise RuntimeError
    assert names(folder) == ["old"] and names(folder.parent) == ["raw"]


@pytest.mark.parametrize("back", [True, False])
def test_an_old_folder_is_put_back_or_kept_when_the_new_one_cannot_be_renamed(
    folder, monkeypatch, back
):
    rename = Path.rename

    def refused(self, target):
        if self.name == "new" or (self.name == "old" and not back):
            raise OSError("refused")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(OSError, match="refused"), replacing_folder(folder) as new:
        (new / "new").write_text("new")
    if back:
        assert names(folder) == ["old"] and names(folder.parent) == ["raw"]
    else:
        assert [file.read_text() for file in folder.parent.glob(".raw.*/old/old")] == ["old"]
