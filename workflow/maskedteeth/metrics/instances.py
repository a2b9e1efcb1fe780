"""Average precision of instances, as COCO measures it (pycocotools)."""

import contextlib
import io
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import nn

from maskedteeth.data.annotations import teeth_of
from maskedteeth.data.teeth import TEETH, UNNUMBERED
from maskedteeth.models.inputs import network_inputs
from maskedteeth.settings.config import Model
from maskedteeth.training.device import Machine, evaluating

#: What COCO counts as AP, from the IoU of 0.5 to that of 0.95; at 0.5; and at 0.75.
SCORES = ("ap", "ap50", "ap75")


def find_instances(
    network: nn.Module, pixels: np.ndarray, model: Model, machine: Machine
) -> list[dict[str, Any]]:
    """Return what a network finds on radiographs, as COCO writes results.

    Args:
        network: has ``detect``, as :class:`maskedteeth.models.mask_rcnn.ToothInstances`.
        pixels: radiographs, uint8 (N, H, W).
        model: its settings.
        machine: where and how precisely.

    Returns:
        Of each instance image_id, the radiograph's row; category_id; score; and segmentation, its
        mask at the probability 0.5.
    """
    results, first = [], 0
    for channels in network_inputs(model.inputs, pixels, machine):
        with evaluating(network), machine.autocast():
            found = network.detect(channels)
        for row, one in enumerate(found, first):
            masks = (one["masks"][:, 0] >= 0.5).byte().cpu().numpy()
            of_each = zip(one["labels"].tolist(), one["scores"].tolist(), masks, strict=True)
            results += [
                {"image_id": row, "category_id": label, "score": score, **_as_coco(mask)}
                for label, score, mask in of_each
            ]
        first += len(found)
    return results


def average_precision(
    results: list[dict[str, Any]], labels: np.ndarray, numbered: bool
) -> dict[str, float]:
    """Measure what was found on radiographs.

    Args:
        results: of :func:`find_instances`.
        labels: of the radiographs, uint8 (N, H, W), as in ``labels.npy``: a tooth is all pixels of
            a number, or a region of teeth of unknown number.
        numbered: whether numbers are classes; then the scores are means over those that there are,
            and what is found on a tooth of unknown number counts neither for nor against.

    Returns:
        ap, ap50 and ap75, in [0, 1]; NaN where no radiograph has a tooth.
    """
    classes = list(TEETH) if numbered else [1]
    annotations: list[dict[str, Any]] = []
    for row, one in enumerate(labels):
        for number, mask in teeth_of(one):
            ignored = numbered and number == UNNUMBERED
            for category in classes if ignored else [number if numbered else 1]:
                about = {"id": len(annotations) + 1, "image_id": row, "category_id": category}
                annotations.append({**about, "iscrowd": int(ignored), **_as_coco(mask)})
    if not annotations:
        return dict.fromkeys(SCORES, float("nan"))
    if not results:
        return dict.fromkeys(SCORES, 0.0)
    height, width = labels.shape[1:]
    with contextlib.redirect_stdout(io.StringIO()):  # it prints tables
        truth = COCO()
        truth.dataset = {
            "images": [{"id": n, "height": height, "width": width} for n in range(len(labels))],
            "categories": [{"id": number} for number in classes],
            "annotations": annotations,
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes([*map(dict, results)]), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(SCORES, evaluation.stats[:3].tolist(), strict=True))


def _as_coco(mask: np.ndarray) -> dict[str, Any]:
    coded = coco_mask.encode(np.asfortranarray(mask))
    return {"segmentation": coded, "area": float(mask.sum())}
