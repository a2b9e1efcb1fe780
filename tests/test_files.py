import errno
import json
import os
import re
import stat

import numpy as np
import pytest
from safetensors.numpy import save_file

from maskedteeth.files import (
    read_csv,
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
        np.savez_compressed(temporary, x=np.arange(3))
        assert not (tmp_path / "deep" / "down" / "a.npz").exists()
    assert names(tmp_path / "deep" / "down") == ["a.npz"]
    assert np.load(tmp_path / "deep" / "down" / "a.npz")["x"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_no_temporary_one(tmp_path, error):
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(error), replacing(tmp_path / "a.csv") as temporary:
        temporary.write_text("half")
        raise error
    assert names(tmp_path) == ["a.csv"] and (tmp_path / "a.csv").read_text() == "old"


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_permissions_follow_the_umask_whatever_writes(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "a.txt", "x")
        with replacing(tmp_path / "a.safetensors") as temporary:
            save_file({"x": np.zeros(3)}, temporary)
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {0o666 & ~umask}


def test_an_error_of_writing_names_the_file_and_one_of_reading_its_own(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=re.escape(f"'{tmp_path / 'folder'}'")):
        write_text(tmp_path / "folder", "x")
    with pytest.raises(OSError, match="No space left.*weights'"), replacing(tmp_path / "weights"):
        raise OSError(errno.ENOSPC, "full")
    with pytest.raises(FileNotFoundError, match="missing.csv"), replacing(tmp_path / "a.csv"):
        read_csv(tmp_path / "missing.csv")


def test_csv_survives_commas_quotes_newlines_and_umlauts(tmp_path):
    rows = [{"a": 'x, "y"', "b": "line\nline"}, {"a": "Zähne", "b": ""}]
    write_csv(tmp_path / "a.csv", rows)
    assert read_csv(tmp_path / "a.csv") == rows
    assert b"\r" not in (tmp_path / "a.csv").read_bytes()
    write_csv(tmp_path / "a.csv", [], ("id", "reason"))
    assert (tmp_path / "a.csv").read_text() == "id,reason\n"


def test_json_is_read_as_written_and_nan_is_refused(tmp_path):
    value = {"a": [1, 2.5, None], "ü": "ß"}
    write_json(tmp_path / "a.json", value)
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text()) == value


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
