"""Stage `train`: learn to segment teeth (section 3.3, appendix B)."""

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

from maskedteeth.data.annotations import with_errors
from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.look import Look
from maskedteeth.data.splits import draw_split
from maskedteeth.files import write_csv
from maskedteeth.models import module_of
from maskedteeth.models.inputs import logits_of, network_input, to_unit
from maskedteeth.record import RunRecord, sha256
from maskedteeth.seeds import generator
from maskedteeth.settings.config import (
    Annotations,
    Compute,
    HeldOut,
    Model,
    TaskName,
    Training,
    Transfer,
)
from maskedteeth.tasks import CHANNELS, module_of_task, task_of
from maskedteeth.training.augment import augment, draw_changes
from maskedteeth.training.device import Machine, set_up
from maskedteeth.training.engine import Task, fit, last_steps
from maskedteeth.training.state import StateFile
from maskedteeth.training.weights import new_network, save_weights, stored_network


def train(
    task: TaskName,
    training: Training,
    model: Model,
    transfer: Transfer,
    held_out: HeldOut,
    annotations: Annotations | None,
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
    encoder: Path | None = None,
    checkpoint_minutes: float = 5,
) -> None:
    """Train one method on one fraction with one seed; the last weights are kept.

    Args:
        task: what the network learns to tell.
        training: recipe and weights of the loss.
        model: the network.
        transfer: which weights of the pretext are taken over.
        held_out: protocol and test set.
        annotations: errors that the training labels get.
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
        pretext: weights to start from; None: random.
        encoder: weights of the encoder to start from, where ``model`` names some.
        checkpoint_minutes: between two states, from which a stopped training goes on.
    """
    machine = set_up(compute)
    sections = {"task": task, "training": training, "model": model, "transfer": transfer}
    sections |= {"held_out": held_out, "fraction": fraction, "seed": seed, "compute": compute}
    record = RunRecord(
        {**sections, "annotations": annotations},
        (__name__, module_of(model), module_of_task(task)),
        machine,
        images=images,
        labels=labels,
        index=index,
        pretext=pretext,
        encoder=encoder,
    )
    rows = read_index(index)
    split = draw_split(rows, held_out, fraction, seed)
    pixels = pixels_of(images, rows, split.train)
    look = Look.of(source, [row for row in rows if row["id"] in split.train], pixels)
    radiographs = torch.from_numpy(pixels).to(machine.device)
    truth, learnt = pixels_of(labels, rows, split.train), task_of(task)
    if annotations is not None:
        truth = with_errors(truth, split.train, annotations, seed)
    truth = learnt.target_of(torch.from_numpy(truth)).to(machine.device)
    if pretext is None:
        network = new_network(model, seed, machine.device, CHANNELS[task], encoder)
    else:
        network = stored_network(model, pretext, machine.device, seed, transfer, CHANNELS[task])

    epoch_samples = split.pool if training.budget == "equal-steps" else len(split.train)
    changes = None
    if training.augment == "light":
        shape = (last_steps(training, epoch_samples)[-1], training.batch_size)
        changes = draw_changes(shape, generator(seed, "augment")).to(machine.device)
    with StateFile(weights.with_suffix(".state"), record.identity, checkpoint_minutes) as state:
        progress = fit(
            network,
            Segmentation(learnt, radiographs, truth, training, model.inputs, machine, changes),
            training,
            samples=len(split.train),
            epoch_samples=epoch_samples,
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
    """Tell teeth from the rest, or which teeth they are.

    Attributes:
        task: module of :mod:`maskedteeth.tasks`.
        radiographs: uint8 (N, H, W) on the machine's device.
        truth: what the task takes from their labels, (N, H, W), likewise.
        training: weights of the loss.
        inputs: the network's input channels.
        machine: where and how precisely.
        changes: float32 (steps, B, 3) of :func:`draw_changes`; None: no augmentation.
    """

    task: ModuleType
    radiographs: Tensor
    truth: Tensor
    training: Training
    inputs: tuple[str, ...]
    machine: Machine
    changes: Tensor | None = None

    def loss(self, network: nn.Module, rows: Tensor, step: int) -> Tensor:
        """See :meth:`Task.loss`."""
        xray, target = to_unit(self.radiographs[rows]), self.truth[rows].unsqueeze(1).float()
        if self.changes is not None:
            xray, target = augment(xray, target, self.changes[step])
        with self.machine.autocast():
            logits = logits_of(network, network_input(self.inputs, xray))
        return self.task.loss(logits, target, self.training.dice_weight, self.training.bce_weight)
