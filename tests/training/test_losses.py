import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.metrics import log_loss

from maskedteeth.training.losses import dice_loss, segmentation_loss


def dice_by_hand(probability, target):
    """Eq. 2 of one radiograph."""
    return 1 - 2 * (probability * target).sum() / (probability.sum() + target.sum())


@pytest.mark.parametrize(("alpha", "beta"), [(0.7, 0.3), (1.0, 0.0), (0.0, 1.0), (2.0, 0.5)])
def test_the_loss_is_the_weighted_sum_of_equations_2_and_3(alpha, beta):
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (3, 1, 8, 16))
    shares = np.array([0.1, 0.5, 0.9]).reshape(3, 1, 1, 1)
    target = (generator.random(logits.shape) < shares).astype(float)
    probability = expit(logits)
    dice = np.mean([dice_by_hand(p, t) for p, t in zip(probability, target, strict=True)])
    # Of every radiograph, not of the batch: the two differ here.
    assert abs(dice - dice_by_hand(probability, target)) > 0.01
    cross_entropy = log_loss(target.ravel(), probability.ravel())
    tensors = (torch.from_numpy(array).float() for array in (logits, target))
    found = segmentation_loss(*tensors, alpha, beta)
    assert found.item() == pytest.approx(alpha * dice + beta * cross_entropy, abs=1e-5)


def test_an_edentulous_radiograph_costs_nothing_when_nothing_is_found():
    empty = torch.zeros(1, 1, 8, 8)
    assert dice_loss(empty, empty).item() == pytest.approx(0, abs=1e-6)
    assert dice_loss(torch.ones(1, 1, 8, 8), empty).item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("size", [0.0, 100.0])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_gradients_are_finite_even_for_saturated_logits_and_empty_masks(size, share):
    generator = torch.Generator().manual_seed(0)
    logits = (torch.randn(2, 1, 8, 8, generator=generator) * size).requires_grad_()
    target = (torch.rand(2, 1, 8, 8, generator=generator) < share).float()
    segmentation_loss(logits, target, 0.7, 0.3).backward()
    assert logits.grad.isfinite().all()


def test_bfloat16_logits_are_summed_in_float32():
    target = (torch.rand(2, 1, 256, 512, generator=torch.Generator().manual_seed(0)) < 0.1).float()
    logits = (target * 4 - 2).bfloat16()
    found = segmentation_loss(logits, target, 0.7, 0.3)
    # Summed in bfloat16, 131072 pixels would lose all but the first few thousand.
    exact = segmentation_loss(logits.float(), target, 0.7, 0.3)
    assert found.dtype == torch.float32 and found.item() == pytest.approx(exact.item(), rel=1e-6)
