# What several rules need: the validated settings, the paths, and the fingerprints of code.
import ast
import os
import shlex
import shutil
import sys

from snakemake.common.configfile import load_configfile
from snakemake.settings.types import DeploymentMethod
from snakemake.utils import update_config

# This project's folder, also where another workflow uses it as a module (docs/module.md), and the
# way to it from the working directory, by which Snakemake knows files: the same on every machine.
PROJECT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
if not PROJECT.is_dir():
    raise WorkflowError(
        f"{PROJECT} is not a folder on this machine, but the workflow needs its Python package beside "
        "its rules; clone the project and name the Snakefile of the clone."
    )
CONFIG = Path(os.path.relpath(PROJECT)) / "config"
PACKAGE = str(PROJECT / "workflow")
sys.path.insert(0, PACKAGE)
# Jobs run the package that lies beside this Snakefile, installed or not, with Snakemake's own Python
# unless conda or a container brings one. A failure anywhere in a pipe fails the job.
DEPLOYED = bool(workflow.deployment_settings.deployment_method)
# The image of Apptainer's jobs; nowhere else a name of it reruns anything (docs/container.md).
APPTAINER = DeploymentMethod.APPTAINER in workflow.deployment_settings.deployment_method
IMAGE = os.environ.get("MASKEDTEETH_IMAGE") if APPTAINER else None
if APPTAINER and not IMAGE:
    raise WorkflowError(
        "Apptainer needs an image, and MASKEDTEETH_IMAGE names none. Set it to a .sif file or to "
        "docker://REGISTRY/NAME@sha256:DIGEST; docs/container.md says how to make one."
    )
VARIABLES = f'PYTHONPATH={shlex.quote(PACKAGE)}"${{PYTHONPATH:+:$PYTHONPATH}}"'
if not DEPLOYED:
    VARIABLES += f' PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"'
# A file of the working directory that is named as a module of Python's is not taken for it. Rules of
# a workflow that uses this one as a module may have scripts that import what lies beside them.
if workflow.modifier.is_main_snakefile():
    VARIABLES += " PYTHONSAFEPATH=1"
VARIABLES = VARIABLES.replace("{", "{{").replace("}", "}}")  # for Snakemake, which formats it
shell.prefix(f"set -eo pipefail; export {VARIABLES}; ")

from maskedteeth.cli import module_of_stage
from maskedteeth.settings.config import Settings
from maskedteeth.errors import InputError
from maskedteeth.study.failures import Failed, summary
from maskedteeth.fingerprint import fingerprint
from maskedteeth.settings.jobs import (
    DescribeJob,
    EvaluateJob,
    FetchJob,
    GuardJob,
    IndexJob,
    LpipsJob,
    MeasureJob,
    PageJob,
    PhantomJob,
    PrepareJob,
    PretrainJob,
    ReconstructJob,
    ReportJob,
    SplitJob,
    SplitPretextJob,
    TrainJob,
)
from maskedteeth.study.locks import hold_when_locking
from maskedteeth.study.progress.follow import follow, unfollow
from maskedteeth.study.scheduling import look_when_a_job_ends
from maskedteeth.models import module_of
from maskedteeth.settings.validation import validate

SETTINGS = dict(config)
if workflow.modifier.skip_configfile:  # a module's settings are an overlay of the paper's, too
    SETTINGS = load_configfile(CONFIG / "paper.yaml")
    update_config(SETTINGS, config)
try:
    STUDY = validate(SETTINGS, Settings)
    PAPER_STUDY = validate(load_configfile(CONFIG / "paper.yaml"), Settings)
except InputError as error:
    raise WorkflowError(str(error)) from None

# A second Snakemake on the same study is told who is at it.
hold_when_locking(STUDY.study)

ENVIRONMENT = str(PROJECT / "envs" / "environment.yaml")
RESULTS = Path("results") / STUDY.study
PRETEXT = RESULTS / "pretext" / "{pretext}"
RUN = RESULTS / "runs" / "{method}" / "fraction-{fraction}" / "seed-{seed}"
FRACTIONS = [f"{fraction:g}" for fraction in STUDY.split.fractions]
THREADS = STUDY.compute.threads
# A resource and no parameter: it changes no result, so a changed one reruns nothing.
CHECKPOINT_MINUTES = str(STUDY.compute.checkpoint_minutes)

# Where studies find what another has computed alike; of no rule, for it is none's alone.
SHARED = Path("results") / ".shared"

# A folder that the user has is read in place; everything else is fetched first.
DATA_PATH = Path(STUDY.data.path).expanduser() if STUDY.data.path else None
IN_PLACE = DATA_PATH is not None and not STUDY.data.zipped
RAW = DATA_PATH if IN_PLACE else RESULTS / "data" / "raw"
if DATA_PATH and set("{}") & set(str(DATA_PATH)):
    raise WorkflowError(
        f"data.path {DATA_PATH} has braces, which Snakemake takes for wildcards; rename it."
    )
if DATA_PATH and not (DATA_PATH.is_dir() if IN_PLACE else DATA_PATH.is_file()):
    kind = "folder" if IN_PLACE else "zip file"
    raise WorkflowError(f"data.path {DATA_PATH} is not a {kind}; name the {kind} of the dataset.")

