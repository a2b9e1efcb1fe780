"""Benchmarks of whole stages, and of the workflow around them."""

import json
import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import torch
from subjects import CUDA, ROOT, THREADS, study
from timing import Figure, alternate, figure, median, seconds, worst

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.phantom import draw_dataset
from maskedteeth.data.prepare import prepare
from maskedteeth.data.splits import draw_split
from maskedteeth.files import write_csv, write_json
from maskedteeth.metrics.evaluate import evaluate
from maskedteeth.settings.config import Compute, HeldOut, Layout, Phantom
from maskedteeth.settings.sections import SECTIONS, Run, as_values
from maskedteeth.training.train import train

#: Of the benchmarks of whole stages; half of them train, half test.
RADIOGRAPHS = 96
HALVES = HeldOut(test_fraction=0.5)
COMPUTE = Compute(device="cuda" if CUDA else "cpu", threads=THREADS)
LIGHT = {
    **os.environ,
    "PYTHONPATH": str(ROOT / "workflow"),
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}


def evaluation() -> list[Figure]:
    """From weights to metrics.csv, against one radiograph at a time with torchmetrics."""
    from one_by_one import one_by_one

    figures = []
    for name in ("demo", "abdi"):
        folder = _arrays(name)
        settings = study(name)
        model = settings.model_of("modified_resunet")
        inputs = {kind: next(folder.glob(f"{kind}.*")) for kind in ("images", "masks", "index")}
        run = Run(method="modified_resunet", fraction=0.5, seed=1, model=model)
        weights = folder / "weights.safetensors"
        outputs = {"history": folder / "history.csv", "run": folder / "run.json"}
        # A few steps, so that predictions are regions and not noise.
        recipe = settings.training.model_copy(update={"epochs": 4})
        about = (model, HALVES, run.method, run.fraction, run.seed, COMPUTE)
        train(recipe, *about, **inputs, weights=weights, **outputs)

        def ours(folder: Path = folder, run: Run = run, inputs: dict = inputs) -> None:
            evaluate(
                [run],
                HALVES,
                0.5,
                2.0,
                COMPUTE,
                **inputs,
                weights=[folder / "weights.safetensors"],
                metrics=folder / "metrics.csv",
                predictions=folder / "predictions.npz",
                evaluation=folder / "evaluation.json",
            )

        def theirs(folder: Path = folder, model=model, run: Run = run) -> None:
            torch.use_deterministic_algorithms(False)
            torch.set_num_threads(THREADS)
            one_by_one(
                model,
                *_tested(folder, run),
                folder / "weights.safetensors",
                folder / "theirs.csv",
            )

        rounds = alternate(5, ours, theirs)
        detail = (
            f"{name}: {RADIOGRAPHS / 2 / median(r[0] for r in rounds):.1f} against "
            f"{RADIOGRAPHS / 2 / median(r[1] for r in rounds):.1f} images/s"
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
        # An epoch is a batch, so the first line that a training prints follows its first step.
        recipe = {"budget": "equal-epochs", "batch_size": RADIOGRAPHS // 2}
        sections = {
            "training": settings.training.model_copy(update=recipe),
            "model": settings.model_of(method),
            "held_out": HALVES,
            "compute": COMPUTE,
        }
        sections |= {"method": method, "fraction": 0.5, "seed": 1}
        files = {"images": "images.npy", "masks": "masks.npy", "index": "index.csv"}
        files |= {"weights": f"{method}.safetensors", "history": "history.csv", "run": "run.json"}
        command = _command("train", sections, {k: folder / name for k, name in files.items()})

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
    numbers = dict.fromkeys(("dice", "jaccard", "precision", "recall"), 0.9)
    numbers |= {"tp": 900, "fp": 100, "fn": 100, "tn": 9000}
    metrics, runs = [], []
    for method in settings.methods:
        rows = []
        for fraction in settings.split.fractions:
            for seed in settings.seeds_of(method):
                run = {"method": method, "fraction": fraction, "seed": seed}
                rows += [{**run, "id": str(n), **numbers} for n in range(60)]
                record = {"settings": {}, "inputs_sha256": {}, "packages": {"torch": "2"}}
                record |= {"code": "0", "modules": [], "device": "cpu", "precision": "float32"}
                runs.append(folder / f"{method}-{fraction}-{seed}.json")
                write_json(runs[-1], {**record, **run, "steps": 1, "weights_sha256": "0"})
        metrics.append(folder / f"{method}.csv")
        write_csv(metrics[-1], rows)
    report = SECTIONS["report"](settings, {})
    figures = []
    for table in ("table1", "table2", "table3"):
        files = {kind: folder / f"{table}.{kind}" for kind in ("csv", "md", "tex", "html")}
        files |= {"published": ROOT / "config" / "published" / f"{table}.csv"}
        ours = table == "table3"  # of our approach alone
        files["metrics"] = [
            file for file in metrics if not ours or settings.report.ours == file.stem
        ]
        files["runs"] = runs
        command = _command(table, {"report": report}, files)
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


def _command(stage: str, sections: dict, files: dict) -> list[str]:
    command = [sys.executable, "-m", "maskedteeth", "run", stage]
    return [*command, json.dumps(as_values(sections)), json.dumps(files, default=str)]


@cache
def _arrays(name: str) -> Path:
    """Draw and prepare phantoms at the size of a study; return the folder."""
    folder = Path(mkdtemp(prefix="maskedteeth-bench-"))
    draw_dataset(Phantom(images=RADIOGRAPHS, height=512), raw=folder / "raw")
    files = {"index": "index.csv", "problems": "problems.csv", "state": "dataset.txt"}
    files |= {"images": "images.npy", "masks": "masks.npy"}
    places = {kind: folder / file for kind, file in files.items()}
    prepare(Layout(source="phantom"), study(name).image, "", raw=folder / "raw", **places)
    return folder


def _tested(folder: Path, run: Run) -> tuple[Path, Path]:
    """Return the images and masks of the radiographs that test, as files of their own."""
    rows = read_index(folder / "index.csv")
    ids = draw_split(rows, HALVES, run.fraction, run.seed).test
    for name in ("images", "masks"):
        np.save(folder / f"tested-{name}.npy", pixels_of(folder / f"{name}.npy", rows, ids))
    return folder / "tested-images.npy", folder / "tested-masks.npy"
