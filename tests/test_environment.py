import subprocess
from pathlib import Path

ENVS = Path(__file__).parents[1] / "envs"


def python_of(path: Path, *named: str) -> subprocess.CompletedProcess:
    command = ["/bin/sh", str(ENVS / "python.sh"), *named]
    return subprocess.run(
        command, cwd=path, env={"PATH": str(path)}, capture_output=True, text=True
    )


def program(path: Path, version: str, venv: bool) -> Path:
    """A program that answers as Python `version` does, with or without its venv module."""
    asked = '*version_info*) echo "' + version + '" ;; *venv*) exit ' + str(int(not venv)) + " ;;"
    path.write_text(f'#!/bin/sh\ncase "$*" in {asked} esac\n')
    path.chmod(0o755)
    return path


def test_the_environment_is_made_with_a_python_that_will_do(tmp_path):
    program(tmp_path / "python3.11", "3.11", venv=False)
    program(tmp_path / "python3", "3.13", venv=True)
    assert python_of(tmp_path).stdout == "python3\n"


def test_where_no_python_will_do_make_says_what_it_found_and_what_it_needs(tmp_path):
    program(tmp_path / "python3.12", "3.12", venv=False)
    program(tmp_path / "python3", "3.15", venv=True)
    done = python_of(tmp_path)
    assert done.returncode == 1 and not done.stdout
    first, *_ = done.stderr.splitlines()
    assert first == (
        "Python 3.11, 3.12, 3.13 or 3.14 with its venv module is needed. Found: "
        "python3.12 is Python 3.12 without its venv module, python3 is Python 3.15."
    )
    named = python_of(tmp_path, str(tmp_path / "python3"))
    assert f"Found: {tmp_path}/python3 is Python 3.15." in named.stderr
