"""Jobs of a run that is being followed."""

import json
from pathlib import Path

import pytest

from maskedteeth.study.progress.jobs import Job, Training

LINE = "epoch {}/10  step {}  loss 0.5  {} images/s\n"


@pytest.fixture
def training(tmp_path):
    """Makes a training of 10 epochs and 100 steps; a step takes a batch of 10 at 100 images/s."""

    def make(number, seconds_per_step=None, share=1.0, **known):
        needs = tmp_path / "needs.json"
        if seconds_per_step:
            needs.write_text(json.dumps({"steps": 100, "seconds_per_step": seconds_per_step}))
        log = tmp_path / f"train-{number}.log"
        title, about = f"Training: {number}", Training(10, share, needs)
        return Job(number, "train", "train a", title, log=log, training=about, **known)

    return make


@pytest.fixture
def say_epoch():
    """Makes a training's log say that it has come to an epoch."""

    def say(job: Job, epoch: int, before: str = "", rate: float = 100.0) -> None:
        Path(job.log).write_text(before + LINE.format(epoch, epoch * 10, rate))

    return say
