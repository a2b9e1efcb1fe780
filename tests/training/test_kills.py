"""Real trainings, in processes of their own, killed at random moments.

MASKEDTEETH_KILLS says how many are killed; 4 by default, 20 or more for the long variant.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

KILLS = -(-int(os.environ.get("MASKEDTEETH_KILLS", "4")) // 2)  # of each of the two stages
LONG_ENOUGH = {
    "pretrain": {"epochs": 150, "preview_epochs": [1, 75, 150]},
    "train": {"epochs": 200},
}
RESULTS = {
    "pretrain": ("weights.safetensors", "history.csv", "previews.npz", "run.json"),
    "train": ("weights.safetensors", "history.csv", "run.json"),
}


class Start:
    """One start of a stage, in a process of its own, that keeps its state after every step."""

    def __init__(self, study, stage, folder):
        folder.mkdir(exist_ok=True)
        inputs = {"images": "images.npy", "index": "index.csv", "split": "pretext/split.json"}
        if stage == "train":
            inputs |= {"masks": "masks.npy", "split": "split.json"}
            inputs["pretext"] = "pretext/weights.safetensors"
        files = {flag: study / name for flag, name in inputs.items()}
        files |= {name.partition(".")[0]: folder / name for name in RESULTS[stage]}
        settings = study.settings(stage) | LONG_ENOUGH[stage]
        command = [sys.executable, "-m", "maskedteeth", stage, "--settings", json.dumps(settings)]
        command += [word for flag, file in files.items() for word in (f"--{flag}", str(file))]
        self.log = (folder / "log").open("w+")
        self.state = folder / "weights.state" / "state.safetensors"
        self.before = self.written()
        command += ["--checkpoint-minutes", "1e-9"]
        self.process = subprocess.Popen(command, stderr=self.log)

    def written(self):
        """Tell one version of the state from the next."""
        try:
            return self.state.stat().st_ino, self.state.stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def in_training(self):
        """Wait for a step; tell whether the training is under way."""
        while self.process.poll() is None:
            if self.written() not in (None, self.before):
                return True
            time.sleep(0.005)
        return False

    def finish(self):
        status = self.process.wait(timeout=300)
        self.log.seek(0)
        return status, self.log.read()


@pytest.mark.parametrize("stage", ["pretrain", "train"])
def test_a_killed_training_goes_on_to_the_same_bits(study, tmp_path, stage):
    """SIGKILL and SIGTERM at random moments; weights, history and previews stay what they were."""
    status, said = Start(study, stage, tmp_path / "whole").finish()
    assert status == 0, said
    moments = random.Random(stage)
    kills, rounds = 0, 0
    while kills < KILLS:
        folder = tmp_path / f"round-{rounds}"
        resumed = 0
        while (start := Start(study, stage, folder)).in_training() and kills < KILLS:
            time.sleep(moments.uniform(0, 1))
            number = moments.choice([signal.SIGKILL, signal.SIGTERM])
            start.process.send_signal(number)
            status, said = start.finish()
            if status == 0:  # it was just finished when the signal came
                break
            assert status == (-9 if number == signal.SIGKILL else 143), said
            kills += 1
            resumed += 1
        status, said = start.finish()
        assert status == 0, said
        record = json.loads((folder / "run.json").read_text())
        assert len(record["resumed_after_steps"]) == resumed
        assert record["resumed_after_steps"] == sorted(set(record["resumed_after_steps"]))
        assert not (folder / "weights.state").exists()
        for name in set(RESULTS[stage]) - {"run.json"}:
            whole = (tmp_path / "whole" / name).read_bytes()
            assert (folder / name).read_bytes() == whole, f"{name} after {resumed} kills"
        rounds += 1
