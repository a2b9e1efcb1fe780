"""The workflow killed in the middle of a fine-tuning, and started again."""

import json
import os
import signal
import time

import pytest

pytestmark = pytest.mark.workflow

#: Settings with which one of the two lasts some seconds.
LONG = {
    "pretrain": "pretext: {random_block_masking: {epochs: 300}}",
    "train": "training: {epochs: 100}",
}


def wait_for(sentence, log, state, process):
    deadline = time.monotonic() + 300
    while not (log.exists() and sentence in log.read_bytes() and state.exists()):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[0]
        time.sleep(0.01)
    time.sleep(0.3)


def kill_everything(process):
    """As a machine does whose power fails."""
    os.killpg(process.pid, signal.SIGKILL)


def interrupt(process):
    """As a terminal does on Ctrl-C."""
    os.killpg(process.pid, signal.SIGINT)


def terminate(process):
    """As a scheduler does at the end of the time."""
    os.killpg(process.pid, signal.SIGTERM)


@pytest.mark.parametrize(
    ("rule", "run", "log", "stops"),
    [
        (
            "pretrain",
            "pretext/random_block_masking",
            "pretrain-random_block_masking.log",
            (terminate,),
        ),
        (
            "train",
            "runs/random_block_masking/fraction-0.2/seed-42",
            "train-random_block_masking-0.2-42.log",
            (kill_everything, interrupt),
        ),
    ],
)
def test_a_killed_workflow_goes_on_where_its_training_was(
    new_project, tmp_path, rule, run, log, stops
):
    project = new_project(tmp_path)
    overlay = f"{LONG[rule]}\ncompute: {{checkpoint_minutes: 0.005}}\n"
    (project.folder / "long.yaml").write_text(overlay)
    project.settings.append("long.yaml")
    folder, log = project.results / run, project.results / "logs" / log
    target = str((folder / "run.json").relative_to(project.folder))
    for stop in stops:
        process = project.start(target)
        sentence = b"epoch 2/" if stop == stops[0] else b"Going on"
        wait_for(sentence, log, folder / "weights.state", process)
        stop(process)
        process.wait(timeout=60)
        project.snakemake("--unlock")
    project.snakemake(target)
    record = json.loads((folder / "run.json").read_text())
    steps = record["resumed_after_steps"]
    assert len(steps) == len(stops) and steps == sorted(set(steps))
    assert not (folder / "weights.state").exists()
    killed = (folder / "weights.safetensors").read_bytes()
    project.snakemake(target, "--forcerun", rule)
    record = json.loads((folder / "run.json").read_text())
    assert record["resumed_after_steps"] == []
    assert (folder / "weights.safetensors").read_bytes() == killed
