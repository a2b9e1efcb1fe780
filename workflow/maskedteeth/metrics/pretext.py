"""Stage `measure_pretext`: measure a finished pretext on the test radiographs (section 4.1)."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.splits import draw_pretext_split
from maskedteeth.files import replacing, write_columns
from maskedteeth.metrics.lpips_weights import load_lpips
from maskedteeth.metrics.similarity import Reference
from maskedteeth.models import module_of
from maskedteeth.models.inputs import probability_of, to_grey, to_unit
from maskedteeth.pretext.fillers import fill
from maskedteeth.pretext.masking import draw_masks
from maskedteeth.pretext.objective import show
from maskedteeth.record import RunRecord, sha256
from maskedteeth.seeds import generator
from maskedteeth.settings.config import Compute, HeldOut, Pretext
from maskedteeth.training.device import evaluating, set_up
from maskedteeth.training.weights import stored_network

#: Radiographs to keep for the figures, as many as `report.samples` may ask for.
SAMPLES = 12


def measure_pretext(
    pretext: Pretext,
    compute: Compute,
    mask_seed: int,
    held_out: HeldOut,
    pretext_name: str,
    *,
    images: Path,
    index: Path,
    weights: Path,
    lpips: Path,
    metrics: Path,
    fillers: Path,
    samples: Path,
    evaluation: Path,
) -> None:
    """Mask the test radiographs, reconstruct and compare; fill the masks trivially, likewise.

    Args:
        pretext: its network, mask and guidance.
        compute: machine; in full precision whatever the training's.
        mask_seed: of masks and noise, the same for every pretext.
        held_out: protocol and test set.
        pretext_name: its name in the settings.
        images: ``images.npy``.
        index: ``index.csv``.
        weights: of the finished pretext.
        lpips: weights file of the stage `lpips_weights`.
        metrics: CSV to write, a line a test radiograph: pretext, id, hidden (share of the pixels),
            ssim, fsim, l1 and, where its weights could be had, lpips; and each over the masked
            pixels alone (``ssim_masked``, …; blank where there are none), see
            :meth:`maskedteeth.metrics.similarity.Reference.measure`.
        fillers: CSV to write: the same and filler, a line a filler and test radiograph. Fillers:
            composite (the network's pixels where masked, what it sees elsewhere) and those of
            :func:`maskedteeth.pretext.fillers.fill`; of a pretext that masks nothing the unfilled
            alone.
        samples: NPZ to write: ids (S,) and as uint8 (S, H, W) xray, masked (of a pretext that masks
            nothing: input), generated and, where the network sees it, sobel, of the first
            :data:`SAMPLES` test radiographs.
        evaluation: JSON to write, see :mod:`maskedteeth.record`.
    """
    sections = {"pretext": pretext, "compute": compute, "mask_seed": mask_seed}
    sections |= {"held_out": held_out, "pretext_name": pretext_name}
    machine = set_up(compute.model_copy(update={"precision": "float32"}))
    modules = (__name__, module_of(pretext.model))
    inputs = {"images": images, "index": index, "weights": weights, "lpips": lpips}
    record = RunRecord(sections, modules, machine, **inputs)

    rows = read_index(index)
    ids = draw_pretext_split(rows, held_out).test
    pixels = pixels_of(images, rows, ids)
    stream = generator(mask_seed, "probes")
    hidden = draw_masks(pretext.mask, len(ids), *pixels.shape[1:], stream)
    noise = generator(mask_seed, "noise")
    network = stored_network(pretext.model, weights, machine.device)
    lpips_network = load_lpips(lpips)
    if lpips_network is not None:
        lpips_network.to(machine.device)

    tables, pictures = defaultdict(list), defaultdict(list)
    for start in range(0, len(ids), machine.inference_batch):
        part = slice(start, start + machine.inference_batch)
        xray = to_unit(torch.from_numpy(pixels[part]).to(machine.device))
        masked = hidden[part].to(machine.device)
        visible, channels = show(pretext, xray, masked, noise)
        with evaluating(network):
            generated = probability_of(network, channels)
            outputs = {"network": generated}
            if pretext.mask.kind == "none":
                outputs["unfilled"] = visible
            else:
                outputs["composite"] = torch.where(masked, generated, visible)
                outputs |= fill(visible, masked)
            reference = Reference(xray, masked, lpips_network)
            share = masked.float().mean(dim=(1, 2, 3)).tolist()
            for name, image in outputs.items():
                about = {"pretext": pretext_name, "filler": name, "id": ids[part], "hidden": share}
                tables[name].append(about | reference.measure(image))
        shown = {"input" if pretext.mask.kind == "none" else "masked": visible}
        shown["generated"] = generated
        if "sobel" in pretext.model.inputs:
            shown["sobel"] = channels[:, [pretext.model.inputs.index("sobel")]]
        for name, image in shown.items():
            pictures[name].append(to_grey(image))

    for table in (of_network := tables.pop("network")):
        del table["filler"]
    write_columns(metrics, of_network)
    write_columns(fillers, [table for of_filler in tables.values() for table in of_filler])
    shown = {name: np.concatenate(parts)[:SAMPLES] for name, parts in pictures.items()}
    with replacing(samples) as temporary:
        np.savez_compressed(temporary, ids=np.array(ids[:SAMPLES]), xray=pixels[:SAMPLES], **shown)
    record.write(evaluation, pretext=pretext_name, weights_sha256=sha256(weights))
