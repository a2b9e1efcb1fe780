"""Stage `evaluate`: measure finished trainings on their test radiographs."""

import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.splits import draw_split
from maskedteeth.files import replacing, write_columns
from maskedteeth.metrics.boundary import boundary_scores
from maskedteeth.metrics.segmentation import count, scores
from maskedteeth.models import module_of
from maskedteeth.models.inputs import network_input, probability_of, to_unit
from maskedteeth.record import RunRecord, sha256
from maskedteeth.settings.config import Compute, HeldOut
from maskedteeth.settings.sections import Run
from maskedteeth.training.device import Machine, evaluating, set_up
from maskedteeth.training.weights import stored_network


def evaluate(
    runs: list[Run],
    held_out: HeldOut,
    threshold: float,
    boundary_tolerance: float,
    compute: Compute,
    *,
    images: Path,
    labels: Path,
    index: Path,
    weights: list[Path],
    metrics: Path,
    predictions: Path,
    evaluation: Path,
) -> None:
    """Segment the test radiographs of some runs, count the pixels and measure the outlines.

    Args:
        runs: method, fraction, seed and network of each.
        held_out: protocol and test set.
        threshold: probability from which a pixel is tooth.
        boundary_tolerance: pixels by which an outline may be off.
        compute: the machine.
        images: ``images.npy``.
        labels: ``labels.npy``.
        index: ``index.csv``.
        weights: of the finished trainings, in the order of ``runs``.
        metrics: CSV to write, a line a run and test radiograph: method, fraction, seed, id and
            what :func:`measure` returns.
        predictions: NPZ to write: probability uint8 (lines of ``metrics``, H, W), where k stands
            for probabilities from k/256 up to, but without, (k+1)/256.
        evaluation: JSON to write, see :mod:`maskedteeth.record`; under ``runs`` method, fraction,
            seed, the weights' SHA-256 and the seconds that it took, of each run.
    """
    # In full precision whatever the training's, so that a number does not depend on the machine
    # that measures it.
    machine = set_up(compute.model_copy(update={"precision": "float32"}))
    measurement = {"threshold": threshold, "boundary_tolerance": boundary_tolerance}
    modules = {module_of(run.model) for run in runs}
    record = RunRecord(
        {"runs": runs, "held_out": held_out, **measurement, "compute": compute},
        (__name__, *sorted(modules)),
        machine,
        images=images,
        labels=labels,
        index=index,
    )
    radiographs = read_index(index)
    tables, pictures, evaluated = [], [], []
    for run, file in zip(runs, weights, strict=True):
        begin = time.perf_counter()
        ids = draw_split(radiographs, held_out, run.fraction, run.seed).test
        network = stored_network(run.model, file, machine.device)
        pixels = pixels_of(images, radiographs, ids)
        probability = predict(network, pixels, run.model.inputs, machine)
        prediction, truth = probability >= threshold, pixels_of(labels, radiographs, ids) > 0
        about = {"method": run.method, "fraction": run.fraction, "seed": run.seed}
        measured = measure(prediction, truth, boundary_tolerance)
        tables.append({**about, "fraction": f"{run.fraction:g}", "id": ids, **measured})
        pictures.append(np.minimum(np.floor(probability * 256), 255).astype(np.uint8))
        seconds = round(time.perf_counter() - begin, 2)
        evaluated.append({**about, "weights_sha256": sha256(file), "seconds": seconds})
    write_columns(metrics, tables)
    with replacing(predictions) as temporary:
        np.savez_compressed(temporary, probability=np.concatenate(pictures))
    record.write(evaluation, runs=evaluated)


def measure(
    prediction: np.ndarray, truth: np.ndarray, boundary_tolerance: float
) -> dict[str, np.ndarray]:
    """Measure every radiograph by every metric; a new one is a line here.

    Args:
        prediction: bool (N, H, W), True = tooth.
        truth: bool (N, H, W), likewise.
        boundary_tolerance: pixels by which an outline may be off.

    Returns:
        (N,) by column of ``metrics.csv``, in its order: pixel counts and metrics.
    """
    counts = count(prediction, truth)
    return {
        **counts,
        **scores(counts["tp"], counts["fp"], counts["fn"]),
        **boundary_scores(prediction, truth, boundary_tolerance),
    }


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
