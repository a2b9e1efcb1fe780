"""Stage `measure_corrections`: were annotations with errors corrected (section 4.3)?"""

import time
from pathlib import Path

from maskedteeth.data.annotations import with_errors
from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.splits import draw_split
from maskedteeth.files import write_columns
from maskedteeth.metrics.evaluate import modules_of, segment
from maskedteeth.metrics.segmentation import count, scores
from maskedteeth.record import RunRecord, sha256
from maskedteeth.settings.config import Annotations, Compute, HeldOut
from maskedteeth.settings.sections import Run
from maskedteeth.training.device import set_up


def measure_corrections(
    runs: list[Run],
    annotations: Annotations,
    held_out: HeldOut,
    threshold: float,
    compute: Compute,
    *,
    images: Path,
    labels: Path,
    index: Path,
    weights: list[Path],
    metrics: Path,
    evaluation: Path,
) -> None:
    """Compare, on training radiographs, prediction and given annotation with the right one.

    Args:
        runs: method, fraction, seed, network and task of each.
        annotations: the errors that all of them were trained on.
        held_out: protocol and test set.
        threshold: probability from which a pixel is tooth.
        compute: the machine; in full precision whatever the training's.
        images: ``images.npy``.
        labels: ``labels.npy``.
        index: ``index.csv``.
        weights: of the finished trainings, in the order of ``runs``.
        metrics: CSV to write, two lines a run and training radiograph: method, fraction, seed, of
            (prediction, or given: the annotation with its errors), id, the pixel counts and the
            four metrics.
        evaluation: JSON to write, see :mod:`maskedteeth.record`; as of the stage `evaluate`.
    """
    machine = set_up(compute.model_copy(update={"precision": "float32"}))
    sections = {"runs": runs, "annotations": annotations, "held_out": held_out}
    record = RunRecord(
        {**sections, "threshold": threshold, "compute": compute},
        (__name__, *modules_of(runs)),
        machine,
        images=images,
        labels=labels,
        index=index,
    )
    rows = read_index(index)
    tables, evaluated = [], []
    for run, file in zip(runs, weights, strict=True):
        begin = time.perf_counter()
        ids = draw_split(rows, held_out, run.fraction, run.seed).train
        pixels, right = (pixels_of(array, rows, ids) for array in (images, labels))
        compared = {
            "prediction": segment(run, file, pixels, machine)[0] >= threshold,
            "given": with_errors(right, ids, annotations, run.seed) > 0,
        }
        about = {"method": run.method, "fraction": run.fraction, "seed": run.seed}
        for name, mask in compared.items():
            counts = count(mask, right > 0)
            measured = counts | scores(counts["tp"], counts["fp"], counts["fn"])
            columns = {**about, "fraction": f"{run.fraction:g}", "of": name, "id": ids}
            tables.append(columns | measured)
        seconds = round(time.perf_counter() - begin, 2)
        evaluated.append({**about, "weights_sha256": sha256(file), "seconds": seconds})
    write_columns(metrics, tables)
    record.write(evaluation, runs=evaluated)
