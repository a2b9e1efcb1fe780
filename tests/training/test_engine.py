import copy
import subprocess
import sys

import pytest
import torch
from small import Noting, new_network, run
from torch import nn

from maskedteeth.errors import Diverged
from maskedteeth.seeds import generator
from maskedteeth.settings.config import Compute
from maskedteeth.training.device import set_up
from maskedteeth.training.engine import shuffled_rows
from maskedteeth.training.state import StateFile


@pytest.mark.parametrize(("samples", "batch_size"), [(12, 4), (10, 4), (7, 7), (3, 8), (1, 4)])
def test_a_pass_sees_every_radiograph_once_and_batches_run_across_passes(samples, batch_size):
    drawn = shuffled_rows(samples, 30, batch_size, torch.Generator().manual_seed(0))
    assert drawn.shape == (30, batch_size) and drawn.dtype == torch.int64
    passes = drawn.flatten()[: 30 * batch_size // samples * samples].view(-1, samples)
    assert (passes.sort(dim=1).values == torch.arange(samples)).all()
    assert samples == 1 or len(passes.unique(dim=0)) > 1


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_steps_are_adams_at_the_rate_of_the_schedule(schedule):
    """The same as torch's plain optimiser, up to rounding; parameters without gradient stay."""
    network, task = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1)), Noting()
    network.unused = nn.Parameter(torch.ones(2))
    other = copy.deepcopy(network)
    run(network, task, schedule=schedule)
    adam = torch.optim.Adam(other.parameters(), lr=0.01, foreach=False, fused=False)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, T_max=8)
    for step, rows in enumerate(shuffled_rows(10, 8, 4, generator(0, "order"))):
        adam.zero_grad()
        task.loss(other, rows, step).backward()
        adam.step()
        if schedule == "cosine":
            cosine.step()
    for found, expected in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("epoch_samples", "batch_size", "steps"),
    [(10, 5, [2, 4, 6]), (10, 4, [3, 5, 8]), (40, 4, [10, 20, 30]), (3, 8, [1, 1, 2])],
)
def test_an_epoch_ends_with_the_first_step_that_completes_its_radiographs(
    capsys, epoch_samples, batch_size, steps
):
    """Its row holds the mean of its steps' losses, and the task looks at the network then.

    An epoch without a step of its own has the loss of the one before.
    """
    network, task = new_network(), Noting()
    progress = run(network, task, epoch_samples=epoch_samples, batch_size=batch_size)
    assert [row["epoch"] for row in progress.history] == [1, 2, 3]
    assert [row["step"] for row in progress.history] == steps and progress.step == steps[-1]
    for start, row in zip([0, *steps], progress.history, strict=False):
        if start < row["step"]:
            mean = task.losses[start : row["step"]].mean().item()
        assert row["loss"] == pytest.approx(mean, rel=1e-6)
    assert [epoch for epoch, _ in task.epochs] == [1, 2, 3]
    assert torch.equal(task.epochs[-1][1], network[0].weight)
    assert torch.equal(task.epochs[0][1], task.epochs[1][1]) == (steps[0] == steps[1])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and lines[0].startswith(f"epoch 1/3  step {steps[0]}  loss ")


def spoil_statistic(network, step):
    network[1].running_mean.data.fill_(torch.nan)


@pytest.mark.parametrize("minutes", [1e9, 0])
@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (
            lambda network, step: network[0].weight.sum() * torch.nan,
            "The loss is nan after epoch 1",
        ),
        (
            lambda network, step: network[0].weight.sum() * torch.inf,
            "The loss is -?inf after epoch",
        ),
        # 0, with a slope that is no number.
        (lambda network, step: (0 * network[0].weight).sum().sqrt(), r"numbers in 0\.weight after"),
        (spoil_statistic, r"NaN or infinite numbers in 1\.running_mean after step 1 "),
    ],
)
def test_numbers_that_are_none_stop_a_training_that_leaves_no_state(tmp_path, spoil, what, minutes):
    folder, advice = tmp_path / "state", r".*learning_rate below 0\.01"
    with pytest.raises(Diverged, match=what + advice), StateFile(folder, {}, minutes) as state:
        run(new_network(), Noting(spoil), epoch_samples=4, epochs=1, state=state)
    assert not folder.exists()


def test_the_machine_has_the_settings_threads_and_is_deterministic():
    machine = set_up(Compute(device="cpu", threads=1))
    assert machine.device.type == "cpu" and machine.name
    assert torch.get_num_threads() == 1 and torch.are_deterministic_algorithms_enabled()


def test_a_training_does_not_import_the_compiler():
    code = """if True:
        import sys, maskedteeth.training.train, maskedteeth.training.pretrain
        from maskedteeth.settings.config import Compute
        from maskedteeth.training.device import set_up
        set_up(Compute(device="cpu"))
        sys.exit("torch._dynamo" in sys.modules)"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
