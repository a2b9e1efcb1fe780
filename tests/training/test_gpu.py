"""The training loop on a card: pytest -m gpu."""

import numpy as np
import pandas as pd
import pytest
import torch

from maskedteeth.settings.config import Compute
from maskedteeth.training.device import set_up
from maskedteeth.training.optimiser import Adam
from maskedteeth.training.pretrain import Probes, Reconstruction
from maskedteeth.training.weights import new_network

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def test_a_step_finds_all_on_the_card_and_never_waits_for_it(study):
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


def test_the_card_and_the_processor_learn_alike(study, tmp_path):
    assert study.run("pretrain", tmp_path, changes={"compute": {"device": "cuda"}}) == 0
    folders = tmp_path, study / "pretext"
    losses = [pd.read_csv(folder / "history.csv")["loss"] for folder in folders]
    np.testing.assert_allclose(*losses, rtol=0.05)
