import json
import subprocess
import sys
import time

import pytest
import torch
from torch import nn

from maskedteeth.cli import main
from maskedteeth.training.device import Machine
from maskedteeth.training.engine import Task
from maskedteeth.training.measure import TIMED, WARM_UP, Clock

# Runs a stage and prints the most memory that it had, in MiB.
STAGE = """
import sys
from maskedteeth.cli import main
from maskedteeth.study.processes import peak_memory_mib
status = main(sys.argv[1:])
print(peak_memory_mib())
sys.exit(status)
"""
SIZE = {"height": 32, "width": 64}


def measured(study, needs, job, **size):
    settings = json.dumps({"job": job, **SIZE, **size})
    flags = ["--index", str(study / "index.csv"), "--needs", str(needs)]
    assert main(["measure", "--settings", settings, *flags]) == 0
    return json.loads(needs.read_text())


def test_it_says_what_a_training_needs(study, tmp_path):
    needs = measured(study, tmp_path / "needs" / "train.json", study.settings("train"))
    assert needs["stage"] == "train" and needs["architecture"] == "modified_resunet"
    assert needs["peak_memory_mib"] > 100 and needs["seconds_per_step"] > 0
    assert needs["steps"] == 6  # 2 epochs of 12 labelled radiographs, 4 at a time
    assert needs["precision"] == "float32" and needs["batch_size"] == 4 and needs["device"]
    assert (needs["height"], needs["width"]) == (32, 64)
    assert needs["peak_device_memory_mib"] is needs["card_room_mib"] is None
    assert [f.name for f in (tmp_path / "needs").iterdir()] == ["train.json"]


def test_of_a_pretext_too(study, tmp_path):
    job = study.settings("pretrain")
    needs = measured(study, tmp_path / "pretext.json", job)
    assert needs["stage"] == "pretrain"
    assert needs["steps"] == 10  # 3 epochs of 13 radiographs, 4 at a time
    # Fewer steps than are measured.
    short = measured(study, tmp_path / "short.json", {**job, "batch_size": 13})
    assert short["steps"] == 3


def test_it_is_the_memory_that_the_training_takes(study, tmp_path):
    job = {**study.settings("train"), "batch_size": 12, "epochs": 4}
    job["model"] = {**job["model"], "widths": [64, 64, 64]}
    settings = {"job": job, **SIZE}
    files = {name: study / f"{name}.npy" for name in ("images", "masks")}
    files |= {"index": study / "index.csv", "split": study / "split.json"}
    files |= {name: tmp_path / name for name in ("weights", "history", "run")}
    needs = {"index": study / "index.csv", "needs": tmp_path / "needs.json"}
    stages = (("train", job, files), ("measure", settings, needs))
    peaks = []
    for stage, content, paths in stages:
        words = [stage, "--settings", json.dumps(content), "--checkpoint-minutes", "0.0001"]
        words = words if stage == "train" else words[:3]
        words += [word for name, path in paths.items() for word in (f"--{name}", str(path))]
        command = [sys.executable, "-c", STAGE, *words]
        peaks.append(float(subprocess.run(command, capture_output=True, check=True).stdout))
    taken, said = peaks[0], json.loads(needs["needs"].read_text())["peak_memory_mib"]
    assert said == pytest.approx(peaks[1], abs=5)
    assert said == pytest.approx(taken, rel=0.1)


def test_the_first_steps_and_a_single_slow_one_are_not_counted():
    class Sleepy(Task):
        def loss(self, network, rows, step):
            time.sleep(0.3 if step in (0, 1, 2, WARM_UP + 1) else 0.01)

    network = nn.Identity()
    clock = Clock(Sleepy(), 100, Machine(torch.device("cpu"), torch.float32, "none"))
    for step in range(WARM_UP + TIMED):
        clock.loss(network, torch.arange(1), step)
    clock.after_epoch(network, 1)
    assert 0.01 <= clock.seconds_per_step() < 0.2
    assert clock.state.next <= time.monotonic()
