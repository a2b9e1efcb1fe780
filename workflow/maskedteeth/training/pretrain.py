"""Stage `pretrain`: learn to reconstruct radiographs behind random blocks (sections 3.2, 4.1)."""

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from maskedteeth.data.arrays import read_rows, read_split
from maskedteeth.data.leaks import refuse_leak
from maskedteeth.files import read_json, replacing, write_csv, write_json
from maskedteeth.models import module_of
from maskedteeth.models.inputs import logits_of, network_input, to_grey, to_unit
from maskedteeth.pretext.masking import draw_corners, draw_masks, hidden_pixels, hide
from maskedteeth.pretext.objective import reconstruction_loss
from maskedteeth.provenance import RunRecord, sha256
from maskedteeth.seeds import generator
from maskedteeth.settings.jobs import PretrainJob
from maskedteeth.study.sharing import sharing
from maskedteeth.training.device import Machine, evaluating, set_up
from maskedteeth.training.engine import Task, fit, last_steps
from maskedteeth.training.state import StateFile, ask_left_over_to_stop
from maskedteeth.training.weights import new_network, save_weights


def pretrain(
    settings: PretrainJob,
    *,
    images: Path,
    index: Path,
    split: Path,
    weights: Path,
    history: Path,
    previews: Path,
    run: Path,
    guard: Path | None = None,
    checkpoint_minutes: float = 5,
    gpu_mem_mb: int | None = None,
    shared: Path | None = None,
) -> None:
    """Pretrain a network and follow the probe radiographs through the epochs of figure 6.

    Args:
        settings: network, blocks, recipe, seed, machine.
        images: ``images.npy``.
        index: ``index.csv``.
        split: ``splits/pretext.json``.
        weights: safetensors to write.
        history: CSV to write: epoch, step, loss.
        previews: NPZ to write: epochs (E,), ids (P,), and as uint8 xray, masked and sobel
            (P, H, W) and generated (E, P, H, W).
        run: JSON to write, see :mod:`maskedteeth.provenance`.
        guard: ``guard.json``, against which the split is held; None: it is not.
        checkpoint_minutes: between two states, from which a stopped training goes on.
        gpu_mem_mb: MiB of a card's memory to reserve; None: a whole card.
        shared: folder in which studies find each other's pretexts, see
            :mod:`maskedteeth.study.sharing`; run.json of a copied one says ``shared_from``.
    """
    refuse_leak(guard, split, pretext=True)
    ask_left_over_to_stop(weights.with_suffix(".state"))  # it may hold the card
    machine = set_up(settings.compute, gpu_mem_mb)
    modules = (__name__, module_of(settings.model))
    record = RunRecord(settings, modules, machine, images=images, index=index, split=split)
    outputs = {"weights": weights, "history": history, "previews": previews, "run": run}
    # The state first: whoever is left over from an earlier start of this study is asked to stop,
    # and not waited for as another study is.
    with (
        StateFile(weights.with_suffix(".state"), record.identity, checkpoint_minutes) as state,
        sharing(shared, record.identity, **outputs) as source,
    ):
        if source is not None:
            write_json(run, {**read_json(run), "shared_from": str(source["run"])})
            return
        drawn = read_split(split)
        radiographs = torch.from_numpy(read_rows(images, index, drawn["train"])).to(machine.device)
        probe_ids = drawn["test"][: settings.probes]
        probes = Probes(read_rows(images, index, probe_ids), settings, machine)
        network = new_network(settings.model, settings.seed, machine.device)
        task = Reconstruction(radiographs, probes, settings, machine)
        progress = fit(
            network,
            task,
            settings,
            samples=len(radiographs),
            epoch_samples=len(radiographs),
            seed=settings.seed,
            machine=machine,
            state=state,
        )
        save_weights(network, weights)
        write_csv(history, progress.history)
        with replacing(previews) as temporary:
            np.savez_compressed(
                temporary,
                epochs=np.array(settings.preview_epochs),
                ids=np.array(probe_ids),
                generated=task.generated.numpy(),
                **probes.pictures,
            )
        record.write(
            run,
            seed=settings.seed,
            radiographs=list(radiographs.shape),
            **progress.measured(settings),
            machines=state.machines,
            weights_sha256=sha256(weights),
            hidden={
                "mean": task.hidden_share.mean().item(),
                "min": task.hidden_share.min().item(),
                "max": task.hidden_share.max().item(),
            },
        )


