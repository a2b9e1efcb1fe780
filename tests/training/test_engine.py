import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from maskedteeth.errors import Diverged, InputError
from maskedteeth.settings.config import Compute, Recipe
from maskedteeth.training.device import Machine
from maskedteeth.training.engine import Task, fit, shuffled_rows
from maskedteeth.training.state import StateFile

MACHINE = Machine(torch.device("cpu"), torch.float32, "test")


def batches(samples, batch_size, count, seed=0):
    return shuffled_rows(samples, count, batch_size, torch.Generator().manual_seed(seed))


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 1))


def problem(samples=10):
    """Inputs, and what a small network can learn to make of them."""
    x = torch.rand(samples, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    y = 1 - 2 * x
    return lambda net, rows: (net(x[rows]) - y[rows]).square().mean()


class Learning(Task):
    """A task that consists of a loss, and of something to do after epochs."""

    def __init__(self, loss, after_epoch=lambda epoch: None):
        self._loss, self._after_epoch = loss, after_epoch

    def loss(self, network, rows, step):
        return self._loss(network, rows)

    def after_epoch(self, network, epoch):
        self._after_epoch(epoch)


def run(
    net,
    loss,
    samples=10,
    epoch_samples=10,
    seed=0,
    after_epoch=lambda epoch: None,
    state=None,
    **recipe,
):
    recipe = Recipe(**({"epochs": 3, "batch_size": 4, "learning_rate": 0.01} | recipe))
    options = {"samples": samples, "epoch_samples": epoch_samples, "seed": seed, "state": state}
    return fit(net, Learning(loss, after_epoch), recipe, machine=MACHINE, **options)


def weights(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()])


# --- Batches ---


@pytest.mark.parametrize(("samples", "batch_size"), [(12, 4), (10, 4), (7, 7), (3, 8), (1, 4)])
def test_a_pass_sees_every_radiograph_once_and_batches_run_across_passes(samples, batch_size):
    drawn = batches(samples, batch_size, 30)
    assert drawn.shape == (30, batch_size) and drawn.dtype == torch.int64
    stream = drawn.flatten()
    for start in range(0, len(stream) - samples + 1, samples):
        assert sorted(stream[start : start + samples].tolist()) == list(range(samples))


def test_passes_have_orders_of_their_own_and_a_seed_means_the_same_orders():
    first, second = batches(50, 50, 2)
    assert not torch.equal(first, second)
    assert torch.equal(first, batches(50, 50, 1)[0])
    assert not torch.equal(first, batches(50, 50, 1, seed=1)[0])


# --- The loop ---


def test_the_loss_decreases():
    history = run(network(), problem(), epochs=30).history
    assert history[-1]["loss"] < 0.2 * history[0]["loss"]


def test_equal_seeds_give_the_same_bits_and_another_seed_others():
    results = []
    for seed in (7, 7, 8):
        net = network()
        results.append((run(net, problem(), seed=seed).history, weights(net)))
    assert results[0][0] == results[1][0] and torch.equal(results[0][1], results[1][1])
    assert results[0][0] != results[2][0] and not torch.equal(results[0][1], results[2][1])


def test_a_step_is_adams():
    """One batch, one step: the same as torch's plain optimiser, up to rounding."""
    net, loss = network(), problem(4)
    other = copy.deepcopy(net)
    run(net, loss, samples=4, epoch_samples=4, epochs=1)
    adam = torch.optim.Adam(other.parameters(), lr=0.01, foreach=False, fused=False)
    loss(other, torch.arange(4)).backward()
    adam.step()
    assert torch.allclose(weights(net), weights(other), atol=1e-6)


@pytest.mark.parametrize(
    ("epoch_samples", "batch_size", "steps"),
    [(10, 5, [2, 4, 6]), (10, 4, [3, 5, 8]), (10, 8, [2, 3, 4]), (40, 4, [10, 20, 30])],
)
def test_an_epoch_ends_with_the_first_step_that_completes_its_radiographs(
    epoch_samples, batch_size, steps
):
    result = run(network(), problem(), epoch_samples=epoch_samples, batch_size=batch_size)
    assert [row["step"] for row in result.history] == steps and result.step == steps[-1]
    assert [row["epoch"] for row in result.history] == [1, 2, 3]


def test_the_number_of_steps_depends_on_the_epochs_size_and_not_on_the_radiographs():
    steps = {n: run(network(), problem(n), samples=n, epoch_samples=30).step for n in (2, 10, 30)}
    assert set(steps.values()) == {23}


