import importlib

import pytest
import torch

from maskedteeth.models.operators import box_iou, nms, roi_align

reference = importlib.import_module("torchvision.ops.roi_align")._roi_align.__wrapped__


def boxes(count):
    corner = torch.rand(count, 2) * torch.tensor([60, 40])
    return torch.cat([corner, corner + 1 + torch.rand(count, 2) * torch.tensor([30, 25])], dim=1)


@pytest.mark.parametrize("points", [2, 3, -1])
@pytest.mark.parametrize("aligned", [False, True])
def test_regions_are_resampled_as_torchvision_does(points, aligned):
    torch.manual_seed(0)
    regions = torch.cat([torch.randint(0, 3, (20, 1)).float(), boxes(20)], dim=1)
    pooled = []
    for align in (roi_align, reference):
        features = torch.rand(3, 4, 17, 23, generator=torch.Generator().manual_seed(1))
        features.requires_grad_()
        out = align(features, regions, 0.25, 7, 5, points, aligned)
        out.square().sum().backward()
        pooled.append((out, features.grad))
    for one, other in zip(*pooled, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_of_boxes_that_overlap_the_best_is_kept():
    torch.manual_seed(0)
    drawn, scores = boxes(60), torch.rand(60)
    kept = nms(drawn, scores, 0.5)
    assert (scores[kept].diff() <= 0).all() and kept[0] == scores.argmax()
    overlap = box_iou(drawn, drawn)
    assert (overlap[kept][:, kept].fill_diagonal_(0) <= 0.5).all()
    for number in set(range(60)) - set(kept.tolist()):
        better = kept[scores[kept] > scores[number]]
        assert (overlap[number, better] > 0.5).any()
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5).shape == (0,)
