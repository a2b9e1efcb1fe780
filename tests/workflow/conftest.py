"""A copy of the project that runs a tiny study, for tests of the real workflow."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "workflow", "config", "profiles", "envs", "docs")

TINY = """
study: tiny
data: {phantom: {images: 12, height: 64}}
image: {height: 32, width: 64}
split: {test_fraction: 0.2, fractions: [0.2, 0.8]}
seeds: [42]
pretext:
  random_block_masking: {model: &tiny {widths: [4, 8, 8]}, epochs: 2, preview_epochs: [1, 2]}
methods:
  pspnet: null
  linknet: null
  modified_resunet: {model: *tiny}
training: {epochs: 1}
evaluation: {lpips: "off"}
report: {samples: 2}
"""


class Project:
    """A copy of this project in a folder of its own."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.settings = ["config/demo.yaml", "tiny.yaml"]
        self.results = folder / "results" / "tiny"
        self.environment: dict[str, str] = {}

    @classmethod
    def new(cls, folder: Path) -> "Project":
        """The project without results, in a folder that is there."""
        for part in PARTS:
            source = ROOT / part
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, folder / part)
        (folder / "tiny.yaml").write_text(TINY)
        return cls(folder)

    def copy(self, folder: Path) -> "Project":
        """A copy of this project, with all its results, in a folder that is not there yet."""
        shutil.copytree(self.folder, folder)
        other = Project(folder)
        other.settings, other.environment = list(self.settings), dict(self.environment)
        return other

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start Snakemake on the tiny study, in a process group of its own."""
        cores = [] if {"--profile", "--workflow-profile"} & set(arguments) else ["--cores", "2"]
        command = [sys.executable, "-m", "snakemake", *cores, *arguments]
        command += ["--configfile", *self.settings]
        environment = {**os.environ, **self.environment}
        path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**environment, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def snakemake(self, *arguments: str, check: bool = True) -> str:
        """Run Snakemake on the tiny study; return all that it printed."""
        process = self.start(*arguments)
        try:
            printed, _ = process.communicate(timeout=1800)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        assert not check or process.returncode == 0, printed[-6000:]
        return printed

    def planned(self, *arguments: str) -> dict[str, int]:
        """Return how many jobs of each rule a dry run lists, `all` left out."""
        lines = iter(self.snakemake("--dry-run", *arguments).splitlines())
        jobs: dict[str, int] = {}
        for line in lines:
            if line.startswith("Job stats:"):
                for row in lines:
                    name, *count = row.split()
                    if name == "total":
                        break
                    if count and count[0].isdigit():
                        jobs[name] = int(count[0])
                break
        jobs.pop("all", None)
        return jobs

    def edit(self, file: str, old: str, new: str):
        """Replace a text in a file of the copy for the time of a `with` block."""
        return _Edit(self.folder / file, old, new)


class _Edit:
    def __init__(self, path: Path, old: str, new: str):
        self.path, self.before = path, path.read_text()
        assert old in self.before, f"{path} no longer holds {old!r}; mend this test"
        self.after = self.before.replace(old, new)

    def __enter__(self):
        self._write(self.after)

    def __exit__(self, *_):
        self._write(self.before)

    def _write(self, text: str) -> None:
        self.path.write_text(text)
        # Python takes a compiled module for that of a source of the same second and size.
        shutil.rmtree(self.path.parent / "__pycache__", ignore_errors=True)


@pytest.fixture(scope="session")
def project(tmp_path_factory, testrun_uid):
    """The tiny study, run to its end once for all processes of the tests; a copy for each."""
    # Where all processes of one run of the tests meet, and none of another.
    meeting = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        meeting = meeting.parent
    finished, printed = meeting / f"tiny-{testrun_uid}", meeting / f"tiny-{testrun_uid}.log"
    with FileLock(meeting / "tiny.lock"):
        if not printed.exists():
            shutil.rmtree(finished, ignore_errors=True)  # where another process failed
            finished.mkdir()
            printed.write_text(Project.new(finished).snakemake())
    project = Project(finished).copy(tmp_path_factory.mktemp("project") / "tiny")
    project.printed = printed.read_text()
    return project


@pytest.fixture(scope="session")
def new_project():
    """Makes a copy of the project in a folder."""
    return Project.new


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """The tiny study before its first run."""
    return Project.new(tmp_path_factory.mktemp("fresh"))
