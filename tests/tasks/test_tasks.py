"""The loss that numbers teeth, against MONAI's, torch's and by hand."""

import numpy as np
import pytest
import torch
from monai.losses import DiceLoss
from scipy.special import softmax
from torch.nn import functional

from maskedteeth.tasks import numbering


def drawn(seed, shown=range(33), size=(3, 8, 16)):
    """Logits and, of the labels that are shown, a target."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (size[0], 33, *size[1:]))
    target = generator.choice([*shown], (size[0], 1, *size[1:]))
    return torch.from_numpy(logits).float(), torch.from_numpy(target).float()


@pytest.mark.parametrize(("dice_weight", "ce_weight"), [(1.0, 0.0), (0.0, 1.0), (2.0, 0.5)])
@pytest.mark.parametrize("shown", [range(33), [0, 3, 4, 30]])
def test_the_loss_is_monais_dice_of_the_teeth_shown_and_torchs_cross_entropy(
    shown, dice_weight, ce_weight
):
    logits, target = drawn(0, shown)
    options = {"include_background": False, "softmax": True, "to_onehot_y": True, "batch": True}
    each = DiceLoss(**options, smooth_nr=0, smooth_dr=0, reduction="none")(logits, target)
    teeth = [number - 1 for number in shown if number]
    dice = each.ravel()[teeth].mean()
    assert len(teeth) == 32 or (dice - each.mean()).abs() > 0.03  # absent teeth are left out
    cross_entropy = functional.cross_entropy(logits, target.squeeze(1).long())
    found = numbering.loss(logits, target, dice_weight, ce_weight)
    expected = dice_weight * dice + ce_weight * cross_entropy
    assert found.item() == pytest.approx(expected.item(), abs=1e-5)


def test_a_tooth_of_unknown_number_is_any_tooth():
    """It costs what the background's probability costs, and changes no tooth's Dice."""
    logits, target = drawn(1, [0, 5, 6])
    known, unknown = target.clone(), target.clone()
    unknown[:, :, :, :4] = 99
    known[:, :, :, :4] = 0
    probability = softmax(logits.numpy().astype(float), axis=1)
    rest = probability.copy()
    rest[:, :, :, :4] = 0
    truth = known.numpy()[:, 0]
    dice = [
        1
        - 2
        * rest[:, number][truth == number].sum()
        / (rest[:, number].sum() + (truth == number).sum())
        for number in (5, 6)
    ]
    right = np.take_along_axis(probability, truth[:, None].astype(int), 1)[:, 0]
    right[:, :, :4] = 1 - probability[:, 0, :, :4]
    expected = np.mean(dice) - np.log(right).mean()
    assert numbering.loss(logits, unknown, 1, 1).item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("size", [0.0, 100.0])
@pytest.mark.parametrize("shown", [[0], [99], range(33), [0, 7, 99]])
def test_gradients_are_finite_whatever_is_shown(shown, size):
    logits, target = drawn(2, shown)
    logits = (logits * size).requires_grad_()
    loss = numbering.loss(logits.bfloat16(), target, 0.7, 0.3)
    loss.backward()
    assert loss.dtype == torch.float32 and logits.grad.isfinite().all()


def test_a_pixel_is_tooth_by_the_background_and_of_the_likeliest_tooth():
    probability = torch.zeros(1, 33, 1, 2)
    probability[0, [0, 8, 9], 0, 0] = torch.tensor([0.4, 0.35, 0.25])
    probability[0, [0, 32], 0, 1] = torch.tensor([0.9, 0.1])
    tooth, number = numbering.read(probability)
    np.testing.assert_allclose(tooth[0, 0], [0.6, 0.1], atol=1e-6)
    assert number[0, 0].tolist() == [8, 32] and number.dtype == torch.uint8
