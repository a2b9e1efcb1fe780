"""Benchmarks of whole stages, and of the workflow around them."""

import statistics
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from processes import ENVIRONMENT, PLAN, PREPARED, ROOT, command
from subjects import COMPUTE, study
from timing import Figure, alternate, compare, seconds

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.phantom import draw_dataset
from maskedteeth.data.prepare import prepare
from maskedteeth.data.splits import draw_split
from maskedteeth.files import write_csv, write_json
from maskedteeth.metrics.evaluate import evaluate
from maskedteeth.models import module_of
from maskedteeth.settings.config import HeldOut, Layout, Phantom
from maskedteeth.settings.sections import cut
from maskedteeth.stages import sections_of
from maskedteeth.training.train import train

#: Of the benchmarks of whole stages; half of them train, half test.
RADIOGRAPHS = 96
HALVES = HeldOut(test_fraction=0.5)


def evaluation(name: str) -> Figure:
    """Compare, from weights to metrics.csv, with one radiograph at a time and torchmetrics."""
    from one_by_one import one_by_one

    folder, run = _arrays(name), {"fraction": 0.5, "held_out": HALVES}
    arrays = {kind: folder / f"{kind}.npy" for kind in ("images", "labels")}
    inputs, weights = arrays | {"index": folder / "index.csv"}, folder / "weights.safetensors"
    sections = _sections("train", name) | run
    # A few steps, so that predictions are regions and not noise.
    sections["training"] = sections["training"].model_copy(update={"epochs": 4})
    outputs = {"weights": weights, "history": folder / "history.csv", "run": folder / "run.json"}
    train(**sections, **inputs, **outputs)
    measured = {"metrics": "metrics.csv", "predictions": "p.npz", "evaluation": "evaluation.json"}
    outputs = {kind: folder / file for kind, file in measured.items()}
    rows = read_index(folder / "index.csv")
    ids = draw_split(rows, HALVES, 0.5, 1).test
    tested = [pixels_of(array, rows, ids) for array in arrays.values()]
    tested[1] = tested[1].clip(max=1)
    of_evaluation = _sections("evaluate", name) | {"held_out": HALVES}
    whole = of_evaluation["runs"][0].model_copy(update={"fraction": 0.5})
    of_evaluation["runs"] = [whole]

    def ours() -> None:
        evaluate(**of_evaluation, **inputs, weights=[weights], **outputs)

    def theirs() -> None:
        torch.set_deterministic_debug_mode(0)
        one_by_one(whole.model, *tested, weights, folder / "theirs.csv")

    return compare(5, len(ids), None, ours, theirs)


def first_step(method: str) -> Figure:
    """Measure from the start of a training's process to the end of its first step."""
    folder = _arrays("demo")
    sections = _sections("train", "demo", method) | {"fraction": 0.02, "held_out": HALVES}
    # A batch holds more than an epoch, so the first line of a training follows its first step.
    recipe = sections["training"].model_copy(update={"budget": "equal-epochs"})
    sections["training"] = recipe
    files = {kind: PREPARED[kind] for kind in ("images", "labels", "index")}
    files |= {"weights": f"{method}.safetensors", "history": "history.csv", "run": "run.json"}
    words = command("train", sections, {kind: folder / name for kind, name in files.items()})

    def one() -> float:
        begin = time.perf_counter()
        pipe = {"stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(words, env=ENVIRONMENT, **pipe) as process:
            line = next(line for line in process.stderr if line.startswith("epoch 1/"))
            taken = time.perf_counter() - begin
            assert "step 1 " in line
            process.kill()
        return taken

    modules = ("maskedteeth.cli", "maskedteeth.training.train", module_of(sections["model"]))
    imports = [sys.executable, "-c", f"import os, {', '.join(modules)}; os._exit(0)"]
    rounds = [(one(), _run(imports)) for _ in range(6)][1:]
    whole, of_it = (statistics.median(side) for side in zip(*rounds, strict=True))
    detail = f"import {of_it:.2f} s, the rest {whole - of_it:.2f} s"
    return Figure([taken for taken, _ in rounds], 4, detail, "lower", "s")


def light_stage(table: str) -> Figure:
    """Measure from the start to the end of the process that writes a table of the paper's grid."""
    settings, folder = study("paper"), Path(mkdtemp(prefix="maskedteeth-bench-"))
    metrics, runs = folder / "metrics.csv", []
    numbers = dict.fromkeys(("dice", "jaccard", "precision", "recall"), 0.9)
    numbers |= {"tp": 900, "fp": 100, "fn": 100, "tn": 9000}
    record = {"settings": {}, "inputs_sha256": {}, "packages": {"torch": "2"}, "code": "0"}
    record |= {"modules": [], "device": "cpu", "precision": "float32", "steps": 1}
    grid = [
        {"method": method, "fraction": fraction, "seed": seed}
        for method in ([settings.report.ours] if table == "table3" else settings.methods)
        for fraction in settings.split.fractions
        for seed in settings.seeds_of(method)
    ]
    for number, run in enumerate(grid):
        runs.append(folder / f"{number}.json")
        write_json(runs[-1], {**record, **run, "weights_sha256": "0"})
    write_csv(metrics, [{**run, "id": str(n), **numbers} for run in grid for n in range(60)])
    files = {kind: folder / f"{table}.{kind}" for kind in ("csv", "md", "tex", "html")}
    files |= {"metrics": [metrics], "runs": runs}
    files |= {"published": ROOT / "config" / "published" / f"{table}.csv"}
    words = command(table, cut(settings, ("report",), {}), files)
    return Figure([_run(words) for _ in range(6)][1:], 1.5, "", "lower", "s")


def dry_run(name: str) -> Figure:
    """Compare a dry run of a study's whole grid with one of a Snakefile with a single rule."""
    trivial = Path(mkdtemp(prefix="maskedteeth-bench-"))
    (trivial / "Snakefile").write_text('rule all:\n    output: "x"\n    shell: "touch {output}"\n')
    study = [*PLAN, f"config/{name}.yaml"]
    rounds = alternate(5, lambda: _run(study), lambda: _run(PLAN[:-1], trivial))
    detail = f"{min(r[0] for r in rounds):.2f} s against {min(r[1] for r in rounds):.2f} s at best"
    return Figure([whole / one for whole, one in rounds], 2, detail, "lower")


def _run(words: list[str], folder: Path = ROOT) -> float:
    options = {"cwd": folder, "env": ENVIRONMENT, "check": True, "capture_output": True}
    return seconds(lambda: subprocess.run(words, **options))


@cache
def _arrays(name: str) -> Path:
    """Draw and prepare phantoms at the size of a study; return the folder."""
    folder = Path(mkdtemp(prefix="maskedteeth-bench-"))
    draw_dataset(Phantom(images=RADIOGRAPHS, height=512), raw=folder / "raw")
    places = {kind: folder / file for kind, file in PREPARED.items()}
    sections = _sections("prepare", name) | {"layout": Layout(source="phantom")}
    prepare(**sections, raw=folder / "raw", **places)
    return folder


def _sections(stage: str, name: str, method: str = "modified_resunet") -> dict[str, Any]:
    """Cut what a stage sees out of a study."""
    settings = study(name)
    run = {"method": method, "fraction": f"{settings.split.fractions[0]:g}", "seed": "1"}
    job = {**run, "group": method, "runs": [run], "dataset": ""}
    sections = cut(settings, sections_of(stage), job)
    return sections | ({"compute": COMPUTE} if "compute" in sections else {})
