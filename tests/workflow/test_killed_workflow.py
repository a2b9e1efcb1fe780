"""The workflow killed in the middle of a fine-tuning, and started again."""

import json
import os
import signal
import time

import pytest
from waiting import wait_until

pytestmark = pytest.mark.workflow

RUN = "runs/random_block_masking/fraction-0.2/seed-42"
LOG = "logs/train-random_block_masking-0.2-42.log"
#: As a machine does whose power fails, a scheduler at the end of the time, and Ctrl-C.
STOPS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def test_a_killed_workflow_goes_on_where_its_training_was(new_project, tmp_path):
    project = new_project(tmp_path)
    long = "training: {epochs: 100}\ncompute: {checkpoint_minutes: 0.005}\n"
    (project.folder / "long.yaml").write_text(long)
    project.settings.append("long.yaml")
    folder, log = project.results / RUN, project.results / LOG
    state = folder / "weights.state"

    def going(sentence):
        return lambda: log.exists() and sentence in log.read_bytes() and state.exists()

    target = str((folder / "run.json").relative_to(project.folder))
    for stop in STOPS:
        log.unlink(missing_ok=True)  # what it says is of this start
        process = project.start(target)
        wait_until(going(b"epoch 2/" if stop == STOPS[0] else b"Resuming"), seconds=300)
        time.sleep(0.3)
        os.killpg(process.pid, stop)
        process.wait(timeout=60)
        project.snakemake("--unlock")
    project.snakemake(target)
    record = json.loads((folder / "run.json").read_text())
    steps = record["resumed_after_steps"]
    assert len(steps) == len(STOPS) and steps == sorted(set(steps))
    assert not state.exists()
    killed = (folder / "weights.safetensors").read_bytes()
    project.snakemake(target, "--forcerun", "train")
    record = json.loads((folder / "run.json").read_text())
    assert record["resumed_after_steps"] == []
    assert (folder / "weights.safetensors").read_bytes() == killed
