# What all rules need: the validated settings, the jobs of the study, and how a stage is run.
import inspect
import os
import re
import shlex
import sys

import yaml
from snakemake.utils import update_config

# This project's folder, also where another workflow uses it as a module (docs/extending.md).
PROJECT = Path(inspect.currentframe().f_code.co_filename).resolve().parents[2]
if not (PROJECT / "config").is_dir():
    raise WorkflowError(
        f"{PROJECT} is not a folder on this machine, but the workflow needs its Python package beside "
        "its rules; clone the project and name the Snakefile of the clone."
    )
CONFIG = Path(os.path.relpath(PROJECT)) / "config"
PACKAGE = PROJECT / "workflow"
sys.path.insert(0, str(PACKAGE))

from maskedteeth.data.state import state_of_dataset
from maskedteeth.errors import InputError
from maskedteeth.jobs import Jobs
from maskedteeth.machine import has_card
from maskedteeth.settings.config import Settings
from maskedteeth.settings.sections import models_in
from maskedteeth.settings.validation import validate

# Jobs run this package with Snakemake's own Python, except where Apptainer brings another one.
PYTHON = shlex.quote(str(Path(sys.executable).parent))
EXPORTS = f"""set -eo pipefail
export PYTHONPATH={shlex.quote(str(PACKAGE))}"${{PYTHONPATH:+:$PYTHONPATH}}"
[ -n "$APPTAINER_CONTAINER$SINGULARITY_CONTAINER" ] || export PATH={PYTHON}:"$PATH"
"""
shell.prefix(EXPORTS.replace("{", "{{").replace("}", "}}"))
RUN_STAGE = (
    "python -P -m maskedteeth run {params.stage} {params.settings:q} {params.files:q} > {log} 2>&1"
)


def setting_of(dataset):
    """The setting that is a dataset's."""
    return f"datasets.{dataset}" if dataset else "data"


# Every study is an overlay of the paper's.
SETTINGS = yaml.safe_load((PROJECT / "config" / "paper.yaml").read_text(encoding="utf-8"))
update_config(SETTINGS, config)
try:
    STUDY = validate(SETTINGS, Settings)
    RESULTS = Path("results") / STUDY.study
    # The study's own dataset, whose files lie in data/, and further ones in folders there.
    DATASETS = {"": STUDY.data} | STUDY.datasets
    STATES_OF_DATA = {
        name: state_of_dataset(
            data,
            STUDY.split.given if name == "" else None,
            RESULTS / "data" / name / "dataset.txt",
            setting_of(name),
        )
        for name, data in DATASETS.items()
    }
    JOBS = Jobs(STUDY, config, RESULTS, STATES_OF_DATA)
except InputError as error:
    raise WorkflowError(str(error)) from None


# Enumerated, because 0.1 and 0.10 would both match an open pattern.
wildcard_constraints:
    pretext="|".join(STUDY.pretext) or "none",
    method="|".join(STUDY.methods),
    fraction="|".join({run["fraction"].replace(".", r"\.") for run in JOBS.runs}),
    seed="|".join({run["seed"] for run in JOBS.runs}),
    group="|".join(JOBS.groups),
    elsewhere="|".join(STUDY.evaluation.also_on) or "none",
    encoder="|".join({re.escape(m.pretrained) for m in models_in(STUDY) if m.pretrained}) or "none",


# Snakemake needs the first even for a dry run.
for PLACE in (".snakemake", "results"):
    if not os.access(PLACE if os.path.lexists(PLACE) else ".", os.W_OK):
        raise WorkflowError(
            f"{PLACE} cannot be written in {Path.cwd()}: it is read-only, or a link to a disk that is "
            "not there. Mount the disk, or add --directory with a folder of yours."
        )


def growing(amount):
    """A resource that every further attempt (--retries) gets as much again of."""
    return lambda wildcards, attempt: amount * attempt


# What runs a network takes a place on the card, of which profiles/default gives one.
CARD = int(STUDY.compute.device != "cpu" and has_card())
NETWORK = {"gpu": CARD, "mem_mb": growing(8000), "runtime": growing(240)}


def of_groups(groups, *files):
    """Inputs of a table or figure: files of evaluations, and the records of how they came about."""
    inputs = {file.partition(".")[0]: JOBS.of_groups(file, groups) for file in files}
    return inputs | {"runs": JOBS.records(groups)}


def shown(path):
    """Flag a table, a figure or the report for Snakemake's --report."""
    kind = {".csv": "table", ".png": "figure", ".html": "report"}[path.suffix]
    of_paper = path.stem.startswith(("table", "figure"))
    category = f"{kind.capitalize()}s" if of_paper else "Beyond the paper"
    labels = {"name": path.stem.replace("_", " ")}
    return report(path, caption=f"../report/{kind}.rst", category=category, labels=labels)
