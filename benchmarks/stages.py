"""Benchmarks of whole stages, and of the workflow around them."""

import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import cv2
import numpy as np
import torch
from maskedteeth.data.index import index
from maskedteeth.settings.jobs import (
    EvaluateJob,
    PhantomJob,
    ReportJob,
    TrainJob,
)
from subjects import CUDA, ROOT, THREADS, radiographs_2048, study
from timing import Figure, alternate, figure, median, seconds, worst

from maskedteeth.data.phantom import draw_dataset
from maskedteeth.data.prepare import prepare as prepare_arrays
from maskedteeth.data.prepare import resized_radiograph
from maskedteeth.files import read_csv, write_csv, write_json
from maskedteeth.metrics.evaluate import COLUMNS, evaluate
from maskedteeth.settings.config import Compute
from maskedteeth.settings.sections import Layout
from maskedteeth.training.train import train

SIZES = {"demo": (96, 192), "abdi": (128, 256), "paper": (256, 512)}
LIGHT = {
    **os.environ,
    "PYTHONPATH": str(ROOT / "workflow"),
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}


def prepare() -> list[Figure]:
    """From JPEG file to array, on one core, against cv2.imread and cv2.resize."""
    cv2.setNumThreads(1)
    files = radiographs_2048()
    figures = []
    for name, size in SIZES.items():

        def plain(size: tuple[int, int] = size) -> list[np.ndarray]:
            images = (cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files)
            return [cv2.resize(i, size[::-1], interpolation=cv2.INTER_AREA) for i in images]

        shapes = [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE).shape for file in files]

        def ours(size: tuple[int, int] = size, shapes: list = shapes) -> list[np.ndarray]:
            pairs = zip(files, shapes, strict=True)
            return [
                resized_radiograph(file.read_bytes(), file, shape, size) for file, shape in pairs
            ]

        rounds = alternate(7, ours, plain)
        both = zip(ours(), plain(), strict=True)
        away = np.mean([np.abs(a.astype(int) - b).mean() for a, b in both])
        detail = (
            f"{name}: {len(files) / median(r[0] for r in rounds):.0f} against "
            f"{len(files) / median(r[1] for r in rounds):.0f} images/s"
        )
        ratios = [plain / ours for ours, plain in rounds]
        figures.append(figure(f"prepare_{name}", ratios, 1.4, detail))
        figures.append(
            figure(f"prepare_error_{name}", [away], 0.5, "mean distance", "lower", "grey levels")
        )
    return worst("prepare", figures[::2]) + worst("prepare_error", figures[1::2])


def evaluation() -> list[Figure]:
    """From weights to metrics.csv, against one radiograph at a time with torchmetrics."""
    from one_by_one import one_by_one

    figures = []
    for name in ("demo", "abdi"):
        folder = _arrays(name)
        settings = study(name)
        model = settings.model_of("modified_resunet")
        compute = Compute(device="cuda" if CUDA else "cpu", threads=THREADS)
        wanted = ("images", "masks", "index", "split")
        inputs = {kind: next(folder.glob(f"{kind}.*")) for kind in wanted}
        recipe = TrainJob.of(settings, "modified_resunet", "0.2", str(settings.seeds[0]))
        # Twenty steps, so that predictions are regions and not noise.
        recipe = recipe.model_copy(update={"compute": compute, "epochs": 20})
        outputs = {"history": folder / "history.csv", "run": folder / "run.json"}
        train(recipe, **inputs, weights=folder / "weights.safetensors", **outputs)
        job = EvaluateJob.of(settings, "modified_resunet", "0.2", str(settings.seeds[0]))
        job = job.model_copy(update={"compute": compute})

        def ours(folder: Path = folder, job: EvaluateJob = job, inputs: dict = inputs) -> None:
            evaluate(
                job,
                **inputs,
                weights=folder / "weights.safetensors",
                metrics=folder / "metrics.csv",
                predictions=folder / "predictions.npz",
                evaluation=folder / "evaluation.json",
            )

        def theirs(folder: Path = folder, model=model, inputs: dict = inputs) -> None:
            torch.use_deterministic_algorithms(False)
            torch.set_num_threads(THREADS)
            arrays = inputs["images"], inputs["masks"]
            one_by_one(model, *arrays, folder / "weights.safetensors", folder / "theirs.csv")

        rounds = alternate(5, ours, theirs)
        detail = (
            f"{name}: {48 / median(r[0] for r in rounds):.1f} against "
            f"{48 / median(r[1] for r in rounds):.1f} images/s"
        )
        ratios = [theirs / ours for ours, theirs in rounds]
        figures.append(figure(f"evaluation_{name}", ratios, 3, detail))
    return worst("evaluation", figures)


