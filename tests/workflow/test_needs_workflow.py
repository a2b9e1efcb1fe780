"""What the workflow asks of a machine, with cards that are not there."""

import json
import re

import pytest

pytestmark = pytest.mark.workflow

AUTO = ("--config", "compute={device: auto}")


def asked(project, *arguments):
    """MiB of a card that each job of a dry run gets, by stage."""
    printed = project.snakemake("--dry-run", "--printshellcmds", *arguments)
    found = re.findall(r"maskedteeth (\S+) --settings .* --gpu-mem-mb (\S+)", printed)
    return {stage: {mib for name, mib in found if name == stage} for stage, _ in found}


def test_jobs_ask_for_what_was_measured_and_never_for_more_than_there_is(
    new_project, tmp_path, fake_cards
):
    fake_cards(("GPU-a", 81920), ("GPU-b", 24576))
    project = new_project(tmp_path)
    stages = ("pretrain", "train", "evaluate", "reconstruct")
    assert asked(project, *AUTO) == {stage: {"<TBD>"} for stage in stages}

    printed = project.snakemake("measure", *AUTO)
    assert "Provided resources: gpu_mem_mb=102235" in printed  # 96 % of both
    assert asked(project, *AUTO) == {stage: {"0"} for stage in stages}  # no card to measure on

    for mib, file in enumerate(sorted((project.results / "needs").glob("*.json")), 10):
        needs = json.loads(file.read_text())
        needs |= {"peak_device_memory_mib": mib * 1000, "evaluation_device_memory_mib": 5000}
        file.write_text(json.dumps(needs | {"card_room_mib": 78643}))
    assert asked(project, *AUTO) == {
        "pretrain": {"11000"},
        "train": {"12100", "13200", "14300"},
        "evaluate": {"5500"},
        "reconstruct": {"11000"},
    }
    assert asked(project) == {stage: {"0"} for stage in stages}  # compute.device is cpu

    # What the user says stands.
    few = ("--resources", "gpu_mem_mb=50000", "--forcerun", "measure_one", "--until", "measure_one")
    assert "gpu_mem_mb=50000" in project.snakemake("measure", *few, *AUTO)
