"""Real trainings, in processes of their own, killed at random moments.

MASKEDTEETH_KILLS says how many are killed; 4 by default, 20 or more for the long variant.
"""

import json
import os
import random
import signal
import time

import numpy as np
import pytest
from waiting import wait_until

KILLS = -(-int(os.environ.get("MASKEDTEETH_KILLS", "4")) // 2)  # of each kind
EPOCHS = 20 * (KILLS + 1)  # 45 steps or more for each kill, and for the end
BLOCKS = {"epochs": EPOCHS, "preview_epochs": [1, EPOCHS // 2, EPOCHS]}
#: Noise and patches, from the edges of what is seen, and radiographs of another dataset.
OTHERWISE = {"mask": {"kind": "patches"}, "denoise": 0.1, "guidance": "masked"}
OTHERWISE |= {"loss": {"over": "masked"}, "schedule": "cosine", "also_on": ["archive"]}
ARCHIVE = {"datasets": {"archive": {"source": "phantom"}}}
TRAINING = {"epochs": EPOCHS, "schedule": "cosine", "augment": "light"}
ERRORS = {"ours": {"annotations": {"drop": 0.3, "shift": 2}, "transfer": "encoder"}}
GAN = {"ours": {"adversary": {"widths": [4, 8]}}}
#: What is trained: the study, the stage, and settings.
KINDS = {
    "blocks": ("study", "pretrain", {"pretext": {"blocks": BLOCKS}}),
    "patches": ("study", "pretrain", {"pretext": {"blocks": BLOCKS | OTHERWISE}, **ARCHIVE}),
    "errors": ("study", "train", {"training": TRAINING, "methods": ERRORS}),
    "gan": ("study", "train", {"training": {"epochs": EPOCHS}, "methods": GAN}),
    "numbers": ("numbered", "train", {"training": TRAINING}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_training_goes_on_to_the_same_bits(request, tmp_path, kind):
    """SIGKILL and SIGTERM at random moments; weights, history and previews stay what they were."""
    which, stage, changes = KINDS[kind]
    study = request.getfixturevalue(which)
    inputs = {"pretext": study / "pretext/weights.safetensors"} if stage == "train" else {}
    if "datasets" in changes:
        np.save(tmp_path / "archive.npy", np.load(study / "images.npy")[:, ::-1])
        inputs = {"further": [tmp_path / "archive.npy"]}
    state = tmp_path / "killed/weights.state/state.safetensors"

    def start(folder):
        process = os.fork()
        if process == 0:
            try:  # a state after every step
                options = {"changes": changes, "checkpoint_minutes": 1e-9, **inputs}
                os._exit(study.run(stage, tmp_path / folder, **options))
            finally:
                os._exit(99)
        return process

    def end(process):
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

    def version():
        try:
            return state.stat().st_ino, state.stat().st_mtime_ns
        except FileNotFoundError:
            return None

    assert end(start("whole")) == 0
    moments = random.Random(kind)
    for _ in range(KILLS):
        before, process = version(), start("killed")
        for _ in range(moments.randint(1, 30)):
            wait_until(lambda before=before: version() not in (None, before))
            before = version()
        time.sleep(moments.uniform(0, 0.02))
        number = moments.choice([signal.SIGKILL, signal.SIGTERM])
        os.kill(process, number)
        assert end(process) == {signal.SIGKILL: -9, signal.SIGTERM: 143}[number]
    assert end(start("killed")) == 0
    resumed = json.loads((tmp_path / "killed/run.json").read_text())["resumed_after_steps"]
    assert len(resumed) == KILLS and resumed == sorted(set(resumed))
    assert not state.parent.exists()
    for file in (tmp_path / "whole").iterdir():
        if file.name != "run.json":
            assert (tmp_path / "killed" / file.name).read_bytes() == file.read_bytes(), file.name
