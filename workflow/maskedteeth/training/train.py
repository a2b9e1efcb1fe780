"""Stage `train`: learn to segment teeth (section 3.3, appendix B)."""

from pathlib import Path

import torch
from torch import Tensor, nn

from maskedteeth.data.arrays import read_rows, read_split, read_subset
from maskedteeth.data.leaks import refuse_leak
from maskedteeth.errors import InputError, say
from maskedteeth.files import write_csv
from maskedteeth.models import module_of
from maskedteeth.models.inputs import logits_of, network_input, to_unit
from maskedteeth.provenance import RunRecord, sha256
from maskedteeth.settings.jobs import TrainJob
from maskedteeth.training.device import Machine, set_up
from maskedteeth.training.engine import Task, fit
from maskedteeth.training.losses import segmentation_loss
from maskedteeth.training.state import StateFile, ask_left_over_to_stop
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
    guard: Path | None = None,
    checkpoint_minutes: float = 5,
    gpu_mem_mb: int | None = None,
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
        guard: ``guard.json``, against which the split is held; None: it is not.
        checkpoint_minutes: between two states, from which a stopped training goes on.
        gpu_mem_mb: MiB of a card's memory to reserve; None: a whole card.
    """
    refuse_leak(guard, split)
    ask_left_over_to_stop(weights.with_suffix(".state"))  # it may hold the card
    machine = set_up(settings.compute, gpu_mem_mb)
    modules = (__name__, module_of(settings.model))
    inputs = {"images": images, "masks": masks, "index": index, "split": split, "pretext": pretext}
    record = RunRecord(settings, modules, machine, **inputs)
    ids = read_subset(split, settings.fraction, "train")
    radiographs = torch.from_numpy(read_rows(images, index, ids)).to(machine.device)
    truth = torch.from_numpy(read_rows(masks, index, ids))
    if not truth.any():
        raise InputError(
            f"All {len(ids)} radiographs that train at fraction {settings.fraction:g} with seed "
            f"{settings.seed} have an empty mask in {masks}: there is no tooth to learn from. "
            "Check the masks, or take a larger fraction or another seed."
        )
    truth = truth.to(machine.device)
    if len(ids) < settings.batch_size:
        say(
            f"Only {len(ids)} radiographs train, fewer than a batch ({settings.batch_size}): every "
            "step sees some of them more than once."
        )
    if pretext is None:
        network = new_network(settings.model, settings.seed, machine.device)
    else:
        network = stored_network(settings.model, pretext, machine.device, settings.seed)

    pool = int(read_split(split, "pool")["pool"]) if settings.budget == "equal-steps" else len(ids)
    with StateFile(weights.with_suffix(".state"), record.identity, checkpoint_minutes) as state:
        progress = fit(
            network,
            Segmentation(radiographs, truth, settings, machine),
            settings,
            samples=len(ids),
            epoch_samples=pool,
            seed=settings.seed,
            machine=machine,
            state=state,
        )
        save_weights(network, weights)
        write_csv(history, progress.history)
        record.write(
            run,
            seed=settings.seed,
            radiographs=list(radiographs.shape),
            **progress.measured(settings),
            machines=state.machines,
            weights_sha256=sha256(weights),
        )


class Segmentation(Task):
    """Tell teeth from the rest."""

    def __init__(self, radiographs: Tensor, truth: Tensor, settings: TrainJob, machine: Machine):
        self.radiographs = radiographs
        self.truth = truth
        self.settings = settings
        self.machine = machine

    def loss(self, network: nn.Module, rows: Tensor, step: int) -> Tensor:
        """See :meth:`Task.loss`."""
        xray = to_unit(self.radiographs[rows])
        with self.machine.autocast():
            logits = logits_of(network, network_input(self.settings.model.inputs, xray))
        target = self.truth[rows].unsqueeze(1).float()
        weights = self.settings.dice_weight, self.settings.bce_weight
        return segmentation_loss(logits, target, *weights)
