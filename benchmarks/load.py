"""Time and memory of the way from many radiographs to arrays, and of planning many runs.

    python benchmarks/load.py [--radiographs 2000 20000] [--runs 1000]

Radiographs of 64 x 128 pixels with masks are drawn; `prepare` runs as its own process, as
in the workflow. Memory is the greatest resident set. The runs are planned by a dry run.
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
SETTINGS = {"layout": {"source": "folder"}, "image": {"height": 32, "width": 64}, "dataset": ""}
FILES = {"index": "index.csv", "problems": "problems.csv", "state": "dataset.txt"}
FILES |= {"images": "images.npy", "masks": "masks.npy"}
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
    """Prepare so many radiographs, and plan a study of them."""
    raw = folder / "raw"
    draw(raw, count)
    files = {"raw": str(raw)} | {name: str(folder / file) for name, file in FILES.items()}
    command = [sys.executable, "-m", "maskedteeth", "run", "prepare"]
    found = {"prepare": measured([*command, json.dumps(SETTINGS), json.dumps(files)])}
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
