"""Time and memory of the way from many radiographs to arrays, and of planning many runs.

    python benchmarks/load.py [--radiographs 2000 20000] [--runs 1000]

Radiographs of 64 x 128 pixels with masks are drawn; `prepare` runs as its own process, as
in the workflow. Memory is the greatest resident set. The runs are planned by a dry run.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from processes import ENVIRONMENT, PLAN, PREPARED, ROOT, command

SETTINGS = {"layout": {"source": "folder"}, "image": {"height": 32, "width": 64}, "dataset": ""}


def measured(words: list[str]) -> str:
    """Run a command; return its seconds, those of the processor, and its memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen(
        words, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
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


def dry_run(files: list[str], *config: str) -> str:
    """Plan a study."""
    return measured([*PLAN, *files, "--config", "study=load", *config])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=int, nargs="*", default=[2000, 20_000])
    parser.add_argument("--runs", type=int, default=1000, help="a multiple of 25")
    arguments = parser.parse_args()
    for count in arguments.radiographs:
        with tempfile.TemporaryDirectory() as folder:
            raw = Path(folder) / "raw"
            draw(raw, count)
            files = {name: Path(folder) / file for name, file in PREPARED.items()} | {"raw": raw}
            prepare = command("prepare", SETTINGS, files)
            print(f"prepare, {count:,} radiographs: {measured(prepare)}")
            settings = ["config/demo.yaml", "config/abdi.yaml"]
            print(f"dry run, {count:,} radiographs: {dry_run(settings, f'data={{path: {raw}}}')}")
    if arguments.runs:
        seeds = list(range(1, arguments.runs // 25 + 1))  # five methods, five fractions
        found = dry_run(["config/paper.yaml"], f"seeds={seeds}")
        print(f"dry run, {arguments.runs:,} runs: {found}")


if __name__ == "__main__":
    main()