# What the figures show: the pretext of `report.ours`, or else the first one there is.
PRETEXT_SHOWN = STUDY.methods[STUDY.report.ours].initialisation
if PRETEXT_SHOWN == "random":
    PRETEXT_SHOWN = next(iter(STUDY.pretext), None)


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
    """Radiographs and annotations that are read in place: a changed one is indexed again."""
    if not IN_PLACE:
        return []
    from maskedteeth.data.index import open_source  # takes OpenCV along, which nothing else needs

    try:
        records = open_source(IndexJob.of(STUDY), RAW).records
    except InputError:
        return []  # the stage `index` will say what is wrong
    files = [file for record in records for file in (record.image, record.annotation)]
    return [file for file in files if file and os.path.isfile(file) and os.access(file, os.R_OK)]


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


def of_pretexts(file, pretexts=None):
    """Paths of a file of some pretexts, or of every one."""
    names = STUDY.pretext if pretexts is None else pretexts
    return [str(PRETEXT / file).format(pretext=pretext) for pretext in names]


def records(methods=(), fractions=()):
    """Paths of the records of the methods' runs and of the pretexts that these start from."""
    starts = {STUDY.methods[method].initialisation for method in methods or STUDY.methods}
    pretexts = [pretext for pretext in STUDY.pretext if pretext in starts]
    return [
        *of_runs("run.json", methods, fractions),
        *of_runs("evaluation.json", methods, fractions),
        *of_pretexts("run.json", pretexts),
    ]


def of_shown_runs(file, methods=()):
    """Paths of a file of the runs in figures 4, 5, 8 and 9: each method's first seed."""
    fraction = f"{STUDY.report.figure_fraction:g}"
    return [
        str(RUN / file).format(method=method, fraction=fraction, seed=STUDY.seeds_of(method)[0])
        for method in methods or STUDY.methods
    ]


def stage_of(rule):
    """Name of the stage that a table's or figure's rule runs."""
    return rule.replace("_", "-")


def as_flags(wildcards, input):
    """Named inputs as flags of a stage: --metrics a.csv b.csv --published c.csv."""
    flags = []
    for name, files in input.items():
        if not files:
            continue
        flags += [f"--{name}", *([files] if isinstance(files, str) else files)]
    return " ".join(shlex.quote(flag) for flag in flags)


def as_sources(wildcards, input):
    """Folders of the runs and pretexts that a table or figure is made from, within the study."""
    folders = [Path(file).parent for file in input]
    inside = [
        str(folder.relative_to(RESULTS))
        for folder in dict.fromkeys(folders)
        if {RESULTS / "runs", RESULTS / "pretext"} & set(folder.parents)
    ]
    return shlex.join(inside)


def shown(name, kind, path):
    """Flag a table or figure for Snakemake's --report, told apart by what its module is about."""
    source = Path(PACKAGE, *module_of_stage(stage_of(name)).split(".")).with_suffix(".py")
    about = ast.get_docstring(ast.parse(source.read_bytes())) or name
    first = about.splitlines()[0].rstrip(".")
    number, _, rest = first.partition(": ")
    if not number[-1:].isdigit():  # neither Table 2 nor Figure 6
        number, rest = name.replace("_", " ").capitalize(), first
    of_paper = name.startswith(("table", "figure"))
    return report(
        path,
        caption=f"../report/{kind}.rst",
        category=f"{kind.capitalize()}s" if of_paper else "Beyond the paper",
        labels={"name": number, "shows": rest},
    )


def full_disk():
    """A sentence where the disk is full, and the logs may have had no room to say so."""
    place = next(f for f in (RESULTS.absolute(), *RESULTS.absolute().parents) if f.exists())
    free = shutil.disk_usage(place).free
    if free > 1e6:
        return ""
    return (
        f"\nThe disk of {place} is full ({free / 1e6:.1f} MB left): make room and run the same "
        "command again; what is finished stays.\n"
    )


def refuse_a_gap():
    """Stop with a sentence if something asked for is missing although no job failed.

    Snakemake does not look behind `ancient` inputs that are made again (--forcerun measure_one).
    """
    settings = workflow.dag_settings
    if not workflow.is_main_process or settings.omit_from or settings.batch:
        return
    asked = {f for job in workflow.dag.targetjobs for f in (job.output or job.input)}
    # In a storage Snakemake itself looks.
    if missing := sorted(str(f) for f in asked if not (f.is_storage or os.path.exists(f))):
        raise WorkflowError(
            f"{len(missing)} files are still missing, {missing[0]} among them: Snakemake looks at what "
            "comes after a job that was forced in the next run only. Start the same command again, "
            "without --forcerun; it goes on."
        )


def finished_message():
    """What a user reads at the end."""
    made = [RESULTS / "report.html", RESULTS / "tables", RESULTS / "figures"]
    places = "  ".join(f"{f.stem.capitalize()}: {f}" for f in made if f.exists())
    return f"\nDone. {places or f'Results: {RESULTS}'}\nDataset: {STUDY.data.name}"


def failed_message(logs):
    """What a user reads at the end when jobs failed; `logs` are Snakemake's own."""
    dag = workflow.dag
    jobs = [job for one in workflow.scheduler.failed for job in getattr(one, "jobs", [one])]
    failed = [
        Failed(
            job.rule.name,
            dict(job.wildcards_dict),
            [Path(log) for log in job.log],
            job.shellcmd or "",
            (
                mem
                if workflow.non_local_exec and isinstance(mem := job.resources.get("mem_mb"), int)
                else None
            ),
        )
        for job in jobs
        if not dag.finished(job)
    ]
    planned = [job for job in dag.needrun_jobs(exclude_finished=False) if job.output]
    printed = "".join(Path(log).read_text(encoding="utf-8", errors="replace") for log in logs)
    finished = sum(map(dag.finished, planned))
    return f"\n{summary(failed, finished, len(planned), printed)}{full_disk()}"
