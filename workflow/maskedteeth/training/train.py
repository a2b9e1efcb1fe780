"""Stage `train`: learn to segment teeth (section 3.3, appendix B)."""

from pathlib import Path

import torch
from torch import Tensor, nn

from maskedteeth.data.arrays import read_rows, read_subset
from maskedteeth.files import read_json, write_csv
from maskedteeth.jobs import TrainJob
from maskedteeth.models import module_of
from maskedteeth.models.inputs import network_input, to_unit
from maskedteeth.provenance import RunRecord
from maskedteeth.training.device import set_up
from maskedteeth.training.engine import fit
from maskedteeth.training.losses import segmentation_loss
from maskedteeth.training.weights import new_network, save_weights, stored_network


def train(
    settings: TrainJob,
    *,
    images: Path,
    masks: Path,
    index: Path,
    split: Path,
    weights: Path,
    history: Path,
    run: Path,
    pretext: Path | None = None,
) -> None:
    """Train one method on one fraction with one seed; the last weights are kept.

    Args:
        settings: network, recipe, fraction, seed, machine.
        images: ``images.npy``.
        masks: ``masks.npy``.
        index: ``index.csv``.
        split: ``splits/fraction-<f>/seed-<s>.json``.
        weights: safetensors to write.
        history: CSV to write: epoch, step, loss.
        run: JSON to write, see :mod:`maskedteeth.provenance`.
        pretext: weights to start from, all of them, head included; None: random.
    """
    machine = set_up(settings.compute)
    modules = (__name__, module_of(settings.model))
    inputs = {"images": images, "masks": masks, "index": index, "split": split, "pretext": pretext}
    record = RunRecord(settings, modules, machine, **inputs)
    ids = read_subset(split, settings.fraction, "train")
    radiographs = torch.from_numpy(read_rows(images, index, ids)).to(machine.device)
    truth = torch.from_numpy(read_rows(masks, index, ids)).to(machine.device)
    if pretext is None:
        network = new_network(settings.model, settings.seed, machine.device)
    else:
        network = stored_network(settings.model, pretext, machine.device, settings.seed)

    def batch_loss(network: nn.Module, rows: Tensor) -> Tensor:
        rows = rows.to(machine.device)
        with machine.autocast():
            logits = network(network_input(settings.model.inputs, to_unit(radiographs[rows])))
        target = truth[rows].unsqueeze(1).float()
        return segmentation_loss(logits, target, settings.dice_weight, settings.bce_weight)

    equal_steps = settings.budget == "equal-steps"
    result = fit(
        network,
        batch_loss,
        settings,
        samples=len(ids),
        epoch_samples=read_json(split)["pool"] if equal_steps else len(ids),
        seed=settings.seed,
        machine=machine,
    )
    save_weights(network, weights)
    write_csv(history, result.history)
    record.write(
        run,
        seed=settings.seed,
        radiographs=list(radiographs.shape),
        steps=result.steps,
        images_per_second=round(result.images_per_second, 2),
    )
