"""Benchmarks of the training loop: against nothing but its steps, and against its peers."""

import json
import subprocess
import sys
from pathlib import Path

import torch
from subjects import CUDA, Pretraining, radiographs_2048, study
from timing import Figure, alternate, compare

from maskedteeth.models.inputs import to_unit
from maskedteeth.pretext.masking import draw_places, hidden_pixels
from maskedteeth.pretext.objective import reconstruction_loss, show
from maskedteeth.seeds import generator
from maskedteeth.training.optimiser import Adam

#: Labelled radiographs of the paper's dataset.
PAPER = 598


def engine_efficiency(name: str) -> Figure:
    """Measure a whole pretext epoch against the same steps on one batch that is there already."""
    steps, rounds = (8, 25) if name == "demo" else (4, 15)  # short: the machine's mood changes
    subject = Pretraining(name, batches=steps)
    job = subject.job
    xray = to_unit(subject.task.radiographs[: job.batch_size])
    hidden = hidden_pixels(job.mask, subject.task.places[0], *xray.shape[2:])
    _, inputs = show(job, xray, hidden, generator(0, "noise"))
    adam = Adam(subject.network, job.learning_rate)

    def resident() -> None:
        for _ in range(steps):
            with subject.machine.autocast():
                logits = subject.network(inputs)
            reconstruction_loss(logits, xray).backward()
            adam.step()
        subject.wait()

    target = 0.95 if CUDA else 0.97
    return compare(rounds, steps * job.batch_size, target, subject.epoch, resident)


def masking_share(name: str) -> Figure:
    """Measure drawing and filling blocks as a share of a pretext epoch's time."""
    subject = Pretraining(name, batches=8)
    task, job = subject.task, subject.job
    xray = to_unit(task.radiographs[: job.batch_size])

    def masking() -> None:
        draw_places(job.mask, 8 * job.batch_size, *task.size, generator(0, "blocks"))
        for step in range(8):
            hidden = hidden_pixels(job.mask, task.places[step], *task.size)
            torch.where(hidden, job.mask.fill, xray)
        subject.wait()

    shares = [masking / epoch for masking, epoch in alternate(7, masking, subject.epoch)]
    return Figure(shares, 0.02, "", "lower", "of 1")


def usual_script(name: str) -> Figure:
    """Compare with a DataLoader that decodes, resizes, masks and filters every item, in float32."""
    return _against("usual_script", name, 2.5)


def monai_peer(name: str) -> Figure:
    """Compare with MONAI's CacheDataset and ThreadDataLoader, in float32."""
    return _against("monai", name, 1.5)


def _against(peer: str, name: str, target: float) -> Figure:
    import peers  # which need packages of their own

    drawn = radiographs_2048()
    subject = Pretraining(name, 12 if name == "demo" else 4, drawn)
    count, image = len(subject.pixels), study(name).image
    files = [drawn[number % len(drawn)] for number in range(count)]
    other = getattr(peers, peer)(subject.job, files, image.height, image.width)

    def theirs() -> None:
        # Left out is what this project switches on to be deterministic.
        mode = torch.get_deterministic_debug_mode()
        torch.set_deterministic_debug_mode(0)
        other.epoch()
        torch.set_deterministic_debug_mode(mode)

    return compare(5, count, target, subject.epoch, theirs)


def memory(name: str) -> Figure:
    """Measure the peak of a training over what it cannot do without."""
    command = [sys.executable, str(Path(__file__).with_name("memory.py")), name]
    found = []
    for _ in range(3):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found.append(json.loads(done.stdout))
    detail = ", ".join(f"{part} {mib:.0f}" for part, mib in found[-1].items())
    ratios = [parts["peak"] / parts["sum"] for parts in found]
    return Figure(ratios, 1.3, f"{detail} MiB", "lower")


def grid_hours(name: str) -> Figure:
    """Estimate the time of a study of the paper's dataset, all trainings at the pretext's rate."""
    settings, subject = study(name), Pretraining(name, batches=40 if CUDA else 1)
    seeds = sum(len(settings.seeds_of(method)) for method in settings.methods)
    runs = len(settings.split.fractions) * seeds
    # Each passes over the pool, whatever its fraction.
    epochs = settings.pretext["random_block_masking"].epochs + runs * settings.training.epochs
    images = 0.9 * PAPER * epochs
    hours = [
        images / len(subject.pixels) * taken / 3600 for (taken,) in alternate(3, subject.epoch)
    ]
    return Figure(hours, None, f"{runs} trainings and the pretext", "lower", "h")
