"""The training loop on a card: pytest -m gpu."""

import signal

import numpy as np
import pytest
import torch

from maskedteeth.errors import Stopped
from maskedteeth.settings.config import Compute, Pretext
from maskedteeth.training.device import set_up
from maskedteeth.training.engine import fit
from maskedteeth.training.optimiser import Adam
from maskedteeth.training.pretrain import Probes, Reconstruction
from maskedteeth.training.state import StateFile
from maskedteeth.training.weights import new_network

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

MODEL = {"architecture": "modified_resunet", "inputs": ["xray", "sobel"], "widths": [8, 16, 16]}
RECIPE = {"epochs": 2, "batch_size": 4, "preview_epochs": [1, 2], "learning_rate": 0.001}
PRETEXT = Pretext.model_validate({"model": MODEL, **RECIPE})


def set_out(**compute):
    """Machine, task and network of a pretext."""
    machine = set_up(Compute(**{"device": "cuda", **compute}))
    pixels = np.random.default_rng(0).integers(0, 256, (20, 64, 128), dtype=np.uint8)
    radiographs = torch.from_numpy(pixels).to(machine.device)
    task = Reconstruction(radiographs, Probes(pixels[:2], PRETEXT, machine), PRETEXT, machine)
    return machine, task, new_network(PRETEXT.model, 0, machine.device)


def run(machine, task, network, state=None):
    """Train; return weights, progress and previews."""
    options = {"samples": 20, "epoch_samples": 20, "seed": 0, "machine": machine}
    progress = fit(network, task, PRETEXT, **options, state=state)
    weights = {name: value.cpu() for name, value in network.state_dict().items()}
    return weights, progress, task.generated


def test_a_step_finds_all_on_the_card_and_never_waits_for_it():
    machine, task, network = set_out()
    assert network.encoder[1].conv1.weight.is_contiguous(memory_format=torch.channels_last)
    adam = Adam(network, 0.001)
    rows = torch.arange(8, device=machine.device).view(2, 4)
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


def test_a_stopped_training_goes_on_to_the_same_bits(tmp_path):
    expected, history, previews = run(*set_out())
    machine, task, network = set_out()
    loss = task.loss

    def stop_in_the_sixth_step(network, rows, step):
        if step == 5:
            signal.raise_signal(signal.SIGTERM)
        return loss(network, rows, step)

    task.loss = stop_in_the_sixth_step
    with pytest.raises(Stopped), StateFile(tmp_path / "state", {}) as state:
        run(machine, task, network, state)
    with StateFile(tmp_path / "state", {}) as state:
        found, progress, again = run(*set_out(), state)
    assert progress.resumed == [6] and progress.history == history.history
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert torch.equal(again, previews) and previews.any()


def test_the_card_and_the_processor_learn_alike():
    on_card, on_cpu = (
        run(*set_out(**compute))[1].history
        for compute in ({}, {"device": "cpu", "precision": "float32"})
    )
    losses = [[row["loss"] for row in history] for history in (on_card, on_cpu)]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
