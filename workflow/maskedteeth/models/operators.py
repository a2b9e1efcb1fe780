"""The two operators of torchvision that detection needs, in torch's own functions.

They take the place of torchvision's compiled ones only where these cannot be loaded (see
:mod:`maskedteeth.torchvision_shim`): the same up to rounding, and several times slower.
"""

import sys
from typing import Any

import torch
from torch import Tensor

from maskedteeth import torchvision_shim

torchvision_shim.import_torchvision()
with torchvision_shim.compiler_left_out():
    from torchvision.ops import box_iou

ROI_ALIGN = (
    "roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, "
    "SymInt pooled_width, int sampling_ratio, bool aligned) -> Tensor"
)

#: Our operators; they vanish with this object. None: torchvision's own are in use.
supplied: Any = None


def supply_operators() -> None:
    """Supply the operators, once, where torchvision's own cannot be loaded."""
    global supplied
    if supplied is not None or torchvision_shim.declared is None:
        return
    supplied = torch.library.Library("torchvision", "FRAGMENT")
    supplied.define(ROI_ALIGN)
    supplied.impl("nms", nms, "CompositeExplicitAutograd")
    supplied.impl("roi_align", roi_align, "CompositeImplicitAutograd")
    for module in ("torchvision.extension", "torchvision.ops.roi_align"):  # they ask for it
        sys.modules[module]._has_ops = lambda: True


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression: of boxes that overlap by more, the one of the highest score.

    Args:
        boxes: float (N, 4): left, top, right, bottom.
        scores: float (N,).
        iou_threshold: in [0, 1].

    Returns:
        int64 (K,), the boxes that are kept, the highest score first.
    """
    order = scores.argsort(descending=True, stable=True)
    overlap = (box_iou(boxes[order], boxes[order]) > iou_threshold).cpu().numpy()
    kept = torch.zeros(len(order), dtype=torch.bool)
    left = ~torch.zeros(len(order), dtype=torch.bool).numpy()
    for number in range(len(order)):
        if left[number]:
            kept[number] = True
            left &= ~overlap[number]
    return order[kept.to(order.device)]


def roi_align(
    features: Tensor,
    rois: Tensor,
    spatial_scale: float,
    pooled_height: int,
    pooled_width: int,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Resample regions of feature maps to one size, as two products of matrices a map.

    Bilinear interpolation at a grid of points is a product of one matrix for the rows and one for
    the columns; averaging the points of a bin is in these matrices, too.

    Args:
        features: float (B, C, H, W).
        rois: float (K, 5): the map, left, top, right, bottom.
        spatial_scale: pixels of the maps a pixel of the regions.
        pooled_height: bins of a region.
        pooled_width: likewise.
        sampling_ratio: points a bin, in each direction. 0 or less: one a pixel, at least.
        aligned: whether regions are moved by half a pixel of the maps.

    Returns:
        float (K, C, pooled_height, pooled_width).
    """
    where, edges = rois[:, 0].long(), rois[:, 1:].float() * spatial_scale - 0.5 * aligned
    sizes, bins = features.shape[2:], (pooled_height, pooled_width)
    rows, columns = (
        _weights(edges[:, 1 - axis], edges[:, 3 - axis], *of_axis, sampling_ratio, aligned)
        for axis, of_axis in enumerate(zip(bins, sizes, strict=True))
    )
    pooled = features.new_zeros(len(rois), features.shape[1], *bins)
    for number in where.unique().tolist():
        own = (where == number).nonzero().squeeze(1)
        found = torch.einsum(
            "kph,chw,kqw->kcpq", rows[own].to(features), features[number], columns[own].to(features)
        )
        pooled = pooled.index_copy(0, own, found)
    return pooled


def _weights(
    start: Tensor, end: Tensor, bins: int, size: int, points: int, aligned: bool
) -> Tensor:
    """Return what each of ``size`` pixels adds to each bin, float (K, bins, size)."""
    length = end - start if aligned else (end - start).clamp(min=1)
    per_bin = (length / bins).ceil() if points <= 0 else torch.full_like(length, points)
    point = torch.arange(int(per_bin.max()) if len(per_bin) else 0, device=start.device)
    shares = (point + 0.5) / per_bin[:, None]  # of a bin's length
    within = torch.arange(bins, device=start.device)[:, None] + shares[:, None]
    places = start[:, None, None] + (length / bins)[:, None, None] * within
    used = (shares < 1)[:, None] & (places >= -1) & (places <= size)
    pixels = torch.arange(size, device=start.device)
    weight = (1 - (places.clamp(0, size - 1)[..., None] - pixels).abs()).clamp(min=0)
    return (weight * used[..., None]).sum(2) / per_bin[:, None, None]
