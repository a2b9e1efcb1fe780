"""Stage `evaluate_elsewhere`: measure finished trainings on another dataset."""

from pathlib import Path

import numpy as np

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.copies import near_copies
from maskedteeth.data.splits import draw_pretext_split
from maskedteeth.data.teeth import BACKGROUND, UNNUMBERED
from maskedteeth.errors import InputError
from maskedteeth.files import write_columns, write_csv
from maskedteeth.metrics.evaluate import evaluating_runs, measure, open_record, segment
from maskedteeth.metrics.numbering import COLUMNS
from maskedteeth.settings.config import Compute, HeldOut
from maskedteeth.settings.sections import Run
from maskedteeth.tasks import task_of


def evaluate_elsewhere(
    elsewhere: str,
    runs: list[Run],
    held_out: HeldOut,
    threshold: float,
    boundary_tolerance: float,
    compute: Compute,
    *,
    images: Path,
    labels: Path,
    index: Path,
    home_images: Path,
    home_index: Path,
    weights: list[Path],
    metrics: Path,
    evaluation: Path,
    further: list[Path] = (),  # type: ignore[assignment]
    numbering: Path | None = None,
) -> None:
    """Segment all labelled radiographs of a dataset that are near copies of none that trained.

    So all networks are measured on the same radiographs, whichever of them trained each.

    Args:
        elsewhere: name of the dataset.
        runs: method, fraction, seed, network and task of each.
        held_out: protocol and test set at home, which nothing was trained on.
        threshold: probability from which a pixel is tooth.
        boundary_tolerance: pixels by which an outline may be off.
        compute: the machine; in full precision whatever the training's.
        images: ``images.npy`` of the dataset, as all that follow.
        labels: ``labels.npy``.
        index: ``index.csv``.
        home_images: ``images.npy`` of the study's own dataset.
        home_index: its ``index.csv``.
        weights: of the finished trainings, in the order of ``runs``.
        metrics: CSV to write, a line a run and radiograph: dataset, method, fraction, seed, id and
            what :func:`maskedteeth.metrics.evaluate.measure` returns.
        evaluation: JSON to write, see :mod:`maskedteeth.record`; as of the stage `evaluate`.
        further: ``images.npy`` of the further datasets that pretexts were trained on.
        numbering: CSV to write where teeth are numbered: dataset and what that of the stage
            `evaluate` has; no line where no tooth of the dataset has a number.

    Raises:
        InputError: no radiograph is left.
    """
    sections = {"runs": runs, "held_out": held_out, "threshold": threshold}
    sections |= {"boundary_tolerance": boundary_tolerance, "compute": compute}
    inputs = {"images": images, "labels": labels, "index": index}
    inputs = {f"{name} of {elsewhere}": file for name, file in inputs.items()}
    record = open_record(sections, __name__, **inputs)

    home, rows = read_index(home_index), read_index(index)
    labelled = [row["id"] for row in rows if row["labelled"] == "1"]
    pixels = pixels_of(images, rows, labelled)
    trained = pixels_of(home_images, home, draw_pretext_split(home, held_out).train)
    copies = near_copies(pixels, np.concatenate([trained, *map(np.load, further)]))
    print(
        f"{len(labelled)} labelled radiographs of {elsewhere}, of which {copies.sum()} are left "
        "out as near copies of radiographs that train"
    )
    ids, pixels = np.array(labelled)[~copies].tolist(), pixels[~copies]
    if not ids:
        raise InputError(
            f"datasets.{elsewhere} has no labelled radiographs except near copies of training "
            "radiographs, so nothing can be measured there; remove it from evaluation.also_on."
        )
    truth = pixels_of(labels, rows, ids)
    has_numbers = ((truth > BACKGROUND) & (truth < UNNUMBERED)).any()
    tables, teeth, evaluated = [], [], []
    for run, named, network in evaluating_runs(runs, weights, record.machine, evaluated):
        probability, numbers = segment(network, run, record.machine, pixels)
        prediction = probability >= threshold
        named = {"dataset": elsewhere, **named}
        measured = measure(prediction, truth > BACKGROUND, boundary_tolerance)
        tables.append({**named, "id": ids, **measured})
        if numbering and has_numbers:
            numbers[~prediction] = BACKGROUND
            teeth.append(named | task_of(run.task).measure(ids, numbers, truth))
    write_columns(metrics, tables)
    if teeth:
        write_columns(numbering, teeth)
    elif numbering:
        write_csv(numbering, [], ("dataset", "method", "fraction", "seed", *COLUMNS))
    record.write(evaluation, runs=evaluated)
