# What several rules need: the validated settings, the paths, and the fingerprints of code.
import sys

PACKAGE = str(Path(workflow.basedir) / "workflow")
sys.path.insert(0, PACKAGE)
# Jobs run the package that lies beside this Snakefile, installed or not.
shell.prefix(f'export PYTHONPATH="{PACKAGE}:$PYTHONPATH"; ')

from maskedteeth.cli import module_of_stage
from maskedteeth.config import Settings
from maskedteeth.errors import InputError
from maskedteeth.fingerprint import fingerprint
from maskedteeth.jobs import *
from maskedteeth.models import module_of
from maskedteeth.validation import validate

try:
    STUDY = validate(dict(config), Settings)
except InputError as error:
    raise WorkflowError(str(error)) from None

ENVIRONMENT = str(Path(workflow.basedir) / "envs" / "environment.yaml")
RESULTS = Path("results") / STUDY.study
PRETEXT = RESULTS / "pretext" / "{pretext}"
RUN = RESULTS / "runs" / "{method}" / "fraction-{fraction}" / "seed-{seed}"
# Shared by all studies that ask for LPIPS in the same way.
LPIPS = Path("results") / "weights" / f"alexnet-{STUDY.evaluation.lpips}.safetensors"
FRACTIONS = [f"{fraction:g}" for fraction in STUDY.split.fractions]
THREADS = STUDY.compute.threads

# A folder that the user has is read in place; everything else is fetched first.
IN_PLACE = STUDY.data.path is not None and not STUDY.data.path.endswith(".zip")
RAW = Path(STUDY.data.path) if IN_PLACE else RESULTS / "data" / "raw"

# What the figures show: the pretext of `report.ours`, or else the first one there is.
PRETEXT_SHOWN = STUDY.methods[STUDY.report.ours].initialisation
if PRETEXT_SHOWN == "random":
    PRETEXT_SHOWN = next(iter(STUDY.pretext), None)
FIGURES = ["figure1", "figure4", "figure5", "figure8", "figure9", "dice_by_fraction"]
FIGURES += ["figure2", "figure3", "figure6", "figure7"] if PRETEXT_SHOWN else []


# Enumerated, because 0.1 and 0.10 would both match an open pattern.
wildcard_constraints:
    pretext="|".join(STUDY.pretext) or "none",
    method="|".join(STUDY.methods),
    fraction="|".join(f.replace(".", r"\.") for f in FRACTIONS),
    seed="|".join(sorted({str(s) for m in STUDY.methods for s in STUDY.seeds_of(m)})),


def code(stage, *models):
    """Fingerprint of a stage's code and of the networks that it builds."""
    return fingerprint(module_of_stage(stage), *map(module_of, models))


def files_of_the_user(wildcards):
    """Files of a folder that is read in place: a changed radiograph is indexed again."""
    return sorted(f for f in RAW.rglob("*") if f.is_file()) if IN_PLACE else []


def initial_weights(wildcards):
    """Weights that a method starts from, or none."""
    initialisation = STUDY.methods[wildcards.method].initialisation
    if initialisation == "random":
        return []
    return str(PRETEXT / "weights.safetensors").format(pretext=initialisation)


def of_runs(file, methods=(), fractions=()):
    """Paths of a file of every run of the grid, in the order of the settings."""
    return [
        str(RUN / file).format(method=method, fraction=fraction, seed=seed)
        for method in methods or STUDY.methods
        for fraction in fractions or FRACTIONS
        for seed in STUDY.seeds_of(method)
    ]


def of_pretexts(file):
    """Paths of a file of every pretext."""
    return [str(PRETEXT / file).format(pretext=pretext) for pretext in STUDY.pretext]


def of_shown_runs(file, methods=()):
    """Paths of a file of the runs in figures 4, 5, 8 and 9: each method's first seed."""
    fraction = f"{STUDY.report.figure_fraction:g}"
    return [
        str(RUN / file).format(method=method, fraction=fraction, seed=STUDY.seeds_of(method)[0])
        for method in methods or STUDY.methods
    ]


def finished_message():
    """What a user reads at the end."""
    return (
        f"\nDone. Tables: {RESULTS / 'tables'}  Figures: {RESULTS / 'figures'}\n"
        f"Dataset: {STUDY.data.title}"
    )
