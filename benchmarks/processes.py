"""Stages and Snakemake as processes of their own. Light: a child's peak memory begins with ours."""

import json
import os
import sys
from pathlib import Path

from maskedteeth.settings.sections import as_values

ROOT = Path(__file__).parents[1]
#: With which Python finds this package, and Snakemake its commands.
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT / "workflow"),
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}
#: What the stage `prepare` writes.
PREPARED = {"index": "index.csv", "problems": "problems.csv", "state": "dataset.txt"}
PREPARED |= {"images": "images.npy", "labels": "labels.npy"}
PLAN = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "--nolock", "--configfile"]


def command(stage: str, sections: dict, files: dict) -> list[str]:
    """Return the command line of a stage, as the workflow runs it."""
    words = [sys.executable, "-m", "maskedteeth", "run", stage]
    return [*words, json.dumps(as_values(sections)), json.dumps(files, default=str)]
