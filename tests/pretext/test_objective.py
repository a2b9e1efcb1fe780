import numpy as np
import pytest
import torch
from scipy.special import expit

from maskedteeth.pretext.objective import reconstruction_loss


def test_the_reconstruction_loss_is_the_mean_absolute_error_of_the_sigmoid():
    generator = np.random.default_rng(0)
    logits, xray = generator.normal(0, 2, (3, 1, 8, 16)), generator.random((3, 1, 8, 16))
    found = reconstruction_loss(*(torch.tensor(a, dtype=torch.float32) for a in (logits, xray)))
    assert found.item() == pytest.approx(np.abs(expit(logits) - xray).mean(), abs=1e-6)


def test_bfloat16_logits_are_summed_in_float32():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(1, 1, 256, 512, generator=generator).bfloat16()
    xray = torch.rand(1, 1, 256, 512, generator=generator)
    loss = reconstruction_loss(logits, xray)
    assert loss.dtype == torch.float32
    exact = np.abs(expit(logits.double().numpy()) - xray.numpy()).mean()
    assert loss.item() == pytest.approx(exact, rel=1e-5)


def test_over_some_pixels_it_is_their_mean():
    generator = np.random.default_rng(0)
    logits, xray = generator.normal(0, 2, (3, 1, 8, 16)), generator.random((3, 1, 8, 16))
    counted = generator.random(xray.shape) < 0.3
    tensors = (torch.tensor(a, dtype=torch.float32) for a in (logits, xray))
    found = reconstruction_loss(*tensors, torch.tensor(counted))
    assert found.item() == pytest.approx(np.abs(expit(logits) - xray)[counted].mean(), abs=1e-6)
