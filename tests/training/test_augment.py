import math

import cv2
import numpy as np
import pytest
import torch

from maskedteeth.models.inputs import to_unit
from maskedteeth.training.augment import LIMITS, augment, draw_changes


@pytest.fixture
def pair(radiograph):
    drawn = [radiograph(seed) for seed in range(4)]
    xray = to_unit(torch.from_numpy(np.stack([image for image, _ in drawn])))
    masks = np.stack([mask for _, mask in drawn]).astype(np.float32)
    return xray, torch.from_numpy(masks / 255 * [[[1]], [[7]], [[32]], [[99]]]).unsqueeze(1).float()


def test_changes_are_uniform_within_their_limits_and_follow_from_the_seed():
    draw = [draw_changes((50, 40), torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(draw[0], draw[1]) and not torch.equal(draw[0], draw[2])
    assert draw[0].shape == (50, 40, 3) and draw[0].dtype == torch.float32
    shares = (draw[0] / torch.tensor(LIMITS)).flatten(0, 1)
    assert shares.abs().max() <= 1 and (shares.std(dim=0) - 1 / math.sqrt(3)).abs().max() < 0.03
    assert shares.mean(dim=0).abs().max() < 0.05


def test_without_a_change_nothing_changes(pair):
    xray, labels = pair
    same = augment(xray, labels, torch.zeros(4, 3))
    assert torch.allclose(same[0], xray, atol=1e-5) and torch.equal(same[1], labels)


def test_radiograph_and_labels_are_turned_and_scaled_as_by_opencv(pair):
    xray, labels = pair
    changes = torch.tensor([[0.08, 0, 0], [-0.08, 0, 0], [0, 0.1, 0], [0.05, -0.1, 0]])
    found, moved = augment(xray, labels, changes)
    height, width = xray.shape[-2:]
    for k, (angle, scale, _) in enumerate(changes.tolist()):
        middle = (width - 1) / 2, (height - 1) / 2  # clockwise here, the other way there
        matrix = cv2.getRotationMatrix2D(middle, -math.degrees(angle), 1 + scale)
        options = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
        expected = cv2.warpAffine(xray[k, 0].numpy(), matrix, (width, height), **options)
        assert np.abs(found[k, 0].numpy() - expected).max() < 0.03  # it counts 32nds of a pixel
        options = {"flags": cv2.INTER_NEAREST, "borderValue": 0}
        expected = cv2.warpAffine(labels[k, 0].numpy(), matrix, (width, height), **options)
        assert (moved[k, 0].numpy() != expected).mean() < 0.01
        assert set(moved[k].unique().tolist()) == set(labels[k].unique().tolist())


def test_contrast_is_stretched_about_the_mean_and_stays_in_range(pair):
    xray, labels = pair
    changes = torch.zeros(4, 3)
    changes[:, 2] = torch.tensor([0.2, -0.2, 0.1, 0])
    found, same = augment(xray, labels, changes)
    mean = xray.mean(dim=(1, 2, 3), keepdim=True)
    expected = mean + (xray - mean) * (1 + changes[:, 2]).view(-1, 1, 1, 1)
    assert torch.allclose(found, expected.clamp(0, 1), atol=1e-5) and torch.equal(same, labels)
    found, _ = augment(xray.round(), labels, changes)
    assert found.min() == 0 and found.max() == 1
