"""Measure everything, or what is named, and write the table.

    make bench
    python benchmarks/run.py [NAME ...] [--out results/bench.json]

Sides that are compared run alternately in one process, or as alternating processes, several times;
the table shows the median, the smallest and the largest. Run it while nothing else runs.
"""

import argparse
import contextlib
import io
import sys
from pathlib import Path

import stages
import torch
import training
from subjects import THREADS
from timing import as_table, write

from maskedteeth.settings.config import Compute
from maskedteeth.training.device import set_up

BENCHMARKS = {
    "engine_efficiency": training.engine_efficiency,
    "usual_script": training.usual_script,
    "monai_peer": training.monai_peer,
    "masking_share": training.masking_share,
    "evaluation": stages.evaluation,
    "first_step_seconds": stages.first_step,
    "light_stage_seconds": stages.light_stage,
    "dry_run": stages.dry_run,
    "memory": training.memory,
    "compiled": training.compiled,
    "utilisation": training.utilisation,
}


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--out", type=Path, default=Path("results") / "bench.json")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark {unknown.pop()!r}; there are {', '.join(BENCHMARKS)}")
    device = set_up(Compute(threads=THREADS))
    print(f"{device.name}, {THREADS} threads, {device.precision}, torch {torch.__version__}")
    figures = []
    for name in arguments.names or BENCHMARKS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        with contextlib.redirect_stderr(io.StringIO()):  # the trainings' own progress
            found = BENCHMARKS[name]()
        figures += found
        write(found, arguments.out)
    print(as_table(figures))
    print(f"\n{arguments.out}")


if __name__ == "__main__":
    main()
