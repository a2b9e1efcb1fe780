import json
import os
import signal
import subprocess
import sys

import pytest

from maskedteeth.cli import STAGES, main

FOR_PEOPLE = ("completion", "schema", "why", "plan", "export", "import")
FOR_PEOPLE += ("predict", "reconstruct", "export-onnx")
SPLIT = {"fraction": 0.2, "test_fraction": 0.1, "seed": 1}


def files(folder):
    return ["--index", str(folder / "index.csv"), "--split", str(folder / "split.json")]


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_explains_itself(stage, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([stage, "--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: maskedteeth {stage}")
    assert stage in FOR_PEOPLE or "--settings" in text
    assert "--help" in text and len(text.splitlines()) > 5


def test_help_lists_the_stages(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    assert all(stage in text for stage in ("index", "train", "figure9"))


@pytest.mark.parametrize("arguments", [[], ["trian"], ["train"], ["train", "--settings", "{}"]])
def test_a_wrong_call_exits_with_2_and_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert "usage: maskedteeth" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "maskedteeth split: --settings is not valid JSON: "),
        ("[]", "maskedteeth split: Settings are []; "),
        ("{}", "maskedteeth split: Setting fraction is missing; add it."),
        (
            json.dumps(SPLIT | {"sed": 1}),
            "maskedteeth split: Setting sed is unknown; did you mean 'seed'?",
        ),
    ],
)
def test_wrong_settings_are_a_sentence_and_exit_status_2(tmp_path, capsys, text, sentence):
    assert main(["split", "--settings", text, *files(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(sentence)


def test_the_command_line_prints_a_sentence_and_no_traceback(tmp_path):
    raw = tmp_path / "nowhere"
    settings = json.dumps({"source": "folder", "images": "images", "masks": "masks"})
    outputs = ["--index", str(tmp_path / "i.csv"), "--problems", str(tmp_path / "p.csv")]
    command = [sys.executable, "-m", "maskedteeth", "index", "--settings", settings]
    done = subprocess.run(
        [*command, "--raw", str(raw), *outputs], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and done.stdout == ""
    expected = f"maskedteeth index: data.path {raw} is not a folder; name the folder of the dataset"
    assert done.stderr.strip() == f"{expected}."


def test_an_error_in_the_code_is_not_hidden(monkeypatch):
    monkeypatch.setitem(STAGES, "broken", "maskedteeth.nothing:nothing")
    with pytest.raises(ModuleNotFoundError):
        main(["broken"])


def test_ctrl_c_is_a_sentence_and_what_a_shell_expects(monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("maskedteeth.settings.schema.write_json", interrupt)
    assert main(["schema", "--schema", "x.json"]) == 130
    assert capsys.readouterr().err == "maskedteeth schema: Interrupted before its end.\n"


def test_light_stages_do_not_import_torch():
    light = ("data.splits", "data.index", "cli", "settings.schema", "completion", "study.plan")
    modules = ", ".join(f"maskedteeth.{name}" for name in light)
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_schema_is_written(tmp_path):
    assert main(["schema", "--schema", str(tmp_path / "schema.json")]) == 0
    schema = json.loads((tmp_path / "schema.json").read_text())
    assert {"study", "data", "methods", "pretext"} <= set(schema["properties"])


def test_output_that_nobody_reads_to_its_end_is_no_traceback():
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "maskedteeth", "completion", "bash"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")
