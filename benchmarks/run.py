"""Measure everything, or what is named, and print the table.

    make bench
    python benchmarks/run.py [NAME ...]

Run it while nothing else runs.
"""

import argparse
import contextlib
import io

import stages
import torch
import training
from subjects import COMPUTE

from maskedteeth.training.device import set_up

#: Name → function, and the cases that it measures: studies, by their size, or methods or tables.
BENCHMARKS = {
    "engine_efficiency": (training.engine_efficiency, ("demo", "abdi")),
    "usual_script": (training.usual_script, ("demo", "abdi")),
    "monai_peer": (training.monai_peer, ("demo", "abdi")),
    "masking_share": (training.masking_share, ("demo", "abdi")),
    "evaluation": (stages.evaluation, ("demo", "abdi")),
    "first_step_seconds": (stages.first_step, ("modified_resunet", "unet")),
    "light_stage_seconds": (stages.light_stage, ("table1", "table2", "table3")),
    "dry_run": (stages.dry_run, ("paper",)),
    "memory": (training.memory, ("paper", "abdi")),
    "grid_hours": (training.grid_hours, ("paper",)),
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
                found = function(case)
            print(found.row(name, case), flush=True)


if __name__ == "__main__":
    main()
