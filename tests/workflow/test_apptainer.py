"""Jobs in Apptainer, as far as a stand-in shows that takes its arguments and runs the command."""

import json
import os

import pytest

pytestmark = pytest.mark.workflow

STAND_IN = """#!/bin/bash
[ "$1" != --version ] || { echo "apptainer version 1.3.4"; exit; }
printf '%s\\n' "$*" >>calls
while [ "$1" != exec ]; do shift; done
shift
while [ "${1:0:1}" = - ]; do
    [ "$1" = --nv ] || shift
    shift
done
export APPTAINER_CONTAINER=$1
shift
exec "$@"
"""
DIGEST = f"sha256:{'d' * 64}"


@pytest.fixture
def apptainer(new_project, tmp_path, monkeypatch):
    """A project on a machine with the stand-in, and with an image."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "apptainer").write_text(STAND_IN)
    (programs / "apptainer").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "project").mkdir()
    project = new_project(tmp_path / "project")
    (project.folder / "teeth.sif").write_text("an image")
    return project


DEPLOYED = ("--software-deployment-method", "apptainer", "--apptainer-args=--nv")


def test_jobs_run_in_the_image_that_the_environment_names(apptainer, monkeypatch):
    monkeypatch.setenv("MASKEDTEETH_APPTAINER", "teeth.sif")
    apptainer.snakemake("results/tiny/pretext/random_block_masking/run.json", *DEPLOYED)
    calls = (apptainer.folder / "calls").read_text().splitlines()
    jobs = [line for line in calls if line.startswith("exec ")]
    assert len(jobs) >= 3 and all(" --nv " in line and " teeth.sif " in line for line in jobs)
    record = json.loads((apptainer.results / "pretext/random_block_masking/run.json").read_text())
    assert record["image"]["name"] == "teeth.sif"


def test_an_image_of_a_registry_is_pulled_by_its_digest(apptainer, monkeypatch):
    image = f"docker://registry.example/teeth@{DIGEST}"
    monkeypatch.setenv("MASKEDTEETH_APPTAINER", image)
    assert f"image {image} will be pulled" in apptainer.snakemake("--dry-run", *DEPLOYED)
