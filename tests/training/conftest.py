import signal

import pandas as pd
import pytest
import torch
from torch import nn


class Witness(nn.Module):
    """A network of one weight that notes what it is given; logits are that times a pixel's grey."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.3))
        self.seen: list[torch.Tensor] = []
        self.autocast: set[bool] = set()

    def forward(self, x):
        if self.training:
            self.seen.append(x.clone())
            self.autocast.add(torch.is_autocast_enabled("cpu"))
        return self.weight * x[:, :1]


@pytest.fixture(scope="session")
def watch(study, tmp_path_factory):
    """Run a stage with a witness; return its batches, (steps, B, C, H, W), losses and itself."""

    def run(stage, **options):
        network, folder = Witness(), tmp_path_factory.mktemp(stage)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"maskedteeth.training.{stage}.new_network", lambda *_, **__: network)
            assert study.run(stage, folder, **options) == 0
        losses = pd.read_csv(folder / "history.csv")["loss"]
        return torch.stack(network.seen), losses.tolist(), network

    return run


@pytest.fixture
def stop_and_go_on(study, tmp_path, monkeypatch):
    """Run a stage whole, and again with a SIGTERM in a step; both leave the same bits."""

    def run(stage, minimised, step, files=("weights.safetensors", "history.csv"), **options):
        def start(folder):
            return study.run(stage, tmp_path / folder, **options)

        def stopping(self, network, rows, number):
            if number == step:
                signal.raise_signal(signal.SIGTERM)
            return loss(self, network, rows, number)

        loss = minimised.loss
        with monkeypatch.context() as patch:
            patch.setattr(minimised, "loss", stopping)
            assert start("stopped") == 128 + signal.SIGTERM
        assert start("stopped") == start("whole") == 0
        for name in files:
            whole, stopped = (tmp_path / folder / name for folder in ("whole", "stopped"))
            assert stopped.read_bytes() == whole.read_bytes(), name

    return run
