"""Stage `measure-pretext`: measure a finished pretext on the test radiographs (section 4.1)."""

import math
from pathlib import Path

import numpy as np
import torch

from maskedteeth.data.arrays import read_rows, read_split
from maskedteeth.files import replacing, write_csv
from maskedteeth.metrics.lpips_weights import load_lpips
from maskedteeth.metrics.reconstruction import MASKED, METRICS, Reference
from maskedteeth.models import module_of
from maskedteeth.models.inputs import network_input, probability_of, to_grey, to_unit
from maskedteeth.pretext.fillers import fill
from maskedteeth.pretext.masking import draw_masks, hide
from maskedteeth.provenance import RunRecord
from maskedteeth.seeds import generator
from maskedteeth.settings.jobs import ReconstructJob
from maskedteeth.training.device import evaluating, set_up
from maskedteeth.training.weights import stored_network

COLUMNS = ("id", "hidden", *METRICS, *MASKED)


def reconstruct(
    settings: ReconstructJob,
    *,
    images: Path,
    index: Path,
    split: Path,
    weights: Path,
    lpips: Path,
    metrics: Path,
    fillers: Path,
    samples: Path,
    evaluation: Path,
    gpu_mem_mb: int | None = None,
) -> None:
    """Hide blocks of the test radiographs, reconstruct and compare; fill them trivially, likewise.

    Args:
        settings: network, blocks and their seed, number of samples to keep, machine.
        images: ``images.npy``.
        index: ``index.csv``.
        split: ``splits/pretext.json``.
        weights: of the finished pretext.
        lpips: weights file of the stage `lpips-weights`.
        metrics: CSV to write, a line a test radiograph: id, hidden (share of the pixels), ssim,
            lpips (empty where no weights could be had), fsim, l1, and each over the masked pixels
            alone (``ssim_masked``, …; empty where there are none), see
            :meth:`maskedteeth.metrics.reconstruction.Reference.compare`.
        fillers: CSV to write: filler, then the same columns, a line a filler and test radiograph.
            Fillers: composite (the network's pixels where masked, the radiograph's elsewhere) and
            those of :func:`maskedteeth.pretext.fillers.fill`.
        samples: NPZ to write: ids (S,) and as uint8 (S, H, W) xray, masked, sobel, generated.
        evaluation: JSON to write, see :mod:`maskedteeth.provenance`.
        gpu_mem_mb: MiB of a card's memory to reserve; None: a whole card.
    """
    machine = set_up(settings.compute.model_copy(update={"precision": "float32"}), gpu_mem_mb)
    modules = (__name__, module_of(settings.model))
    inputs = {"images": images, "index": index, "split": split, "weights": weights, "lpips": lpips}
    record = RunRecord(settings, modules, machine, **inputs)
    ids = read_split(split)["test"]
    pixels = read_rows(images, index, ids)
    network = stored_network(settings.model, weights, machine.device)
    lpips_network = load_lpips(lpips)
    if lpips_network is not None:
        lpips_network.to(machine.device)
    stream = generator(settings.mask_seed, "probes")
    hidden = draw_masks(settings.blocks, len(ids), *pixels.shape[1:], stream)

    rows, filled, pictures = [], {}, []
    for start in range(0, len(ids), machine.inference_batch):
        part = slice(start, start + machine.inference_batch)
        xray = to_unit(torch.from_numpy(pixels[part]).to(machine.device))
        masked = hidden[part].to(machine.device)
        visible = hide(xray, masked, settings.blocks)
        with evaluating(network):
            with machine.autocast():
                channels = network_input(settings.model.inputs, xray, visible)
                generated = probability_of(network, channels)
            reference = Reference(xray, masked, lpips_network)
            rows += _rows(ids[part], masked, reference.compare(generated))
            composite = torch.where(masked, generated, xray)
            for name, image in ({"composite": composite} | fill(visible, masked)).items():
                measured = _rows(ids[part], masked, reference.compare(image))
                filled.setdefault(name, []).extend({"filler": name} | row for row in measured)
        if start < settings.samples:
            shown = {"masked": visible, "generated": generated}
            shown["sobel"] = network_input(("sobel",), xray)
            pictures.append({key: to_grey(value) for key, value in shown.items()})
    write_csv(metrics, rows, COLUMNS)
    write_csv(fillers, [row for lines in filled.values() for row in lines], ("filler", *COLUMNS))
    kept = slice(settings.samples)
    with replacing(samples) as temporary:
        stacks = {key: np.concatenate([p[key] for p in pictures])[kept] for key in pictures[0]}
        np.savez_compressed(temporary, ids=np.array(ids[kept]), xray=pixels[kept], **stacks)
    record.write(evaluation)


def _rows(ids: list[str], masked: torch.Tensor, values: dict[str, list[float]]) -> list[dict]:
    shares = masked.float().mean(dim=(1, 2, 3)).tolist()
    return [
        {"id": name, "hidden": f"{shares[n]:.6f}"}
        | {key: _digits(column[n]) for key, column in values.items()}
        for n, name in enumerate(ids)
    ]


def _digits(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6f}"