def test_the_history_holds_the_mean_loss_of_the_epochs_steps():
    seen = []

    def loss(net, rows):
        seen.append(problem()(net, rows))
        return seen[-1]

    history = run(network(), loss, epoch_samples=8, epochs=2).history
    values = [value.item() for value in seen]
    assert [row["loss"] for row in history] == pytest.approx(
        [sum(values[:2]) / 2, sum(values[2:]) / 2], rel=1e-6
    )


def test_an_epoch_smaller_than_a_batch_does_not_report_a_loss_of_zero():
    result = run(network(), problem(3), samples=3, epoch_samples=3, batch_size=8, epochs=6)
    assert result.step == 3  # 18 radiographs in batches of 8
    assert all(row["loss"] > 0.01 for row in result.history)


def test_the_end_of_every_epoch_is_announced_with_the_weights_of_that_moment():
    net, moments = network(), []
    run(net, problem(), after_epoch=lambda epoch: moments.append((epoch, weights(net))))
    assert [epoch for epoch, _ in moments] == [1, 2, 3]
    assert torch.equal(moments[-1][1], weights(net))
    assert not torch.equal(moments[0][1], moments[1][1])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_the_training_with_advice(value):
    def broken(net, rows):
        return problem()(net, rows) * value

    with pytest.raises(InputError, match=r"loss is \w+ after epoch 1 of 3.*below 0\.01"):
        run(network(), broken)


class Spoiling(nn.Module):
    """Something whose loss is finite and whose gradient or statistic is not."""

    def __init__(self, gradient):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.register_buffer("running_mean", torch.zeros(()))
        self.gradient = gradient

    def loss(self, net, rows):
        if not self.gradient:
            self.running_mean.fill_(torch.nan)
            return self.weight * 1.0
        return self.weight.abs().sqrt()  # 0, with a slope of NaN


@pytest.mark.parametrize(("gradient", "name"), [(True, "weight"), (False, "running_mean")])
def test_weights_that_the_last_step_spoiled_stop_the_training(gradient, name):
    net = Spoiling(gradient)
    sentence = rf"NaN or infinite numbers in {name} after step 1 .*learning_rate below 0\.01"
    with pytest.raises(Diverged, match=sentence):
        run(net, net.loss, samples=4, epoch_samples=4, epochs=1)


def test_a_diverged_training_leaves_no_state_to_go_on_from(tmp_path):
    net = Spoiling(gradient=True)
    folder = tmp_path / "weights.state"
    with pytest.raises(Diverged, match="after step 1 "), StateFile(folder, {}, minutes=0) as state:
        run(net, net.loss, state=state)
    assert not folder.exists()


def test_the_network_is_in_training_mode():
    net = network().eval()
    modes = []

    def loss(net, rows):
        modes.append(net.training)
        return problem()(net, rows)

    run(net, loss)
    assert all(modes)


def test_progress_is_printed_for_every_epoch(capsys):
    run(network(), problem())
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 3 and lines[0].startswith("epoch 1/3  step 3  loss 0.")


def test_threads_and_devices_come_from_the_settings():
    from maskedteeth.training.device import set_up

    machine = set_up(Compute(device="cpu", precision="bfloat16", threads=1))
    assert machine.device.type == "cpu" and machine.precision == torch.bfloat16
    assert torch.get_num_threads() == 1 and machine.name
    assert torch.are_deterministic_algorithms_enabled()
    with machine.autocast():
        assert nn.Linear(2, 2)(torch.rand(1, 2)).dtype == torch.bfloat16
    with set_up(Compute(device="cpu", precision="float32", threads=1)).autocast():
        assert nn.Linear(2, 2)(torch.rand(1, 2)).dtype == torch.float32


def test_a_training_does_not_import_the_compiler():
    stages = ("training.train", "training.pretrain", "metrics.evaluate")
    modules = ", ".join(f"maskedteeth.{name}" for name in stages)
    code = f"import sys, {modules}; from maskedteeth.settings.config import Compute; "
    code += "from maskedteeth.training.device import set_up; set_up(Compute(device='cpu')); "
    code += "sys.exit('torch._dynamo' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_a_card_that_is_not_there_is_explained():
    from maskedteeth.training.device import set_up

    with pytest.raises(InputError, match=r"compute\.device is 'cuda'.*'auto' or 'cpu'"):
        set_up(Compute(device="cuda"))
