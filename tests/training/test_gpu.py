"""The training loop on a card: pytest -m gpu."""

import os
import signal

import numpy as np
import pytest
import torch
from maskedteeth.settings.jobs import PretrainJob

from maskedteeth.errors import Stopped
from maskedteeth.settings.config import Compute
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

SETTINGS = {
    "model": {
        "architecture": "modified_resunet",
        "inputs": ["xray", "sobel"],
        "widths": [8, 16, 16],
    },
    "epochs": 2,
    "batch_size": 4,
    "preview_epochs": [1, 2],
    "learning_rate": 0.001,
}


@pytest.fixture
def job():
    return PretrainJob(**SETTINGS, compute=Compute(device="cuda"))


@pytest.fixture
def set_out(job):
    """Start a pretext on the card."""

    def start():
        machine = set_up(job.compute)
        shape = (20, 64, 128)
        pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        radiographs = torch.from_numpy(pixels).to(machine.device)
        task = Reconstruction(radiographs, Probes(pixels[:2], job, machine), job, machine)
        return machine, task, new_network(job.model, 0, machine.device)

    return start


def run(start, job, state=None):
    machine, task, network = start()
    options = {"samples": 20, "epoch_samples": 20, "seed": 0, "machine": machine}
    progress = fit(network, task, job, **options, state=state)
    weights = {name: value.cpu() for name, value in network.state_dict().items()}
    return weights, progress, task


def test_a_step_never_waits_for_the_card(set_out, job):
    machine, task, network = set_out()
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


def test_everything_that_a_step_needs_lies_on_the_card(set_out):
    _, task, network = set_out()
    assert {task.radiographs.device.type, task.corners.device.type} == {"cuda"}
    assert all(p.device.type == "cuda" for p in network.parameters())
    weight = network.encoder[1].conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_equal_seeds_give_the_same_bits(set_out, job):
    one, other = run(set_out, job)[0], run(set_out, job)[0]
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_stopped_training_goes_on_to_the_same_bits(set_out, job, tmp_path):
    def start_and_stop():
        machine, task, network = set_out()
        loss = task.loss

        def stop_in_the_sixth_step(network, rows, step):
            if step == 5:
                os.kill(os.getpid(), signal.SIGTERM)
            return loss(network, rows, step)

        task.loss = stop_in_the_sixth_step
        return machine, task, network

    expected, history, task = run(set_out, job)
    with pytest.raises(Stopped), StateFile(tmp_path / "state", {}) as state:
        run(start_and_stop, job, state)
    with StateFile(tmp_path / "state", {}) as state:
        found, progress, again = run(set_out, job, state)
    assert progress.resumed == [6] and progress.history == history.history
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert torch.equal(again.generated, task.generated)


def test_the_card_and_the_processor_learn_alike(set_out, job):
    _, on_card, _ = run(set_out, job)
    cpu = job.model_copy(update={"compute": Compute(device="cpu", precision="float32")})
    machine = set_up(cpu.compute)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 64, 128), dtype=np.uint8)
    task = Reconstruction(torch.from_numpy(pixels), Probes(pixels[:2], cpu, machine), cpu, machine)
    network = new_network(cpu.model, 0, machine.device)
    options = {"samples": 20, "epoch_samples": 20, "seed": 0, "machine": machine}
    on_cpu = fit(network, task, cpu, **options)
    losses = [[row["loss"] for row in run.history] for run in (on_card, on_cpu)]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
