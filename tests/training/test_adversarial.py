"""A network that is trained against a discriminator, as ToothPix and pix2pix."""

import copy

import pandas as pd
import pytest
import torch
from torch.nn import functional

from maskedteeth.settings.config import Adversary, Model, Training
from maskedteeth.tasks import task_of
from maskedteeth.training.adversarial import AdversarialSegmentation, PatchDiscriminator
from maskedteeth.training.device import Machine
from maskedteeth.training.engine import fit
from maskedteeth.training.weights import new_network

MACHINE = Machine(torch.device("cpu"), torch.float32, "test")


def test_the_default_discriminator_judges_patches_of_70_pixels():
    x = torch.rand(1, 2, 256, 256, requires_grad=True)
    verdicts = PatchDiscriminator(Adversary().widths).eval()(x)
    assert verdicts.shape == (1, 1, 30, 30)  # pix2pix's
    verdicts[0, 0, 15, 15].backward()
    seen = x.grad[0].abs().sum(0).nonzero()
    assert (seen.max(0).values - seen.min(0).values + 1).tolist() == [70, 70]


@pytest.mark.parametrize("task", ["teeth", "numbering"])
def test_steps_are_pix2pixs_with_the_studys_loss_in_the_place_of_l1(task):
    """First the discriminator moves, then the network against it: as with torch's Adam."""
    torch.manual_seed(0)
    radiographs = torch.randint(0, 256, (4, 32, 64), dtype=torch.uint8)
    labels = torch.randint(0, 33, (4, 32, 64), dtype=torch.uint8)
    training = Training(epochs=3, batch_size=4, learning_rate=0.01, dice_weight=0.4, bce_weight=0.6)
    learnt = task_of(task)
    model = Model(architecture="modified_resunet", widths=(4, 8))
    network = new_network(model, 0, MACHINE.device, 1 if task == "teeth" else 33)
    minimised = AdversarialSegmentation(
        *(learnt, radiographs, learnt.target_of(labels), training, ("xray",), MACHINE),
        adversary=Adversary(weight=2, widths=(4, 8)),
        ends=[1, 2, 3],
    )
    other, judge = copy.deepcopy(network), copy.deepcopy(minimised.discriminator)
    progress = fit(
        *(network, minimised, training), samples=4, ends=[1, 2, 3], seed=0, machine=MACHINE
    )

    first, second = (torch.optim.Adam(n.parameters(), lr=0.01) for n in (other, judge))
    entropy = functional.binary_cross_entropy_with_logits
    xray, real = radiographs[:, None] / 255, (labels[:, None] > 0).float()
    losses = []
    for _ in range(3):
        logits = other(xray)
        chance = logits.sigmoid() if task == "teeth" else 1 - logits.softmax(1)[:, :1]
        verdicts = [judge(torch.cat([xray, mask], 1)) for mask in (real, chance.detach())]
        of_judge = sum(entropy(v, torch.full_like(v, 1.0 - n)) for n, v in enumerate(verdicts)) / 2
        second.zero_grad()
        of_judge.backward()
        second.step()
        verdict = judge(torch.cat([xray, chance], 1))
        loss = learnt.loss(logits, learnt.target_of(labels)[:, None].float(), 0.4, 0.6)
        loss = loss + 2 * entropy(verdict, torch.ones_like(verdict))
        first.zero_grad()
        loss.backward()
        first.step()
        losses.append((loss.item(), of_judge.item()))
    found = [row["loss"] for row in progress.history]
    assert found == pytest.approx([loss for loss, _ in losses], rel=1e-3)
    further = minimised.further_losses()["discriminator_loss"]
    assert further == pytest.approx([loss for _, loss in losses], rel=1e-3)


def test_the_history_has_both_losses_and_the_weights_are_the_networks_alone(study, tmp_path):
    methods = {"gan": {"like": "scratch", "label": "GAN", "adversary": {"widths": [4]}}}
    recipe = {"epochs": 3, "batch_size": 9}  # an epoch of nine has as many steps as it may
    changes = {"methods": methods, "training": recipe}
    assert study.run("train", tmp_path / "gan", method="gan", changes=changes) == 0
    assert study.run("train", tmp_path / "plain", method="scratch", changes=changes) == 0
    history = pd.read_csv(tmp_path / "gan/history.csv")
    assert list(history) == ["epoch", "step", "loss", "discriminator_loss"]
    assert history["discriminator_loss"].between(0.01, 5).all()
    plain = pd.read_csv(tmp_path / "plain/history.csv")
    assert (history["loss"] > plain["loss"])[0]
    sizes = [(tmp_path / n / "weights.safetensors").stat().st_size for n in ("gan", "plain")]
    assert sizes[0] == sizes[1]
