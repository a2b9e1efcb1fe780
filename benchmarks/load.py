"""Time and memory of the way from many radiographs to splits, and of planning many runs.

    python benchmarks/load.py [--radiographs 2000 20000] [--runs 1000]

Radiographs of 64 x 128 pixels with masks are drawn; each stage runs as its own process, as in the
workflow. Memory is the greatest resident set; that of `prepare` includes the pages of its arrays
on disk, which the system may take back. The runs are planned by a dry run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]
LAYOUT = {"source": "folder", "images": "images", "masks": "masks"}
STAGES = {
    "index": (LAYOUT, "raw index problems"),
    "prepare": ({"source": LAYOUT, "height": 32, "width": 64}, "raw index images masks"),
    "split": ({"fraction": 0.8, "seed": 1}, "index split"),
    "split-pretext": ({}, "index split"),
    "guard": ({}, "index images guard"),
}
SUFFIX = {"images": "npy", "masks": "npy", "split": "json", "guard": "json"}
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
ENVIRONMENT = {**os.environ, "PATH": PATH, "PYTHONPATH": str(ROOT / "workflow")}


def measured(command: list[str]) -> str:
    """Run a command; return its seconds, those of the processor, and its memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    message = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(message.decode())
    seconds, processor = time.perf_counter() - start, used.ru_utime + used.ru_stime
    return f"{seconds:.1f} s, {processor:.1f} s of processor, {used.ru_maxrss / 1024:.0f} MiB"


def draw(folder: Path, count: int) -> None:
    """Write radiographs of smooth noise, each with a mask."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number in range(count):
        coarse = np.random.default_rng(number).integers(0, 256, (16, 32), np.uint8)
        pixels = cv2.resize(coarse, (128, 64), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / "images" / f"{number}.jpg"), pixels)
        cv2.imwrite(str(folder / "masks" / f"{number}.png"), (pixels > 127).astype(np.uint8) * 255)


def stages(folder: Path, count: int) -> dict[str, str]:
    """Run every stage on so many radiographs."""
    raw = folder / "raw"
    draw(raw, count)
    found = {}
    for stage, (settings, files) in STAGES.items():
        command = [sys.executable, "-m", "maskedteeth", stage, "--settings", json.dumps(settings)]
        for name in files.split():
            file = raw if name == "raw" else folder / f"{name}.{SUFFIX.get(name, 'csv')}"
            command += [f"--{name}", str(file)]
        found[stage] = measured(command)
    settings = ["config/demo.yaml", "config/abdi.yaml"]
    found["dry run"] = dry_run(settings, ["--config", f"data={{path: {raw}}}", "study=load"])
    return found


def dry_run(files: list[str], arguments: list[str]) -> str:
    """Plan a study."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--quiet", "rules"]
    return measured([*command, "--configfile", *files, *arguments])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=int, nargs="*", default=[2000, 20_000])
    parser.add_argument("--runs", type=int, default=1000, help="a multiple of 25")
    arguments = parser.parse_args()
    for count in arguments.radiographs:
        with tempfile.TemporaryDirectory() as folder:
            for name, found in stages(Path(folder), count).items():
                print(f"{name}, {count:,} radiographs: {found}", flush=True)
    if arguments.runs:
        seeds = list(range(1, arguments.runs // 25 + 1))  # five methods, five fractions
        config = ["--config", "study=load", f"seeds={seeds}"]
        print(f"dry run of {25 * len(seeds):,} runs: {dry_run(['config/paper.yaml'], config)}")


if __name__ == "__main__":
    main()
