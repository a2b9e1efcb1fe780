"""Stage `evaluate`: measure a finished training on its test radiographs."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from maskedteeth.data.arrays import read_index, read_rows
from maskedteeth.data.splits import COLUMNS, draw_split
from maskedteeth.files import replacing, write_text
from maskedteeth.metrics.boundary import boundary_scores
from maskedteeth.metrics.segmentation import count, scores
from maskedteeth.models import module_of
from maskedteeth.models.inputs import network_input, probability_of, to_unit
from maskedteeth.provenance import RunRecord
from maskedteeth.settings.config import Compute, Evaluation, HeldOut, Model
from maskedteeth.training.device import Machine, evaluating, set_up
from maskedteeth.training.weights import stored_network


def evaluate(
    model: Model,
    compute: Compute,
    evaluation: Evaluation,
    held_out: HeldOut,
    method: str,
    fraction: float,
    seed: int,
    *,
    images: Path,
    masks: Path,
    index: Path,
    weights: Path,
    metrics: Path,
    predictions: Path,
    evaluation_record: Path,
) -> None:
    """Segment the test radiographs, count the pixels and measure the outlines.

    Args:
        model: the network.
        compute: machine; in full precision whatever the training's, so that a number does not
            depend on the machine that measures it.
        evaluation: threshold, tolerance of outlines.
        held_out: protocol and test set.
        method: its name in the settings.
        fraction: of the radiographs that trained.
        seed: of the training.
        images: ``images.npy``.
        masks: ``masks.npy``.
        index: ``index.csv``.
        weights: of the finished training.
        metrics: CSV to write, a line a test radiograph: method, fraction, seed, id and what
            :func:`measure` returns.
        predictions: NPZ to write: ids (N,), probability uint8 (N, H, W), where k stands for
            probabilities from k/256 up to, but without, (k+1)/256.
        evaluation_record: JSON to write, see :mod:`maskedteeth.provenance`.
    """
    sections = {"model": model, "compute": compute, "evaluation": evaluation}
    sections |= {"held_out": held_out, "method": method, "fraction": fraction, "seed": seed}
    machine = set_up(compute.model_copy(update={"precision": "float32"}))
    inputs = {"images": images, "masks": masks, "index": index, "weights": weights}
    record = RunRecord(sections, (__name__, module_of(model)), machine, **inputs)

    ids = draw_split(read_index(index, COLUMNS), held_out, fraction, seed)["test"]
    network = stored_network(model, weights, machine.device)
    probability = predict(network, read_rows(images, index, ids), model.inputs, machine)
    prediction, truth = probability >= evaluation.threshold, read_rows(masks, index, ids)
    run = {"method": method, "fraction": f"{fraction:g}", "seed": seed}
    frame = pd.DataFrame({**run, "id": ids, **measure(prediction, truth, evaluation)})
    write_text(metrics, frame.to_csv(index=False, float_format="%.6f"))
    with replacing(predictions) as temporary:
        grey = np.minimum(np.floor(probability * 256), 255).astype(np.uint8)
        np.savez_compressed(temporary, ids=np.array(ids), probability=grey)
    record.write(evaluation_record)


def measure(
    prediction: np.ndarray, truth: np.ndarray, evaluation: Evaluation
) -> dict[str, np.ndarray]:
    """Measure every radiograph by every metric; a new one is a line here.

    Args:
        prediction: bool (N, H, W), True = tooth.
        truth: uint8 0/1 (N, H, W), 1 = tooth.
        evaluation: tolerance of outlines.

    Returns:
        (N,) by column of ``metrics.csv``, in its order: pixel counts and metrics.
    """
    counts = count(prediction, truth)
    return {
        **counts,
        **scores(counts["tp"], counts["fp"], counts["fn"]),
        **boundary_scores(prediction, truth, evaluation.boundary_tolerance),
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
