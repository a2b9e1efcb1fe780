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

    one = project.results / "needs" / "train-unet.json"
    printed = project.snakemake(str(one.relative_to(project.folder)), *AUTO)
    assert re.search(r"Provided resources: gpu_mem_mb\D+102235\b", printed)  # 96 % of both
    # There was no card to measure on.
    assert asked(project, *AUTO)["train"] == asked(project, *AUTO)["evaluate"] == {"<TBD>", "0"}

    needs = json.loads(one.read_text()) | {"card_room_mib": 78643}
    names = ("pretrain-random_block_masking", "train-modified_resunet")
    for mib, name in enumerate((*names, "train-random_block_masking", "train-unet"), 10):
        needs |= {"peak_device_memory_mib": mib * 1000, "evaluation_device_memory_mib": 5000}
        one.with_stem(name).write_text(json.dumps(needs))
    assert asked(project, *AUTO) == {
        "pretrain": {"11250"},
        "train": {"12375", "13500", "14625"},
        "evaluate": {"5625"},
        "reconstruct": {"11250"},
    }
    assert asked(project) == {stage: {"0"} for stage in stages}  # compute.device is cpu

    # What the user says stands.
    few = project.snakemake("audit", "--resources", "gpu_mem_mb=50000", *AUTO)
    assert re.search(r"Provided resources: gpu_mem_mb\D+50000\b", few)

    needs |= {"peak_device_memory_mib": 75_000, "card_room_mib": 200_000}
    one.write_text(json.dumps(needs))
    printed = project.snakemake("--dry-run", *AUTO, check=False)
    sentence = "84375 MiB of a card's memory are needed, and 78643 can be had here. Set a smaller"
    assert sentence in printed and "train-unet.json" in printed
