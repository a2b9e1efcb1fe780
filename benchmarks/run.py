"""Measure everything, or what is named, and print the table.

    make bench
    python benchmarks/run.py [NAME ...]

Run it while nothing else runs.
"""

import argparse
import contextlib
import io
from itertools import product

import stages
import torch
import training
from subjects import COMPUTE

from maskedteeth.training.device import set_up

STUDIES, PRECISIONS = ("demo", "abdi"), ("float32", "bfloat16")
SIZES = tuple(product(STUDIES))
PEER = tuple(product(STUDIES, ("as usual", *PRECISIONS)))
#: Name → function, and the arguments of each of its figures.
BENCHMARKS = {
    "engine_efficiency": (training.engine_efficiency, SIZES),
    "usual_script": (training.usual_script, PEER),
    "monai_peer": (training.monai_peer, PEER),
    "flop_utilisation": (training.flop_utilisation, tuple(product(STUDIES, PRECISIONS))),
    "masking_share": (training.masking_share, SIZES),
    "evaluation": (stages.evaluation, SIZES),
    "first_step_seconds": (stages.first_step, (("modified_resunet",), ("unet",))),
    "light_stage_seconds": (stages.light_stage, (("table1",), ("table2",), ("table3",))),
    "dry_run": (stages.dry_run, (("paper",),)),
    "memory": (training.memory, (("paper",), ("abdi",))),
    "grid_hours": (training.grid_hours, (("paper",),)),
}


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no benchmark {min(unknown)!r}; there are {', '.join(BENCHMARKS)}")
    machine = set_up(COMPUTE)
    print(f"{machine.name}, {COMPUTE.threads} threads, {machine.precision}, {torch.__version__}\n")
    print("| what | of | median (min - max) | target | met | measured |\n|---|---|---|---|---|---|")
    for name in names or BENCHMARKS:
        function, cases = BENCHMARKS[name]
        for case in cases:
            talk = io.StringIO()  # what stages print
            with contextlib.redirect_stdout(talk), contextlib.redirect_stderr(talk):
                found = function(*case)
            if found:  # else this machine is not meant for it
                print(found.row(name, ", ".join(case)), flush=True)


if __name__ == "__main__":
    main()
