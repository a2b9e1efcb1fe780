"""Stage `train`: learn to segment teeth (section 3.3, appendix B)."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.look import Look
from maskedteeth.data.splits import draw_split
from maskedteeth.files import write_csv
from maskedteeth.models import module_of
from maskedteeth.models.inputs import logits_of, network_input, to_unit
from maskedteeth.record import RunRecord, sha256
from maskedteeth.settings.config import Compute, HeldOut, Model, Training
from maskedteeth.training.device import Machine, set_up
from maskedteeth.training.engine import Task, fit
from maskedteeth.training.losses import segmentation_loss
from maskedteeth.training.state import StateFile
from maskedteeth.training.weights import new_network, save_weights, stored_network


def train(
    training: Training,
    model: Model,
    held_out: HeldOut,
    method: str,
    fraction: float,
    seed: int,
    source: str,
    compute: Compute,
    *,
    images: Path,
    labels: Path,
    index: Path,
    weights: Path,
    history: Path,
    run: Path,
    pretext: Path | None = None,
    checkpoint_minutes: float = 5,
) -> None:
    """Train one method on one fraction with one seed; the last weights are kept.

    Args:
        training: recipe and loss.
        model: the network.
        held_out: protocol and test set.
        method: its name in the settings.
        fraction: of the labelled radiographs that train.
        seed: of subset, weights and order.
        source: of the radiographs, for the record.
        compute: the machine.
        images: ``images.npy``.
        labels: ``labels.npy``.
        index: ``index.csv``.
        weights: safetensors to write.
        history: CSV to write: epoch, step, loss.
        run: JSON to write, see :mod:`maskedteeth.record`.
        pretext: weights to start from, all of them, head included; None: random.
        checkpoint_minutes: between two states, from which a stopped training goes on.
    """
    machine = set_up(compute)
    sections = {"training": training, "model": model, "held_out": held_out, "fraction": fraction}
    record = RunRecord(
        {**sections, "seed": seed, "compute": compute},
        (__name__, module_of(model)),
        machine,
        images=images,
        labels=labels,
        index=index,
        pretext=pretext,
    )
    rows = read_index(index)
    split = draw_split(rows, held_out, fraction, seed)
    pixels = pixels_of(images, rows, split.train)
    look = Look.of(source, [row for row in rows if row["id"] in split.train], pixels)
    radiographs = torch.from_numpy(pixels).to(machine.device)
    truth = torch.from_numpy(pixels_of(labels, rows, split.train) > 0).to(machine.device)
    if pretext is None:
        network = new_network(model, seed, machine.device)
    else:
        network = stored_network(model, pretext, machine.device, seed)

    equal_steps = training.budget == "equal-steps"
    with StateFile(weights.with_suffix(".state"), record.identity, checkpoint_minutes) as state:
        progress = fit(
            network,
            Segmentation(radiographs, truth, training, model.inputs, machine),
            training,
            samples=len(split.train),
            epoch_samples=split.pool if equal_steps else len(split.train),
            seed=seed,
            machine=machine,
            state=state,
        )
        save_weights(network, weights)
        write_csv(history, progress.history)
        record.write(
            run,
            method=method,
            fraction=fraction,
            seed=seed,
            trained_on=split.train,
            radiographs=list(radiographs.shape),
            look=look.model_dump(mode="json"),
            **progress.measured(training),
            machines=state.machines,
            weights_sha256=sha256(weights),
        )


@dataclass
class Segmentation(Task):
    """Tell teeth from the rest.

    Attributes:
        radiographs: uint8 (N, H, W) on the machine's device.
        truth: bool (N, H, W), likewise; True = tooth.
        training: weights of the loss.
        inputs: the network's input channels.
        machine: where and how precisely.
    """

    radiographs: Tensor
    truth: Tensor
    training: Training
    inputs: tuple[str, ...]
    machine: Machine

    def loss(self, network: nn.Module, rows: Tensor, step: int) -> Tensor:
        """See :meth:`Task.loss`."""
        xray = to_unit(self.radiographs[rows])
        with self.machine.autocast():
            logits = logits_of(network, network_input(self.inputs, xray))
        target = self.truth[rows].unsqueeze(1).float()
        return segmentation_loss(
            logits, target, self.training.dice_weight, self.training.bce_weight
        )
