"""What the workflow asks of a machine, with cards that are not there."""

import json
import re

import pytest

pytestmark = pytest.mark.workflow


def asked(printed):
    """MiB of a card that each job of a dry run gets, by stage."""
    found = re.findall(r"maskedteeth (\S+) --settings .* --gpu-mem-mb (\S+)", printed)
    return {stage: {mib for name, mib in found if name == stage} for stage, _ in found}


def test_jobs_ask_for_what_was_measured_and_never_for_more_than_there_is(
    new_project, tmp_path, fake_cards
):
    fake_cards(("GPU-a", 81920), ("GPU-b", 24576))
    project = new_project(tmp_path)
    (tmp_path / "card.yaml").write_text("compute: {device: auto}")
    project.settings.append("card.yaml")
    stages = ("pretrain", "train", "evaluate", "measure-pretext")
    printed = project.snakemake("--dry-run", "--printshellcmds")
    assert asked(printed) == {stage: {"<TBD>"} for stage in stages}
    files = sorted(set(re.findall(r"--needs (\S+)", printed)))
    assert len(files) == 3  # the pretext's, and of two networks

    printed = project.snakemake(files[-1])
    assert re.search(r"Provided resources: gpu_mem_mb\D+102235\b", printed)  # 96 % of both
    needs = json.loads((tmp_path / files[-1]).read_text())
    assert needs["peak_device_memory_mib"] is None  # there was no card to measure on
    needs["card_room_mib"] = 78643
    for thousands, file in enumerate(files, 10):
        needs["peak_device_memory_mib"] = thousands * 1000
        needs["evaluation_device_memory_mib"] = 5000
        (tmp_path / file).write_text(json.dumps(needs))
    measured = {
        "pretrain": {"11250"},
        "train": {"12375", "13500"},
        "evaluate": {"5625"},
        "measure-pretext": {"11250"},
    }
    assert asked(project.snakemake("--dry-run", "--printshellcmds")) == measured
    # --jobs beside --cores makes no cluster of this machine.
    assert asked(project.snakemake("--dry-run", "--printshellcmds", "--jobs", "2")) == measured

    # What the user says stands, and what then is too little is no secret.
    few = project.snakemake("audit", "--resources", "gpu_mem_mb=13000")
    assert re.search(r"Provided resources: gpu_mem_mb\D+13000\b", few)
    few = project.snakemake("--dry-run", "--resources", "gpu_mem_mb=13000", check=False)
    assert "13500 MiB of a card's memory are needed, and 13000 can be had here. Set a" in few
    needs |= {"peak_device_memory_mib": 75_000, "card_room_mib": 200_000}
    (tmp_path / files[-1]).write_text(json.dumps(needs))
    printed = project.snakemake("--dry-run", check=False)
    assert "84375 MiB of a card's memory are needed, and 78643 can be had here. Set a" in printed
