"""Benchmarks of the training loop: against nothing but its steps, and against its peers."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import torch
from subjects import COMPUTE, CUDA, Pretraining, radiographs_2048, study
from timing import Figure, alternate, compare, faster
from torch.utils.flop_counter import FlopCounterMode

from maskedteeth.models.inputs import to_unit
from maskedteeth.pretext.masking import draw_places, hidden_pixels
from maskedteeth.pretext.objective import reconstruction_loss, show
from maskedteeth.seeds import generator
from maskedteeth.training.device import set_up
from maskedteeth.training.optimiser import Adam

#: The precision in which the workflow trains on this machine.
USUAL = str(set_up(COMPUTE).precision).removeprefix("torch.")
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


def usual_script(name: str, at: str) -> Figure | None:
    """Compare with a DataLoader that decodes, resizes, masks and filters every item."""
    return _against("usual_script", name, at)


def monai_peer(name: str, at: str) -> Figure | None:
    """Compare with MONAI's CacheDataset and ThreadDataLoader."""
    return _against("monai", name, at)


def _against(peer: str, name: str, at: str) -> Figure | None:
    """Compare `as usual` (ours as the workflow chooses, theirs in float32), or both in `at`."""
    images, rounds = _rounds(peer, name)
    ours, theirs = (USUAL, "float32") if at == "as usual" else (at, at)
    if ("ours", ours) not in rounds[0]:
        return None
    sides = [[taken[side] for taken in rounds] for side in (("ours", ours), ("theirs", theirs))]
    target = {"usual_script": 2.5, "monai": 1.5}[peer] if at == "as usual" else None
    return faster(images, target, *sides)


@cache
def _rounds(peer: str, name: str) -> tuple[int, list[dict[tuple[str, str], float]]]:
    """Return an epoch's radiographs, and by round the seconds of (side, precision)."""
    import peers  # which need packages of their own

    drawn, batches = radiographs_2048(), 12 if name == "demo" else 4
    sides: dict[tuple[str, str], Callable[[], object]] = {}
    for precision in sorted({USUAL, "float32"}):
        subject = Pretraining(name, batches, drawn, precision)
        sides["ours", precision] = subject.epoch
    count, image = len(subject.pixels), study(name).image
    files = [drawn[number % len(drawn)] for number in range(count)]
    other = getattr(peers, peer)(subject.job, files, image.height, image.width)

    def theirs(precision: str) -> None:
        # Left out is what this project switches on to be deterministic.
        mode = torch.get_deterministic_debug_mode()
        torch.set_deterministic_debug_mode(0)
        other.precision = getattr(torch, precision)
        other.epoch()
        torch.set_deterministic_debug_mode(mode)

    for precision in sorted({USUAL, "float32"}):
        sides["theirs", precision] = partial(theirs, precision)
    return count, [dict(zip(sides, taken, strict=True)) for taken in alternate(5, *sides.values())]


def flop_utilisation(name: str, precision: str) -> Figure | None:
    """Measure a step's floating-point operations a second as a share of what is possible here.

    Possible is what a 3 x 3 convolution of 256 channels reaches in the same precision, which is
    more than a product of matrices does.
    """
    if precision not in (USUAL, "float32"):
        return None
    subject, batch = Pretraining(name, 1, precision=precision), 512 if CUDA else 8
    options = {"dtype": subject.machine.precision, "device": subject.machine.device}
    pair = torch.zeros(batch, 256, 16, 32, **options), torch.zeros(256, 256, 3, 3, **options)
    tensors = [t.normal_().to(memory_format=torch.channels_last) for t in pair]
    rows = torch.arange(subject.job.batch_size, device=subject.machine.device)
    adam = Adam(subject.network, subject.job.learning_rate)

    def step() -> None:
        subject.task.loss(subject.network, rows, 0).backward()
        adam.step()
        subject.wait()

    def convolution() -> None:
        torch.nn.functional.conv2d(*tensors, padding=1)
        subject.wait()

    def operations(action: Callable[[], object]) -> int:
        with FlopCounterMode(display=False) as counter:
            action()
        return counter.get_total_flops()

    counts = operations(step), operations(convolution)
    rates = [
        [count / taken / 1e9 for count, taken in zip(counts, both, strict=True)]
        for both in alternate(15 if name == "demo" else 7, step, convolution)
    ]
    middle = [statistics.median(side) for side in zip(*rates, strict=True)]
    detail = f"{middle[0]:.0f} of {middle[1]:.0f} GFLOP/s, {counts[0] / 1e9:.1f} GFLOP a step"
    return Figure([ours / possible for ours, possible in rates], None, detail, unit="of 1")


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
