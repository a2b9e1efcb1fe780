import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from maskedteeth.cli import COMMANDS, main
from maskedteeth.errors import InputError, Stopped
from maskedteeth.report.table import Part, Table
from maskedteeth.settings.config import Compute, Model
from maskedteeth.stages import STAGES

CARD = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB."

MODEL = {"architecture": "unet", "inputs": ["xray"]}


def python(code: str) -> int:
    return subprocess.run([sys.executable, "-c", code], check=False).returncode


@pytest.fixture
def stage(monkeypatch):
    """Returns a function that makes of a function the stage `made_up` and runs it."""

    def run(function, settings=None, **files):
        monkeypatch.setitem(STAGES, "made_up", "errors:made_up")
        monkeypatch.setattr("maskedteeth.errors.made_up", function, raising=False)
        return main(["run", "made_up", json.dumps(settings or {}), json.dumps(files)])

    return run


def test_settings_and_files_become_what_the_function_asks_for(stage):
    seen = []

    def function(
        model: Model, computes: dict[str, Compute], fraction: float, method: str, *,
        index: Path, runs: list[Path], pretext: Path | None = None,
    ) -> None:  # fmt: skip
        seen.append((model, computes, fraction, method, index, runs, pretext))

    settings = {"model": MODEL, "computes": {"here": {"threads": 2}}, "fraction": 1}
    files = {"index": "i.csv", "runs": ["a/run.json", "b/run.json"], "pretext": None}
    assert stage(function, settings | {"method": "unet"}, **files) == 0
    model, computes = Model.model_validate(MODEL), {"here": Compute(threads=2)}
    runs = [Path("a/run.json"), Path("b/run.json")]
    assert seen == [(model, computes, 1.0, "unet", Path("i.csv"), runs, None)]


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (InputError("A mask is empty."), 2, "A mask is empty."),
        (OSError(errno.ENOSPC, "full", "a.npy"), 2, "No space left on device (a.npy): make room"),
        (Stopped(signal.SIGTERM, "Goes on later."), 128 + signal.SIGTERM, "Goes on later."),
        (KeyboardInterrupt(), 128 + signal.SIGINT, "Interrupted before its end."),
        (torch.OutOfMemoryError(CARD), 2, "The GPU's memory is not enough: 2.00 GiB more"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), 2, "The GPU's memory is not"),
        (MemoryError(), 2, "The computer's memory is not enough. In a study, set a smaller tr"),
        (np.empty, 2, "The computer's memory is not enough: 32.0 PiB more were needed."),
        (torch.empty, 2, "The computer's memory is not enough: 18014398509481984 bytes more"),
    ],
)
def test_what_a_person_can_change_is_a_sentence(stage, capsys, error, status, sentence):
    def function() -> None:
        if isinstance(error, BaseException):
            raise error
        error(2**52)

    assert stage(function) == status
    said = capsys.readouterr().err
    assert said.startswith(f"maskedteeth made_up: {sentence}") and said.count("\n") == 1


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), OSError(errno.EBADF, "bad")])
def test_an_error_in_the_code_is_not_hidden(stage, error):
    def function() -> None:
        raise error

    with pytest.raises(type(error)):
        stage(function)


def test_a_table_that_is_returned_is_written(stage, tmp_path):
    def function(*, metrics: Path) -> Table:
        return Table("Title", pd.DataFrame({"dice": [0.5]}), (Part(pd.DataFrame({"Dice": ["½"]})),))

    files = {kind: str(tmp_path / f"table.{kind}") for kind in ("csv", "md", "tex", "html")}
    assert stage(function, metrics="metrics.csv", **files) == 0
    assert Path(files["csv"]).read_text() == "dice\n0.500000\n"
    assert all("½" in Path(files[kind]).read_text() for kind in ("md", "html"))


def test_the_runner_imports_neither_the_parser_of_commands_nor_torch(tmp_path):
    files = json.dumps({"schema": str(tmp_path / "schema.json")})
    code = "import sys; from maskedteeth import cli, stages; "
    code += "stages.STAGES['made_up'] = 'settings.schema:write_schema'; "
    code += f"assert cli.main(['run', 'made_up', '{{}}', {files!r}]) == 0; "
    assert python(code + "sys.exit('cyclopts' in sys.modules or 'torch' in sys.modules)") == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    assert main([command, "--help"]) == 0
    assert f"Usage: maskedteeth {command}" in capsys.readouterr().out


def test_help_lists_the_commands_and_what_they_do_without_torch(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(command in text for command in COMMANDS) and "Segment radiographs" in text
    code = "import sys; from maskedteeth.cli import main; main(['--help']); "
    assert python(code + "sys.exit('torch' in sys.modules)") == 0


@pytest.mark.parametrize("words", [["predcit"], ["predict"], ["schema", "--shema", "x"]])
def test_a_wrong_call_exits_with_2_and_says_why(words, capsys):
    assert main(words) == 2
    assert "Error" in capsys.readouterr().err


def test_output_that_nobody_reads_to_its_end_is_no_traceback():
    read, write = os.pipe()
    os.close(read)
    code = "import sys; from maskedteeth import cli; cli.run_stage = lambda: print(1); "
    command = [sys.executable, "-c", code + "sys.exit(cli.main(['run']))"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")
