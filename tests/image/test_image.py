"""What can be said of the image without building it, and, on request, the build for real."""

import fnmatch
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTEXT_LIMIT = 5_000_000  # bytes


def context():
    """Files of this working tree that .dockerignore lets through."""
    rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    for top in sorted({rule[1:] for rule in rules if rule.startswith("!")}):
        path = ROOT / top
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            parts = file.relative_to(ROOT).parts
            anywhere = [rule[3:] for rule in rules if rule.startswith("**/")]
            if file.is_file() and not any(
                fnmatch.fnmatch(part, rule) for part in parts for rule in anywhere
            ):
                yield file


def test_the_build_gets_what_it_needs_and_little_else():
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(rule for rule in rules if not rule.startswith("#")) == "*"
    files = {str(file.relative_to(ROOT)): file.stat().st_size for file in context()}
    assert sum(files.values()) < CONTEXT_LIMIT
    needed = ("Snakefile", "README.md", "pyproject.toml", "config/paper.yaml", "envs/entrypoint.sh")
    needed += ("docs/decisions.md",)  # which the report shows
    assert set(needed) <= set(files) and "workflow/maskedteeth/cli.py" in files
    tops = {file.split("/")[0] for file in files}
    assert tops == {*(n.split("/")[0] for n in needed), "workflow", "profiles"}
    assert not [file for file in files if "__pycache__" in file or "egg-info" in file]


def test_no_copied_file_holds_a_secret():
    names = [file.name for file in context()]
    assert not [n for n in names if re.search(r"kaggle\.json|\.netrc|\.env|\.pem|id_rsa|token", n)]


@pytest.fixture
def entrypoint(tmp_path):
    """Run the entry point in an empty folder where a fake `snakemake` prints its arguments."""
    fakes = tmp_path / "bin"
    fakes.mkdir()
    (tmp_path / "results").mkdir()

    def run(*arguments, snakemake='printf "%s\\n" "$@"', **variables):
        for name, text in (("snakemake", snakemake), ("maskedteeth", 'echo "stage $*"')):
            (fakes / name).write_text(f"#!/bin/bash\n{text}\n")
            (fakes / name).chmod(0o755)
        return subprocess.Popen(
            [ROOT / "envs" / "entrypoint.sh", *arguments],
            cwd=tmp_path,
            env={"PATH": f"{fakes}:{os.environ['PATH']}", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    return run


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["table2", "--cores", "1"], "--cores all table2 --cores 1"),
        (["snakemake", "-n"], "--cores all -n"),
        (["maskedteeth", "why", "a file"], "stage why a file"),
        (["bash", "-c", "echo a shell"], "a shell"),
    ],
)
def test_the_entry_point_takes_targets_and_a_few_programs(entrypoint, arguments, printed, tmp_path):
    process = entrypoint(*arguments)
    assert " ".join(process.communicate()[0].split("\n")).strip() == printed
    assert process.returncode == 0
    assert (tmp_path / "results" / ".snakemake").is_dir() == ("--cores all" in printed)


def test_the_entry_point_returns_what_snakemake_returns(entrypoint):
    process = entrypoint("all", snakemake="exit 3")
    process.communicate()
    assert process.returncode == 3


def test_results_that_cannot_be_written_are_a_sentence(entrypoint, tmp_path):
    (tmp_path / "results").rmdir()
    (tmp_path / "results").write_text("a file")
    process = entrypoint("all")
    assert "Mount a folder that this user owns" in process.communicate()[0]
    assert process.returncode == 1


# A training that Snakemake leaves behind: its last step takes a second, then it writes its state.
LEFT_OVER = """
cat > training.py <<'PYTHON'
import pathlib, signal, sys, time
def stop(*_):
    time.sleep(1)
    pathlib.Path("state").write_text("written")
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
pathlib.Path("started").write_text("")
time.sleep(60)
PYTHON
python3 training.py &
wait
"""


def test_a_stopped_container_waits_for_the_states_of_its_trainings(entrypoint, tmp_path):
    process = entrypoint("all", snakemake=LEFT_OVER)
    deadline = time.monotonic() + 30
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGTERM)  # as `tini -g` does
    process.wait(timeout=30)
    assert (tmp_path / "state").read_text() == "written"
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.image
def test_the_image_is_built_and_runs_the_demo_to_the_same_tables(tmp_path):
    if not os.environ.get("MASKEDTEETH_IMAGE_TEST"):
        pytest.skip("building the image takes a quarter of an hour; set MASKEDTEETH_IMAGE_TEST=1")
    missing = [name for name in ("buildah", "debootstrap") if not shutil.which(name)]
    assert not missing, f"apt-get install {' '.join(missing)}"
    folder = os.environ.get("MASKEDTEETH_IMAGE_FOLDER", tmp_path)
    script = ROOT / "tests" / "image" / "build_and_run.sh"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(
        [script, folder], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "equal, byte for byte" in done.stdout
