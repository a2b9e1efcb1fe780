"""Stage `train`: learn to segment teeth (section 3.3, appendix B)."""

import importlib
import json
from pathlib import Path

import torch

from maskedteeth.data.annotations import with_errors
from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.look import Look
from maskedteeth.data.splits import draw_split
from maskedteeth.files import write_csv
from maskedteeth.models import module_of
from maskedteeth.record import RunRecord, sha256
from maskedteeth.seeds import generator
from maskedteeth.settings.config import (
    Adversary,
    Annotations,
    Compute,
    HeldOut,
    Model,
    TaskName,
    Training,
    Transfer,
)
from maskedteeth.tasks import CHANNELS, module_of_task, task_of
from maskedteeth.training import module_of_loss
from maskedteeth.training.augment import draw_changes
from maskedteeth.training.device import set_up
from maskedteeth.training.engine import fit, last_steps
from maskedteeth.training.state import StateFile
from maskedteeth.training.weights import new_network, save_weights, stored_network


def train(
    task: TaskName,
    training: Training,
    model: Model,
    transfer: Transfer,
    held_out: HeldOut,
    annotations: Annotations | None,
    adversary: Adversary | None,
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
    instead_of: Path | None = None,
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
        adversary: discriminator that trains against the network; None: none.
        method: its name in the settings.
        fraction: of the labelled radiographs that train.
        seed: of subset, weights and order.
        source: of the radiographs, for the record.
        compute: the machine.
        images: ``images.npy``.
        labels: ``labels.npy``.
        index: ``index.csv``.
        weights: safetensors to write.
        history: CSV to write: epoch, step, loss; with an adversary also discriminator_loss.
        run: JSON to write, see :mod:`maskedteeth.record`.
        pretext: weights to start from; None: random.
        encoder: weights of the encoder to start from, where ``model`` names some.
        instead_of: ``run.json`` of a pretext, as many steps longer than which this one trains.
        checkpoint_minutes: between two states, from which a stopped training goes on.
    """
    machine = set_up(compute)
    more_steps = json.loads(instead_of.read_bytes())["steps"] if instead_of else 0
    about = dict(training) | {"more_steps": more_steps}
    sections = {"task": task, "training": about, "model": model, "transfer": transfer}
    sections |= {"held_out": held_out, "fraction": fraction, "seed": seed, "compute": compute}
    record = RunRecord(
        {**sections, "annotations": annotations, "adversary": adversary},
        (__name__, module_of(model), module_of_task(task), module_of_loss(model, adversary)),
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
    labelled = torch.from_numpy(truth)
    target = learnt.target_of(labelled)
    truth = (labelled if model.finds_instances else target).to(machine.device)
    if pretext is None:
        network = new_network(model, seed, machine.device, CHANNELS[task], encoder)
    else:
        network = stored_network(model, pretext, machine.device, seed, transfer, CHANNELS[task])

    epoch_samples = split.pool if training.budget == "equal-steps" else len(split.train)
    ends, changes = last_steps(training, epoch_samples, more_steps), None
    if training.augment == "light":
        shape = (ends[-1], training.batch_size)
        changes = draw_changes(shape, generator(seed, "augment")).to(machine.device)
    of_all = learnt, radiographs, truth, training, model.inputs, machine, changes
    module = importlib.import_module(module_of_loss(model, adversary))
    if model.finds_instances:
        minimised = module.InstanceSegmentation(*of_all, numbered=task == "numbering")
    elif adversary:
        minimised = module.AdversarialSegmentation(*of_all, adversary=adversary, ends=ends)
    else:
        minimised = module.Segmentation(*of_all)
    with StateFile(weights.with_suffix(".state"), record.identity, checkpoint_minutes) as state:
        progress = fit(
            network,
            minimised,
            training,
            samples=len(split.train),
            ends=ends,
            seed=seed,
            machine=machine,
            state=state,
        )
        save_weights(network, weights)
        further = minimised.further_losses().items()
        losses = [{name: column[epoch] for name, column in further} for epoch in range(len(ends))]
        write_csv(history, [row | more for row, more in zip(progress.history, losses, strict=True)])
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
