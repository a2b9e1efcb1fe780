"""Stage `measure`: what a training needs, by doing a few of its steps."""

import statistics
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from maskedteeth.files import read_csv, write_json
from maskedteeth.settings.jobs import MeasureJob, PretrainJob, TrainJob
from maskedteeth.study.processes import peak_memory_mib
from maskedteeth.training.cards import used_mib
from maskedteeth.training.device import Machine, set_up, take_card_for
from maskedteeth.training.engine import Task, fit, last_steps
from maskedteeth.training.pretrain import Probes, Reconstruction
from maskedteeth.training.state import StateFile
from maskedteeth.training.train import Segmentation
from maskedteeth.training.weights import new_network

#: Steps that are not timed, because kernels are chosen and memory is taken in them, and steps that
#: are.
WARM_UP, TIMED = 3, 5
#: CUDA's own memory on a card that nvidia-smi does not list, such as a part of one (MIG).
CUDA_MIB = 1024


def measure(settings: MeasureJob, *, index: Path, needs: Path) -> None:
    """Train for eight steps on random pixels, with a state written at the end as trainings do.

    Args:
        settings: of the training, and the radiographs' size.
        index: ``index.csv``; as many radiographs lie in memory as it lists.
        needs: JSON to write: stage, architecture, ``peak_memory_mib`` of the process,
            ``peak_device_memory_mib`` (what nvidia-smi would count at the most: torch's memory and
            CUDA's own; null without a card), ``evaluation_device_memory_mib`` (likewise of the
            stage that measures the finished network), ``card_room_mib`` (what can be reserved of
            the card), ``seconds_per_step`` (median), ``steps`` of the longest such training,
            device, precision, batch_size, height, width, ``weights_bytes``.
    """
    job = settings.job
    card = take_card_for(job.compute)  # a whole one: nothing is known yet of what this takes
    before = used_mib(card) if card else 0
    machine = set_up(job.compute)
    rows = read_csv(index)
    shape = (_radiographs(job, rows), settings.height, settings.width)
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    network = new_network(job.model, 0, machine.device)
    steps = last_steps(job, len(pixels))[-1]
    clock = Clock(_task(job, pixels, machine), steps, machine)
    recipe = job.model_copy(update={"epochs": 1})
    needs.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=needs.parent, prefix=".measure.") as folder,
        StateFile(Path(folder) / "state", {}) as clock.state,
    ):
        fit(
            network,
            clock,
            recipe,
            samples=len(pixels),
            epoch_samples=(WARM_UP + TIMED) * job.batch_size,
            seed=0,
            machine=machine,
            state=clock.state,
        )
    device = evaluation = None
    if machine.device.type == "cuda":
        reserved = torch.cuda.memory_reserved() >> 20
        # CUDA's own memory: all that appeared on the card and is not torch's.
        own = max(0, used_mib(card) - before - reserved) if card else CUDA_MIB
        device = own + (torch.cuda.max_memory_reserved() >> 20)
        evaluation = own + _evaluation_mib(network, job.model.inputs, pixels, machine)
    write_json(
        needs,
        {
            "stage": "pretrain" if isinstance(job, PretrainJob) else "train",
            "architecture": job.model.architecture,
            "peak_memory_mib": int(peak_memory_mib()),
            "peak_device_memory_mib": device,
            "evaluation_device_memory_mib": evaluation,
            "card_room_mib": card.room if card and device else None,
            "seconds_per_step": round(clock.seconds_per_step(), 5),
            "steps": steps,
            "device": machine.name,
            "precision": str(machine.precision).removeprefix("torch."),
            "batch_size": job.batch_size,
            "weights_bytes": sum(t.nbytes for t in network.state_dict().values()),
            "height": settings.height,
            "width": settings.width,
        },
    )


class Clock(Task):
    """A task with a clock beside it, which has a state written and the previews made at the end.

    Args:
        task: of the training.
        steps: of the whole training, which may be fewer than are measured.
        machine: whose work is waited for before the clock is read.
    """

    def __init__(self, task: Task, steps: int, machine: Machine):
        self.task = task
        self.steps = steps
        self.machine = machine
        self.begins: list[float] = []
        self.state = StateFile()

    def loss(self, network: nn.Module, rows: Tensor, step: int) -> Tensor:
        """See :meth:`Task.loss`."""
        self._read()
        return self.task.loss(network, rows, step % self.steps)

    def after_epoch(self, network: nn.Module, epoch: int) -> None:
        """Do what trainings do now and then and what takes memory."""
        self._read()
        if isinstance(self.task, Reconstruction):
            epoch = self.task.settings.preview_epochs[0]
        self.task.after_epoch(network, epoch)
        self.state.next = time.monotonic()

    def seconds_per_step(self) -> float:
        """Return the median of the timed steps."""
        return statistics.median(end - begin for begin, end in pairwise(self.begins[WARM_UP:]))

    def state_dict(self) -> dict[str, Tensor]:
        """See :meth:`Task.state_dict`."""
        return self.task.state_dict()

    def _read(self) -> None:
        if self.machine.device.type == "cuda":
            torch.cuda.synchronize()
        self.begins.append(time.perf_counter())


def _radiographs(job: TrainJob | PretrainJob, rows: list[dict[str, str]]) -> int:
    labelled = [row for row in rows if row["labelled"] == "1"]
    return len(rows) if isinstance(job, PretrainJob) else len(labelled)


def _evaluation_mib(
    network: nn.Module, inputs: tuple[str, ...], pixels: np.ndarray, machine: Machine
) -> int:
    """Return the most memory that torch takes on the card to segment a batch, in MiB."""
    from maskedteeth.metrics.evaluate import predict

    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    full = replace(machine, precision=torch.float32)  # as the stage `evaluate` does
    predict(network, pixels[: machine.inference_batch], inputs, full)
    return torch.cuda.max_memory_reserved() >> 20


def _task(job: TrainJob | PretrainJob, pixels: np.ndarray, machine: Machine) -> Task:
    radiographs = torch.from_numpy(pixels).to(machine.device)
    if isinstance(job, PretrainJob):
        probes = Probes(pixels[: job.probes], job, machine)
        return Reconstruction(radiographs, probes, job, machine)
    return Segmentation(radiographs, radiographs >> 7, job, machine)
