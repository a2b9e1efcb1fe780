"""Benchmarks of the training loop: against nothing but its steps, and against its peers."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from subjects import CUDA, Pretraining, radiographs_2048, study
from timing import Figure, alternate, figure, median, worst
from torch.utils.flop_counter import FlopCounterMode

from maskedteeth.models.inputs import network_input, to_unit
from maskedteeth.pretext.masking import draw_corners, hidden_pixels, hide
from maskedteeth.pretext.objective import reconstruction_loss
from maskedteeth.seeds import generator
from maskedteeth.training.optimiser import Adam

SIZES = ("demo", "abdi")


@contextmanager
def _as_torch_comes() -> Iterator[None]:
    """Leave out, for the other side, what this project switches on to be deterministic."""
    torch.use_deterministic_algorithms(False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(True, warn_only=CUDA)


def engine_efficiency() -> list[Figure]:
    """A whole pretext epoch against the same steps on one batch that is there already."""
    figures = []
    for name in SIZES:
        steps = 8 if name == "demo" else 4
        subject = Pretraining.of(name, batches=steps)
        machine, job, network = subject.machine, subject.job, subject.network
        pixels = torch.from_numpy(subject.pixels[: job.batch_size]).to(machine.device)
        xray = to_unit(pixels)
        hidden = hidden_pixels(job.blocks, subject.task.corners[0], *xray.shape[2:])
        inputs = network_input(job.model.inputs, xray, hide(xray, hidden, job.blocks))
        adam = Adam(network, job.learning_rate)

        def engine(subject: Pretraining = subject) -> None:
            subject.epoch()
            subject.wait()

        def resident(subject=subject, steps=steps, inputs=inputs, xray=xray, adam=adam) -> None:
            for _ in range(steps):
                with subject.machine.autocast():
                    logits = subject.network(inputs)
                reconstruction_loss(logits, xray).backward()
                adam.step()
            subject.wait()

        # Many short rounds: what else runs on the machine changes from second to second.
        rounds = alternate(25 if name == "demo" else 15, engine, resident)
        images = steps * job.batch_size
        detail = (
            f"{name}: {images / median(r[0] for r in rounds):.1f} against "
            f"{images / median(r[1] for r in rounds):.1f} images/s"
        )
        ratios = [resident / engine for engine, resident in rounds]
        target = 0.95 if CUDA else 0.97
        figures.append(figure(f"engine_efficiency_{name}", ratios, target, detail))
    return worst("engine_efficiency", figures)


def masking_share() -> list[Figure]:
    """Drawing and filling blocks, as a share of a pretext epoch's time."""
    figures = []
    for name in SIZES:
        subject = Pretraining.of(name, batches=8)
        task, job = subject.task, subject.job
        xray = to_unit(task.radiographs[: job.batch_size])

        def masking(subject=subject, task=task, job=job, xray=xray) -> None:
            stream = generator(0, "blocks")
            draw_corners(job.blocks, 8 * job.batch_size, *task.size, stream)
            for step in range(8):
                hidden = hidden_pixels(job.blocks, task.corners[step], *task.size)
                hide(xray, hidden, job.blocks)
            subject.wait()

        def epoch(subject: Pretraining = subject) -> None:
            subject.epoch()
            subject.wait()

        rounds = alternate(7, masking, epoch)
        detail = f"{name}: {1000 * median(r[0] for r in rounds) / 8:.2f} ms of a step"
        shares = [masking / epoch for masking, epoch in rounds]
        figures.append(figure(f"masking_share_{name}", shares, 0.02, detail, "lower", "of 1"))
    return worst("masking_share", figures)


def usual_script() -> list[Figure]:
    """Against a DataLoader that decodes, resizes, masks and filters every item, in float32."""
    from usual_script import UsualScript

    return _against("usual_script", UsualScript, 2.5)


def monai_peer() -> list[Figure]:
    """Against MONAI's CacheDataset and ThreadDataLoader, in float32."""
    from monai_peer import MonaiPeer

    return _against("monai_peer", MonaiPeer, 1.5)


