"""Stage `pretrain`: learn to reconstruct radiographs behind random blocks (sections 3.2, 4.1)."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from maskedteeth.data.arrays import read_rows
from maskedteeth.files import read_json, replacing, write_csv
from maskedteeth.jobs import PretrainJob
from maskedteeth.models import module_of
from maskedteeth.models.inputs import network_input, to_grey, to_unit
from maskedteeth.pretext.masking import draw_masks, hide
from maskedteeth.pretext.objective import reconstruction_loss
from maskedteeth.provenance import RunRecord
from maskedteeth.seeds import generator
from maskedteeth.training.device import Machine, evaluating, set_up
from maskedteeth.training.engine import fit
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
    """
    machine = set_up(settings.compute)
    modules = (__name__, module_of(settings.model))
    record = RunRecord(settings, modules, machine, images=images, index=index, split=split)
    drawn = read_json(split)
    radiographs = torch.from_numpy(read_rows(images, index, drawn["train"])).to(machine.device)
    probe_ids = drawn["test"][: settings.probes]
    probes = Probes(read_rows(images, index, probe_ids), settings, machine)
    network = new_network(settings.model, settings.seed, machine.device)
    blocks = generator(settings.seed, "blocks")
    hidden_shares: list[Tensor] = []  # really drawn, for the record

    def batch_loss(network: nn.Module, rows: Tensor) -> Tensor:
        xray = to_unit(radiographs[rows.to(machine.device)])
        hidden = draw_masks(settings.blocks, *xray.shape[0:1], *xray.shape[2:], blocks)
        hidden_shares.append(hidden.float().mean(dim=(1, 2, 3)))
        visible = hide(xray, hidden.to(machine.device), settings.blocks)
        with machine.autocast():
            logits = network(network_input(settings.model.inputs, xray, visible))
        return reconstruction_loss(logits, xray)

    generated = []

    def preview(epoch: int) -> None:
        if epoch in settings.preview_epochs:
            generated.append(probes.reconstruct(network))

    result = fit(
        network,
        batch_loss,
        settings,
        samples=len(radiographs),
        epoch_samples=len(radiographs),
        seed=settings.seed,
        machine=machine,
        after_epoch=preview,
    )
    save_weights(network, weights)
    write_csv(history, result.history)
    with replacing(previews) as temporary:
        np.savez_compressed(
            temporary,
            epochs=np.array(settings.preview_epochs),
            ids=np.array(probe_ids),
            generated=np.stack(generated),
            **probes.pictures,
        )
    shares = torch.cat(hidden_shares)
    record.write(
        run,
        seed=settings.seed,
        radiographs=list(radiographs.shape),
        steps=result.steps,
        images_per_second=round(result.images_per_second, 2),
        hidden={
            "mean": shares.mean().item(),
            "min": shares.min().item(),
            "max": shares.max().item(),
        },
    )


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
