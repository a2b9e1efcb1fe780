"""Stage `evaluate`: measure a finished training on its test radiographs."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from maskedteeth.data.arrays import read_rows, read_subset
from maskedteeth.files import replacing, write_csv
from maskedteeth.metrics import boundary
from maskedteeth.metrics.segmentation import COUNTS, METRICS, count, scores
from maskedteeth.models import module_of
from maskedteeth.models.inputs import network_input, probability_of, to_unit
from maskedteeth.provenance import RunRecord
from maskedteeth.settings.jobs import EvaluateJob
from maskedteeth.training.device import Machine, evaluating, set_up
from maskedteeth.training.weights import stored_network

COLUMNS = ("method", "fraction", "seed", "id", *COUNTS, *METRICS, *boundary.METRICS)


def evaluate(
    settings: EvaluateJob,
    *,
    images: Path,
    masks: Path,
    index: Path,
    split: Path,
    weights: Path,
    metrics: Path,
    predictions: Path,
    evaluation: Path,
    gpu_mem_mb: int | None = None,
) -> None:
    """Segment the test radiographs, count the pixels and measure the outlines.

    Args:
        settings: method, network, fraction, seed, threshold, tolerance of outlines, machine.
        images: ``images.npy``.
        masks: ``masks.npy``.
        index: ``index.csv``.
        split: ``splits/fraction-<f>/seed-<s>.json``.
        weights: of the finished training.
        metrics: CSV to write, a line a test radiograph, columns :data:`COLUMNS`.
        predictions: NPZ to write: ids (N,), probability uint8 (N, H, W), where k stands for
            probabilities from k/256 up to, but without, (k+1)/256.
        evaluation: JSON to write, see :mod:`maskedteeth.provenance`.
        gpu_mem_mb: MiB of a card's memory to reserve; None: a whole card.
    """
    # In full precision whatever the training's, so that a number does not depend on the machine
    # that measures it.
    machine = set_up(settings.compute.model_copy(update={"precision": "float32"}), gpu_mem_mb)
    modules = (__name__, module_of(settings.model))
    inputs = {"images": images, "masks": masks, "index": index, "split": split, "weights": weights}
    record = RunRecord(settings, modules, machine, **inputs)
    ids = read_subset(split, settings.fraction, "test")
    network = stored_network(settings.model, weights, machine.device)
    probability = predict(network, read_rows(images, index, ids), settings.model.inputs, machine)
    prediction, truth = probability >= settings.threshold, read_rows(masks, index, ids)
    counts = count(prediction, truth)
    run = {"method": settings.method, "fraction": f"{settings.fraction:g}", "seed": settings.seed}
    values = scores(counts["tp"], counts["fp"], counts["fn"])
    values |= boundary.boundary_scores(prediction, truth, settings.boundary_tolerance)
    rows = [
        {**run, "id": name}
        | {key: int(counts[key][n]) for key in COUNTS}
        | {key: f"{column[n]:.6f}" for key, column in values.items()}
        for n, name in enumerate(ids)
    ]
    write_csv(metrics, rows, COLUMNS)
    with replacing(predictions) as temporary:
        grey = np.minimum(np.floor(probability * 256), 255).astype(np.uint8)
        np.savez_compressed(temporary, ids=np.array(ids), probability=grey)
    record.write(evaluation)


def predict(
    network: nn.Module, pixels: np.ndarray, inputs: tuple[str, ...], machine: Machine
) -> np.ndarray:
    """Return the probability of tooth for every pixel.

    Args:
        network: on the machine's device.
        pixels: radiographs, uint8 (N, H, W).
        inputs: the network's input channels.
        machine: where and how precisely.

    Returns:
        float32 (N, H, W) in [0, 1].

    Raises:
        InputError: the network cannot take radiographs of this size, or returns NaN.
    """
    probability = np.empty(pixels.shape, np.float32)
    with evaluating(network), machine.autocast():
        for start in range(0, len(pixels), machine.inference_batch):
            rows = slice(start, start + machine.inference_batch)
            xray = to_unit(torch.from_numpy(pixels[rows]).to(machine.device))
            found = probability_of(network, network_input(inputs, xray))
            probability[rows] = found.squeeze(1).cpu().numpy()
    return probability