class Reconstruction(Task):
    """The pretext: reconstruct radiographs behind random blocks.

    Attributes:
        generated: the probes as reconstructed after each of the preview epochs, uint8
            (E, P, H, W) on the CPU.
        hidden_share: of every radiograph of every step, float32 (steps, B) on the device.
    """

    def __init__(
        self, radiographs: Tensor, probes: "Probes", settings: PretrainJob, machine: Machine
    ):
        self.radiographs = radiographs
        self.probes = probes
        self.settings = settings
        self.machine = machine
        self.size = radiographs.shape[1:]
        shape = (last_steps(settings, len(radiographs))[-1], settings.batch_size)
        # All blocks of the training at once, 40 bytes a radiograph and step: on the device, a
        # step waits for no copy.
        stream = generator(settings.seed, "blocks")
        corners = draw_corners(settings.blocks, math.prod(shape), *self.size, stream)
        self.corners = corners.view(*shape, -1, 2).to(machine.device)
        self.hidden_share = torch.zeros(shape, device=machine.device)
        pictures = (len(settings.preview_epochs), *probes.pictures["xray"].shape)
        self.generated = torch.zeros(pictures, dtype=torch.uint8)

    def loss(self, network: nn.Module, rows: Tensor, step: int) -> Tensor:
        """See :meth:`Task.loss`."""
        xray = to_unit(self.radiographs[rows])
        hidden = hidden_pixels(self.settings.blocks, self.corners[step], *self.size)
        self.hidden_share[step] = hidden.float().mean(dim=(1, 2, 3))
        visible = hide(xray, hidden, self.settings.blocks)
        with self.machine.autocast():
            logits = logits_of(network, network_input(self.settings.model.inputs, xray, visible))
        return reconstruction_loss(logits, xray)

    def after_epoch(self, network: nn.Module, epoch: int) -> None:
        """Reconstruct the probes after the epochs of figure 6."""
        if epoch in self.settings.preview_epochs:
            place = self.settings.preview_epochs.index(epoch)
            self.generated[place] = torch.from_numpy(self.probes.reconstruct(network))

    def state_dict(self) -> dict[str, Tensor]:
        """Return the previews and shares so far."""
        return {"generated": self.generated, "hidden_share": self.hidden_share}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take over what :meth:`state_dict` returned."""
        for name, value in self.state_dict().items():
            value.copy_(state[name])


class Probes:
    """Fixed radiographs behind fixed blocks, to be reconstructed again and again.

    Attributes:
        pictures: xray, masked and sobel, each uint8 (P, H, W).
    """

    def __init__(self, pixels: np.ndarray, settings: PretrainJob, machine: Machine):
        xray = to_unit(torch.from_numpy(pixels).to(machine.device))
        stream = generator(settings.seed, "probes")
        hidden = draw_masks(settings.blocks, len(pixels), *pixels.shape[1:], stream)
        visible = hide(xray, hidden.to(machine.device), settings.blocks)
        self.machine = machine
        self.input = network_input(settings.model.inputs, xray, visible)
        sobel = network_input(("sobel",), xray)
        self.pictures = {
            "xray": pixels,
            "masked": to_grey(visible),
            "sobel": to_grey(sobel),
        }

    def reconstruct(self, network: nn.Module) -> np.ndarray:
        """Return what ``network`` makes of the probes, uint8 (P, H, W)."""
        with evaluating(network), self.machine.autocast():
            return to_grey(torch.sigmoid(network(self.input).float()))