def first_step() -> list[Figure]:
    """Seconds from the start of a training's process to the end of its first step."""
    folder = _arrays("demo")
    figures = []
    for method in ("modified_resunet", "unet"):
        settings = study("demo")
        job = TrainJob.of(settings, method, "0.2", str(settings.seeds[0]))
        files = {"images": "images.npy", "masks": "masks.npy", "index": "index.csv"}
        files |= {"split": "split.json", "weights": f"{method}.safetensors"}
        files |= {"history": "history.csv", "run": "run.json"}
        command = _command("train", job.model_dump_json(), folder, files)

        def one(command: list[str] = command) -> float:
            begin = time.perf_counter()
            process = subprocess.Popen(command, env=LIGHT, stderr=subprocess.PIPE, text=True)
            line = next(line for line in process.stderr if line.startswith("epoch 1/"))
            taken = time.perf_counter() - begin
            assert "step 1 " in line
            process.kill()
            process.wait()
            return taken

        one()
        taken = [one() for _ in range(5)]
        figures.append(figure(f"first_step_{method}", taken, 4, f"demo, {method}", "lower", "s"))
    return worst("first_step_seconds", figures)


def light_stage() -> list[Figure]:
    """Seconds from the start to the end of the processes that write tables."""
    settings = study("paper")
    folder = Path(mkdtemp(prefix="maskedteeth-bench-"))
    metrics = []
    for method in settings.methods:
        for fraction in settings.split.fractions:
            for seed in settings.seeds_of(method):
                place = folder / "runs" / method / f"fraction-{fraction:g}" / f"seed-{seed}"
                file = place / "metrics.csv"
                numbers = {name: "0.9" for name in COLUMNS}
                numbers |= {"method": method, "fraction": f"{fraction:g}", "seed": seed}
                numbers |= {"tp": 900, "fp": 100, "fn": 100, "tn": 9000}
                write_csv(file, [{**numbers, "id": str(n)} for n in range(60)], COLUMNS)
                record = {"settings": {}, "inputs_sha256": {}, "packages": {"torch": "2"}}
                write_json(place / "run.json", {"code": "0", **record})
                metrics.append(str(file))
    job = ReportJob.of(settings).model_dump_json()
    figures = []
    for table in ("table1", "table2", "table3"):
        published = str(ROOT / "config" / "published" / f"{table}.csv")
        files = {kind: f"{table}.{kind}" for kind in ("csv", "md", "tex")}
        command = _command(table, job, folder, files)
        shown = metrics
        if table == "table3":
            shown = [file for file in metrics if settings.report.ours in file]
        runs = [file.replace("metrics.csv", "run.json") for file in shown]
        command += ["--metrics", *shown, "--runs", *runs, "--published", published]
        taken = [_run(command) for _ in range(6)][1:]
        figures.append(figure(f"light_stage_{table}", taken, 1.5, table, "lower", "s"))
    return worst("light_stage_seconds", figures)


def dry_run() -> list[Figure]:
    """A dry run of the paper's whole grid against one of a Snakefile with a single rule."""
    trivial = Path(mkdtemp(prefix="maskedteeth-bench-"))
    (trivial / "Snakefile").write_text('rule all:\n    output: "x"\n    shell: "touch {output}"\n')
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "--nolock"]
    paper = [*command, "--configfile", "config/paper.yaml"]
    rounds = alternate(5, lambda: _run(paper, ROOT), lambda: _run(command, trivial))
    detail = f"{median(r[0] for r in rounds):.2f} s against {median(r[1] for r in rounds):.2f} s"
    return [figure("dry_run", [a / b for a, b in rounds], 2, detail, "lower")]


def _run(command: list[str], folder: Path = ROOT) -> float:
    def run() -> None:
        subprocess.run(command, cwd=folder, env=LIGHT, check=True, capture_output=True)

    return seconds(run)


def _command(stage: str, settings: str, folder: Path, files: dict[str, str]) -> list[str]:
    command = [sys.executable, "-m", "maskedteeth", stage, "--settings", settings]
    for flag, name in files.items():
        command += [f"--{flag}", str(folder / name)]
    return command


@cache
def _arrays(name: str, radiographs: int = 48) -> Path:
    """Draw, index and prepare phantoms at the size of a study; return the folder.

    All of them train and test: what they are good for does not matter here.
    """
    folder = Path(mkdtemp(prefix="maskedteeth-bench-"))
    settings = study("demo").model_copy(update={"image": study(name).image})
    draw_dataset(PhantomJob(images=radiographs, height=512), raw=folder / "raw")
    files = {"raw": folder / "raw", "index": folder / "index.csv"}
    index(Layout(source="phantom"), **files, problems=folder / "problems.csv")
    arrays = {array: folder / f"{array}.npy" for array in ("images", "masks")}
    prepare_arrays(Layout(source="phantom"), settings.image, **files, **arrays)
    ids = [row["id"] for row in read_csv(folder / "index.csv")]
    # An epoch is a batch, so the first line that a training prints follows its first step.
    pool = study(name).training.batch_size
    write_json(folder / "split.json", {"fraction": 0.2, "train": ids, "test": ids, "pool": pool})
    return folder
