"""Stage `pretrain`: learn to reconstruct what is hidden of radiographs (sections 3.2, 4.1)."""

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.copies import near_copies
from maskedteeth.data.splits import draw_pretext_split
from maskedteeth.files import replacing, write_csv
from maskedteeth.models import module_of
from maskedteeth.models.inputs import logits_of, to_grey, to_unit
from maskedteeth.pretext.masking import draw_masks, draw_places, hidden_pixels
from maskedteeth.pretext.objective import reconstruction_loss, show
from maskedteeth.record import RunRecord, sha256
from maskedteeth.seeds import generator
from maskedteeth.settings.config import Compute, HeldOut, Pretext
from maskedteeth.training.device import Machine, evaluating, set_up
from maskedteeth.training.engine import Task, fit, last_steps
from maskedteeth.training.state import StateFile
from maskedteeth.training.weights import new_network, save_weights


def pretrain(
    pretext: Pretext,
    pretext_name: str,
    held_out: HeldOut,
    compute: Compute,
    *,
    images: Path,
    index: Path,
    weights: Path,
    history: Path,
    previews: Path,
    run: Path,
    further: list[Path] = (),  # type: ignore[assignment]
    encoder: Path | None = None,
    checkpoint_minutes: float = 5,
) -> None:
    """Pretrain a network and follow the probe radiographs through the epochs of figure 6.

    Args:
        pretext: network, mask, guidance, recipe and seed.
        pretext_name: its name in the settings.
        held_out: protocol and test set.
        compute: the machine.
        images: ``images.npy``.
        index: ``index.csv``.
        weights: safetensors to write.
        history: CSV to write: epoch, step, loss.
        previews: NPZ to write: epochs (E,), ids (P,), and as uint8 xray, masked (P, H, W), where
            the network sees it sobel, and generated (E, P, H, W).
        run: JSON to write, see :mod:`maskedteeth.record`.
        further: ``images.npy`` of the further datasets, in the order of ``pretext.also_on``.
        encoder: weights of the encoder to start from, where the network names some.
        checkpoint_minutes: between two states, from which a stopped training goes on.
    """
    machine = set_up(compute)
    sections = {"pretext": pretext, "held_out": held_out, "compute": compute}
    modules = (__name__, module_of(pretext.model))
    others = dict(zip(pretext.also_on, further, strict=True))
    inputs = {"images": images, "index": index, "encoder": encoder}
    inputs |= {f"images of {name}": file for name, file in others.items()}
    record = RunRecord(sections, modules, machine, **inputs)
    rows = read_index(index)
    split = draw_pretext_split(rows, held_out)
    pixels = [pixels_of(images, rows, split.train)]
    unseen = [i for i in split.test if i not in split.train]
    for name, file in others.items():
        added = np.load(file)
        copies = near_copies(added, pixels_of(images, rows, unseen))
        pixels.append(added[~copies])
        print(
            f"{len(added)} radiographs of {name}, of which {copies.sum()} are left out as near "
            "copies of test radiographs"
        )
    radiographs = torch.from_numpy(np.concatenate(pixels)).to(machine.device)
    probe_ids = split.test[: pretext.probes]
    probes = Probes(pixels_of(images, rows, probe_ids), pretext, machine)
    network = new_network(pretext.model, pretext.seed, machine.device, encoder=encoder)
    task = Reconstruction(radiographs, probes, pretext, machine)
    with StateFile(weights.with_suffix(".state"), record.identity, checkpoint_minutes) as state:
        progress = fit(
            network,
            task,
            pretext,
            samples=len(radiographs),
            ends=last_steps(pretext, len(radiographs)),
            seed=pretext.seed,
            machine=machine,
            state=state,
        )
        save_weights(network, weights)
        write_csv(history, progress.history)
        with replacing(previews) as temporary:
            np.savez_compressed(
                temporary,
                epochs=np.array(pretext.preview_epochs),
                ids=np.array(probe_ids),
                generated=task.generated.numpy(),
                **probes.pictures,
            )
        record.write(
            run,
            pretext=pretext_name,
            seed=pretext.seed,
            trained_on=split.train,
            radiographs=list(radiographs.shape),
            also_on={name: len(added) for name, added in zip(others, pixels[1:], strict=True)},
            **progress.measured(pretext),
            machines=state.machines,
            weights_sha256=sha256(weights),
        )


class Reconstruction(Task):
    """The pretext: reconstruct what is hidden of radiographs.

    Attributes:
        generated: the probes as reconstructed after each of the preview epochs, uint8
            (E, P, H, W) on the CPU.
    """

    def __init__(self, radiographs: Tensor, probes: "Probes", pretext: Pretext, machine: Machine):
        self.radiographs = radiographs
        self.probes = probes
        self.pretext = pretext
        self.machine = machine
        self.size = radiographs.shape[1:]
        shape = (last_steps(pretext, len(radiographs))[-1], pretext.batch_size)
        # All masks of the training at once, of blocks 40 bytes a radiograph and step: on the
        # device, a step waits for no copy.
        stream = generator(pretext.seed, "blocks")
        places = draw_places(pretext.mask, math.prod(shape), *self.size, stream)
        self.places = places.view(*shape, *places.shape[1:]).to(machine.device)
        pictures = (len(pretext.preview_epochs), *probes.pictures["xray"].shape)
        self.generated = torch.zeros(pictures, dtype=torch.uint8)

    def loss(self, network: nn.Module, rows: Tensor, step: int) -> Tensor:
        """See :meth:`Task.loss`."""
        xray = to_unit(self.radiographs[rows])
        hidden = hidden_pixels(self.pretext.mask, self.places[step], *self.size)
        noise = generator(self.pretext.seed, f"noise {step}", xray.device)
        _, inputs = show(self.pretext, xray, hidden, noise)
        with self.machine.autocast():
            logits = logits_of(network, inputs)
        counted = hidden if self.pretext.loss.over == "masked" else None
        return reconstruction_loss(logits, xray, counted)

    def after_epoch(self, network: nn.Module, epoch: int) -> None:
        """Reconstruct the probes after the epochs of figure 6."""
        if epoch in self.pretext.preview_epochs:
            place = self.pretext.preview_epochs.index(epoch)
            self.generated[place] = torch.from_numpy(self.probes.reconstruct(network))

    def state_dict(self) -> dict[str, Tensor]:
        """Return the previews so far."""
        return {"generated": self.generated}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take over what :meth:`state_dict` returned."""
        self.generated.copy_(state["generated"])


class Probes:
    """Fixed radiographs behind fixed masks, to be reconstructed again and again.

    Attributes:
        pictures: xray, masked and, where the network sees it, sobel, each uint8 (P, H, W).
    """

    def __init__(self, pixels: np.ndarray, pretext: Pretext, machine: Machine):
        xray = to_unit(torch.from_numpy(pixels).to(machine.device))
        stream = generator(pretext.seed, "probes")
        hidden = draw_masks(pretext.mask, len(pixels), *pixels.shape[1:], stream)
        noise = generator(pretext.seed, "noise of probes")
        visible, self.input = show(pretext, xray, hidden.to(machine.device), noise)
        self.machine = machine
        self.pictures = {"xray": pixels, "masked": to_grey(visible)}
        if "sobel" in pretext.model.inputs:
            channel = pretext.model.inputs.index("sobel")
            self.pictures["sobel"] = to_grey(self.input[:, [channel]])

    def reconstruct(self, network: nn.Module) -> np.ndarray:
        """Return what ``network`` makes of the probes, uint8 (P, H, W)."""
        with evaluating(network), self.machine.autocast():
            return to_grey(torch.sigmoid(network(self.input).float()))
