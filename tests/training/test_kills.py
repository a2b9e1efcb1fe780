"""Real trainings, in processes of their own, killed at random moments.

MASKEDTEETH_KILLS says how many are killed; 4 by default, 20 or more for the long variant.
"""

import json
import os
import random
import signal
import time

import pytest

KILLS = -(-int(os.environ.get("MASKEDTEETH_KILLS", "4")) // 2)  # of each of the two stages
LONG_ENOUGH = {
    "pretext": {"blocks": {"epochs": 80, "preview_epochs": [1, 40, 80]}},
    "training": {"epochs": 100},
}


class Start:
    """One start of a stage, in a process of its own, that keeps its state after every step."""

    def __init__(self, study, stage, folder):
        self.state = folder / "weights.state" / "state.safetensors"
        before = self.version()
        self.status = None
        self.process = os.fork()
        if self.process == 0:
            try:
                pretext = {"pretext": study / "pretext/weights.safetensors"}
                files = {"checkpoint_minutes": 1e-9} | (pretext if stage == "train" else {})
                os._exit(study.run(stage, folder, changes=LONG_ENOUGH, **files))
            finally:
                os._exit(99)
        while not self.ended() and self.version() in (None, before):
            time.sleep(0.005)

    def version(self):
        """Tell one version of the state from the next."""
        try:
            return self.state.stat().st_ino, self.state.stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def ended(self, options=os.WNOHANG):
        if self.status is None:
            process, status = os.waitpid(self.process, options)
            self.status = os.waitstatus_to_exitcode(status) if process else None
        return self.status is not None

    def end(self, number=None):
        """Wait for the end, after a signal where one is given; return the exit status."""
        if number and not self.ended():
            os.kill(self.process, number)
        assert self.ended(options=0)
        return self.status


@pytest.mark.parametrize("stage", ["pretrain", "train"])
def test_a_killed_training_goes_on_to_the_same_bits(study, tmp_path, stage):
    """SIGKILL and SIGTERM at random moments; weights, history and previews stay what they were."""
    assert Start(study, stage, tmp_path / "whole").end() == 0
    moments, kills, rounds = random.Random(stage), 0, 0
    while kills < KILLS:
        folder, resumed, status = tmp_path / f"round-{rounds}", 0, None
        while status != 0:
            start, number = Start(study, stage, folder), None
            if kills < KILLS:
                time.sleep(moments.uniform(0, 1))
                number = moments.choice([signal.SIGKILL, signal.SIGTERM])
            status = start.end(number)
            assert status in (0, {signal.SIGKILL: -9, signal.SIGTERM: 143}.get(number))
            killed = status != 0  # otherwise it was finished when the signal came
            kills, resumed = kills + killed, resumed + killed
        after = json.loads((folder / "run.json").read_text())["resumed_after_steps"]
        assert len(after) == resumed and after == sorted(set(after))
        assert not (folder / "weights.state").exists()
        for file in (tmp_path / "whole").iterdir():
            if file.name != "run.json":
                found = (folder / file.name).read_bytes()
                assert found == file.read_bytes(), f"{file.name} after {resumed} kills"
        rounds += 1