def _against(title: str, peer: Callable, target: float) -> list[Figure]:
    figures = []
    for name in SIZES:
        drawn = radiographs_2048()
        batches = 4 if name == "abdi" else 12
        subject = Pretraining.of(name, batches, drawn)
        count = len(subject.pixels)
        files = [drawn[n % len(drawn)] for n in range(count)]
        image = study(name).image
        with _as_torch_comes():
            other = peer(subject.job, files, image.height, image.width)

        def ours(subject: Pretraining = subject) -> None:
            subject.epoch()
            subject.wait()

        def theirs(other=other) -> None:
            with _as_torch_comes():
                other.epoch()

        rounds = alternate(5, ours, theirs)
        detail = (
            f"{name}: {count / median(r[0] for r in rounds):.1f} against "
            f"{count / median(r[1] for r in rounds):.1f} images/s"
        )
        ratios = [theirs / ours for ours, theirs in rounds]
        figures.append(figure(f"{title}_{name}", ratios, target, detail))
        del other
    return worst(title, figures)


def compiled() -> list[Figure]:
    """torch.compile against none, at the paper's size; only on a card, where it may win."""
    if not CUDA:
        return []
    plain, other = Pretraining.of("paper", batches=20), Pretraining.of("paper", batches=20)
    other.network.compile()

    def epoch(subject: Pretraining) -> None:
        subject.epoch()
        subject.wait()

    rounds = alternate(5, lambda: epoch(plain), lambda: epoch(other))
    ratios = [plain / other for plain, other in rounds]
    return [figure("compiled", ratios, None, "as fast as without torch.compile")]


def memory() -> list[Figure]:
    """Peak of a training over the sum of weights, optimiser, activations and dataset."""
    figures = []
    for name in ("abdi", "paper"):
        ratios = []
        for _ in range(3):
            command = [sys.executable, str(Path(__file__).with_name("memory.py")), name]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            parts = json.loads(done.stdout)
            ratios.append(parts["peak"] / parts["sum"])
        detail = f"{name}: " + ", ".join(f"{part} {mib:.0f}" for part, mib in parts.items())
        figures.append(figure(f"memory_{name}", ratios, 1.3, f"{detail} MiB", "lower"))
    return worst("memory", figures)


#: Dense bfloat16 tensor-core peak of cards, in FLOP/s, from their data sheets.
CARDS = {"H100 PCIe": 756e12, "H100": 989e12, "H200": 989e12, "A100": 312e12, "L4": 121e12}


def utilisation() -> list[Figure]:
    """FLOP/s of the pretext at the paper's size; on a known card its share of the peak.

    Together with the rate of a fine-tuning, an estimate of the paper's whole grid in hours.
    """
    batches = 40 if CUDA else 1
    subject = Pretraining.of("paper", batches=batches)
    job, machine = subject.job, subject.machine
    inputs = torch.zeros(
        job.batch_size, len(job.model.inputs), *subject.task.size, device=machine.device
    )
    with FlopCounterMode(display=False) as counter, machine.autocast():
        subject.network(inputs).float().mean().backward()
    for parameter in subject.network.parameters():
        parameter.grad = None

    def epoch() -> None:
        subject.epoch()
        subject.wait()

    taken = [batches / seconds for (seconds,) in alternate(3, epoch)]  # steps a second
    per_second = [rate * counter.get_total_flops() for rate in taken]
    name, unit, scale = "gflops", "GFLOP/s", 1e-9
    card = next((peak for card, peak in CARDS.items() if card in machine.name), None)
    if card:
        name, unit, scale = "model_flop_utilisation", "of the card's peak", 1 / card
    settings = study("paper")
    runs = len(settings.split.fractions) * sum(
        len(settings.seeds_of(method)) for method in settings.methods
    )
    # Radiographs of the paper's dataset that train, times epochs: the same for every fraction.
    images = (
        0.9
        * 598
        * (settings.pretext["random_block_masking"].epochs + runs * settings.training.epochs)
    )
    hours = images / (median(taken) * job.batch_size) / 3600
    detail = f"{median(taken) * job.batch_size:.1f} images/s at 256 x 512"
    estimate = f"estimate for {runs} trainings and the pretext, all at this rate"
    return [
        figure(name, [value * scale for value in per_second], None, detail, unit=unit),
        figure("grid_hours_estimate", [hours], None, estimate, "lower", "h"),
    ]
