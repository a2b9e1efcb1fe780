"""The training loop on a card: pytest -m gpu."""

import signal

import numpy as np
import pandas as pd
import pytest
import torch

from maskedteeth.settings.config import Compute
from maskedteeth.training.device import set_up
from maskedteeth.training.optimiser import Adam
from maskedteeth.training.pretrain import Probes, Reconstruction
from maskedteeth.training.weights import new_network

GPU = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=GPU)])
def test_a_stopped_pretext_goes_on_to_the_same_bits(study, tmp_path, monkeypatch, device):
    def start(folder):
        return study.run("pretrain", tmp_path / folder, changes={"compute": {"device": device}})

    def stop_in_the_sixth_step(self, network, rows, step):
        if step == 5:
            signal.raise_signal(signal.SIGTERM)
        return loss(self, network, rows, step)

    loss = Reconstruction.loss
    with monkeypatch.context() as patch:
        patch.setattr(Reconstruction, "loss", stop_in_the_sixth_step)
        assert start("stopped") == 128 + signal.SIGTERM
    assert start("stopped") == start("whole") == 0
    for name in ("weights.safetensors", "history.csv", "previews.npz"):
        whole, stopped = (tmp_path / folder / name for folder in ("whole", "stopped"))
        assert stopped.read_bytes() == whole.read_bytes(), name


class TestOnACard:
    pytestmark = GPU

    def test_a_step_finds_all_on_the_card_and_never_waits_for_it(self, study):
        machine, pretext = set_up(Compute(device="cuda")), study.settings().pretext["blocks"]
        pixels = np.load(study / "images.npy")
        radiographs = torch.from_numpy(pixels).to(machine.device)
        task = Reconstruction(radiographs, Probes(pixels[:2], pretext, machine), pretext, machine)
        network = new_network(pretext.model, 0, machine.device)
        assert network.encoder[1].conv1.weight.is_contiguous(memory_format=torch.channels_last)
        adam, rows = Adam(network, 0.001), torch.arange(8, device=machine.device).view(2, 4)
        task.loss(network, rows[0], 0).backward()  # what is done once may wait
        adam.step()
        total = torch.zeros((), device=machine.device)
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            loss = task.loss(network, rows[1], 1)
            loss.backward()
            adam.step()
            total += loss.detach()
        finally:
            torch.cuda.set_sync_debug_mode("default")
        assert total.item() > 0

    def test_the_card_and_the_processor_learn_alike(self, study, tmp_path):
        assert study.run("pretrain", tmp_path, changes={"compute": {"device": "cuda"}}) == 0
        folders = tmp_path, study / "pretext"
        losses = [pd.read_csv(folder / "history.csv")["loss"] for folder in folders]
        np.testing.assert_allclose(*losses, rtol=0.05)
