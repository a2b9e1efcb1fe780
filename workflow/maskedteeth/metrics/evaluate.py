"""Stage `evaluate`: measure finished trainings on their test radiographs."""

import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from torch import Tensor, nn

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.splits import draw_split
from maskedteeth.data.teeth import BACKGROUND
from maskedteeth.files import replacing, write_columns
from maskedteeth.metrics.boundary import boundary_scores
from maskedteeth.metrics.corrections import compare
from maskedteeth.metrics.instances import average_precision, find_instances
from maskedteeth.metrics.segmentation import count, scores
from maskedteeth.models import module_of
from maskedteeth.models.inputs import network_inputs, probability_of
from maskedteeth.record import RunRecord, sha256
from maskedteeth.settings.config import Compute, HeldOut
from maskedteeth.settings.sections import Run
from maskedteeth.tasks import CHANNELS, module_of_task, task_of
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
    numbering: Path | None = None,
    corrections: Path | None = None,
    instances: Path | None = None,
) -> None:
    """Segment the test radiographs of some runs, count the pixels and measure the outlines.

    Args:
        runs: method, fraction, seed, network, task and errors in the annotations of each.
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
            for probabilities from k/256 up to, but without, (k+1)/256; and where ``numbering`` is
            written, labels uint8, likewise: 0 = background, 1 to 32 = a tooth.
        evaluation: JSON to write, see :mod:`maskedteeth.record`; under ``runs`` method, fraction,
            seed, the weights' SHA-256 and the seconds that it took, of each run.
        numbering: CSV to write where teeth are numbered, a line a tooth of a run and radiograph:
            method, fraction, seed and what :func:`maskedteeth.metrics.numbering.measure` returns.
        corrections: CSV to write where methods are trained on errors, of the runs that are: method,
            fraction, seed and what :func:`maskedteeth.metrics.corrections.compare` returns.
        instances: CSV to write where networks find teeth one by one, of the runs whose do: method,
            fraction, seed and what :func:`maskedteeth.metrics.instances.average_precision` returns.
    """
    sections = {"runs": runs, "held_out": held_out, "threshold": threshold}
    sections |= {"boundary_tolerance": boundary_tolerance, "compute": compute}
    inputs = {"images": images, "labels": labels, "index": index}
    record = open_record(sections, __name__, **inputs)
    machine, radiographs = record.machine, read_index(index)
    tables, teeth, corrected, found = [], [], [], []
    pictures, evaluated = defaultdict(list), []
    for run, named, network in evaluating_runs(runs, weights, machine, evaluated):
        split = draw_split(radiographs, held_out, run.fraction, run.seed)
        ids = split.test
        pixels = pixels_of(images, radiographs, ids)
        probability, numbers = segment(network, run, machine, pixels)
        prediction, truth = probability >= threshold, pixels_of(labels, radiographs, ids)
        tables.append({**named, "id": ids, **measure(prediction, truth > 0, boundary_tolerance)})
        levels = np.minimum(np.floor(probability * 256), 255).astype(np.uint8)
        pictures["probability"].append(levels)
        if numbering:
            numbers[~prediction] = BACKGROUND
            pictures["labels"].append(numbers)
            teeth.append(named | task_of(run.task).measure(ids, numbers, truth))
        if instances and run.model.finds_instances:
            results = find_instances(network, pixels, run.model, machine)
            measured = average_precision(results, truth, run.task == "numbering")
            found.append(named | {name: [score] for name, score in measured.items()})
        if corrections and run.annotations:
            pixels, right = (pixels_of(each, radiographs, split.train) for each in (images, labels))
            probability, numbers = segment(network, run, machine, pixels)
            numbers[probability < threshold] = BACKGROUND
            corrected += [named | t for t in compare(run, split.train, numbers, right)]
    write_columns(metrics, tables)
    if numbering:
        write_columns(numbering, teeth)
    if corrections:
        write_columns(corrections, corrected)
    if instances:
        write_columns(instances, found)
    with replacing(predictions) as temporary:
        np.savez_compressed(temporary, **{n: np.concatenate(p) for n, p in pictures.items()})
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


def open_record(sections: dict[str, Any], module: str, **inputs: Path) -> RunRecord:
    """Set the machine up and open the record of an evaluation, a stage of ``module``.

    It is in full precision whatever the training's, so that a number does not depend on the machine
    that measures it.
    """
    machine = set_up(sections["compute"].model_copy(update={"precision": "float32"}))
    runs = sections["runs"]
    of_runs = {module_of(run.model) for run in runs} | {module_of_task(run.task) for run in runs}
    return RunRecord(sections, (module, *sorted(of_runs)), machine, **inputs)


def evaluating_runs(
    runs: list[Run], weights: list[Path], machine: Machine, evaluated: list[dict[str, Any]]
) -> Iterator[tuple[Run, dict[str, Any], nn.Module]]:
    """Yield each run, what names it in tables, and its network.

    To ``evaluated`` it adds, for the record, what was evaluated, and how long that took.
    """
    for run, file in zip(runs, weights, strict=True):
        begin = time.perf_counter()
        about = {"method": run.method, "fraction": run.fraction, "seed": run.seed}
        network = stored_network(run.model, file, machine.device, channels=CHANNELS[run.task])
        named = about | {"fraction": f"{run.fraction:g}"}
        yield run, named, network
        seconds = round(time.perf_counter() - begin, 2)
        evaluated.append(about | {"weights_sha256": sha256(file), "seconds": seconds})


def segment(
    network: nn.Module, run: Run, machine: Machine, pixels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Segment radiographs, uint8 (N, H, W), with the network of a run.

    Returns:
        The probability of tooth, float32 (N, H, W) in [0, 1]; and which tooth it would be, uint8
        (N, H, W), labels as in ``labels.npy``.

    Raises:
        InputError: the network cannot take radiographs of this size, or returns NaN.
    """
    task = task_of(run.task)
    batches = [
        [part.cpu().numpy() for part in task.read(found)]
        for found in probabilities(network, pixels, run.model.inputs, task, machine)
    ]
    tooth, numbers = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return tooth, numbers


def probabilities(
    network: nn.Module,
    pixels: np.ndarray,
    inputs: tuple[str, ...],
    task: ModuleType,
    machine: Machine,
) -> Iterator[Tensor]:
    """Yield what the task makes of the logits, float32 (B, channels, H, W), of some rows.

    Args:
        network: on the machine's device.
        pixels: radiographs, uint8 (N, H, W).
        inputs: the network's input channels.
        task: module of :mod:`maskedteeth.tasks`.
        machine: where and how precisely.

    Raises:
        InputError: as :func:`segment`.
    """
    for channels in network_inputs(inputs, pixels, machine):
        with evaluating(network), machine.autocast():
            found = probability_of(network, channels, task.probabilities)
        yield found
