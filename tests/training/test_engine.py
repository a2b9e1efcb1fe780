import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from maskedteeth.errors import Diverged, InputError
from maskedteeth.settings.config import Compute, Recipe
from maskedteeth.training.device import Machine, set_up
from maskedteeth.training.engine import Task, fit, shuffled_rows
from maskedteeth.training.state import StateFile

MACHINE = Machine(torch.device("cpu"), torch.float32, "test")


class Doubling(Task):
    """Learn to double numbers; note losses, and the weights at the end of each epoch."""

    def __init__(self, factor=1.0):
        self.x = torch.rand(10, 3, generator=torch.Generator().manual_seed(0))
        self.factor, self.losses, self.epochs = factor, [], []

    def loss(self, network, rows, step):
        loss = (network(self.x[rows]) - 2 * self.x[rows]).square().mean() * self.factor
        self.losses.append(loss.item())
        return loss

    def after_epoch(self, network, epoch):
        self.epochs.append((epoch, network.weight.detach().clone()))


def linear():
    torch.manual_seed(0)
    return nn.Linear(3, 3)


def run(network, task, samples=10, epoch_samples=10, state=None, **recipe):
    recipe = Recipe(**({"epochs": 3, "batch_size": 4, "learning_rate": 0.01} | recipe))
    options = {"samples": samples, "epoch_samples": epoch_samples, "seed": 0, "state": state}
    return fit(network, task, recipe, machine=MACHINE, **options)


@pytest.mark.parametrize(("samples", "batch_size"), [(12, 4), (10, 4), (7, 7), (3, 8), (1, 4)])
def test_a_pass_sees_every_radiograph_once_and_batches_run_across_passes(samples, batch_size):
    drawn = shuffled_rows(samples, 30, batch_size, torch.Generator().manual_seed(0))
    assert drawn.shape == (30, batch_size) and drawn.dtype == torch.int64
    passes = drawn.flatten()[: 30 * batch_size // samples * samples].view(-1, samples)
    assert (passes.sort(dim=1).values == torch.arange(samples)).all()
    assert samples == 1 or len(passes.unique(dim=0)) > 1


def test_steps_are_adams():
    """The same as torch's plain optimiser, up to rounding; parameters without gradient stay."""
    network, task = linear(), Doubling()
    network.unused = nn.Parameter(torch.ones(2))
    other = copy.deepcopy(network)
    run(network, task, samples=4, epoch_samples=4, epochs=3)
    adam = torch.optim.Adam(other.parameters(), lr=0.01, foreach=False, fused=False)
    for step in range(3):
        adam.zero_grad()
        task.loss(other, torch.arange(4), step).backward()
        adam.step()
    for found, expected in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("epoch_samples", "batch_size", "steps"),
    [(10, 5, [2, 4, 6]), (10, 4, [3, 5, 8]), (10, 8, [2, 3, 4]), (40, 4, [10, 20, 30])],
)
def test_an_epoch_ends_with_the_first_step_that_completes_its_radiographs(
    capsys, epoch_samples, batch_size, steps
):
    """Its row holds the mean of its steps' losses, and the task looks at the network then."""
    network, task = linear(), Doubling()
    progress = run(network, task, epoch_samples=epoch_samples, batch_size=batch_size)
    assert [row["epoch"] for row in progress.history] == [1, 2, 3]
    assert [row["step"] for row in progress.history] == steps and progress.step == steps[-1]
    for start, row in zip([0, *steps], progress.history, strict=False):
        losses = task.losses[start : row["step"]]
        assert row["loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-6)
    assert [epoch for epoch, _ in task.epochs] == [1, 2, 3]
    assert torch.equal(task.epochs[-1][1], network.weight)
    assert not torch.equal(task.epochs[0][1], task.epochs[1][1])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and lines[0].startswith(f"epoch 1/3  step {steps[0]}  loss ")


def test_an_epoch_without_a_step_of_its_own_has_the_loss_of_the_one_before():
    task = Doubling()
    progress = run(linear(), task, samples=3, epoch_samples=3, batch_size=8, epochs=6)
    assert [row["step"] for row in progress.history] == [1, 1, 2, 2, 2, 3]  # 18 in batches of 8
    one, two, three = task.losses
    losses = [one, one, two, two, two, three]
    assert [row["loss"] for row in progress.history] == pytest.approx(losses, rel=1e-6)


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_the_training_with_advice(factor):
    with pytest.raises(Diverged, match=r"loss is \w+ after epoch 1 of 3.*below 0\.01"):
        run(linear(), Doubling(factor))


class Spoiling(nn.Module, Task):
    """Its loss is finite, its gradient or its statistic is not."""

    def __init__(self, name):
        super().__init__()
        self.name, self.weight = name, nn.Parameter(torch.zeros(()))
        self.register_buffer("running_mean", torch.zeros(()))

    def loss(self, network, rows, step):
        if self.name == "running_mean":
            self.running_mean.fill_(torch.nan)
            return self.weight * 1.0
        return self.weight.abs().sqrt()  # 0, with a slope of NaN

    state_dict = nn.Module.state_dict


@pytest.mark.parametrize("name", ["weight", "running_mean"])
def test_weights_that_a_step_spoiled_stop_the_training_and_leave_no_state(tmp_path, name):
    sentence = rf"NaN or infinite numbers in {name} after step 1 .*learning_rate below 0\.01"
    for often in (1e9, 0):
        network = Spoiling(name)
        with (
            pytest.raises(Diverged, match=sentence),
            StateFile(tmp_path / "state", {}, minutes=often) as state,
        ):
            run(network, network, samples=4, epoch_samples=4, epochs=1, state=state)
        assert not (tmp_path / "state").exists()


def test_threads_and_precision_come_from_the_settings():
    for precision in (torch.bfloat16, torch.float32):
        name = str(precision).removeprefix("torch.")
        machine = set_up(Compute(device="cpu", precision=name, threads=1))
        assert machine.device.type == "cpu" and machine.name
        assert torch.get_num_threads() == 1 and torch.are_deterministic_algorithms_enabled()
        with machine.autocast():
            assert nn.Linear(2, 2)(torch.rand(1, 2)).dtype == precision


def test_a_training_does_not_import_the_compiler():
    code = """if True:
        import sys, maskedteeth.training.train, maskedteeth.training.pretrain
        from maskedteeth.settings.config import Compute
        from maskedteeth.training.device import set_up
        set_up(Compute(device="cpu"))
        sys.exit("torch._dynamo" in sys.modules)"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_a_card_that_is_not_there_is_explained():
    with pytest.raises(InputError, match=r"compute\.device is 'cuda'.*'auto' or 'cpu'"):
        set_up(Compute(device="cuda"))
