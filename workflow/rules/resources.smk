# What a job may use. On one machine memory and time limit nothing unless --resources gives a pool; a
# cluster reserves them, and ends a job that takes more. A retry (--retries) gets as much again.
from functools import cache
from hashlib import sha256

from maskedteeth.study import needs as needed
from maskedteeth.training.cards import visible_cards

LIGHT_MEM_MB = 2000  # of stages that run no network, or one once
LIGHT_MINUTES = 30
HEAVY_MEM_MB = 6000  # of stages that run networks, where nothing was measured
HEAVY_MINUTES = 60

NEEDS = RESULTS / "needs"


@cache
def needs_name(stage, entry):
    """Name of the file of what a training needs: the same for equal networks and recipes.

    Settings and code stand in it, as a hash. So it is measured anew exactly when the trainings are
    made anew anyway; were the same file made again instead, Snakemake would forget, behind
    `ancient`, that they have to be.
    """
    job = MeasureJob.of(STUDY, stage, entry)
    content = job.model_dump_json() + code(stage, job.job.model)
    return f"{stage}-{job.job.model.architecture}-{sha256(content.encode()).hexdigest()[:8]}"


TO_MEASURE = {needs_name("pretrain", name): ("pretrain", name) for name in STUDY.pretext}
TO_MEASURE |= {needs_name("train", name): ("train", name) for name in STUDY.methods}


def unless_changed(file):
    """An input that retrains nothing when it is made again.

    One that was being made when Snakemake was killed is an input like any other, for Snakemake makes
    it first, and would then forget, behind `ancient`, what else there is to make.
    """
    marked = getattr(workflow.persistence, "_filter_incomplete_keys", None)
    return file if marked and marked([file]) else ancient(file)


def needs_of(stage, entry):
    """What a training needs, as an input that retrains nothing."""
    return unless_changed(str(NEEDS / f"{needs_name(stage, entry)}.json"))


def growing(amount):
    """A resource that every further attempt gets as much again of."""
    return lambda wildcards, attempt: amount * attempt


def as_measured(resource):
    """A resource told from the rule's input `needs`; Snakemake shows <TBD> until that is there."""
    return lambda wildcards, input, attempt: resource(needed.read(input.needs), attempt)


# Snakemake heeds a resource only where there is a pool of it. Here it is the memory of the cards of
# this machine; of a cluster's, its scheduler takes care. Which executor there is, Snakemake tells
# only later; but a cluster's needs --jobs and no --cores (1 in a dry run), a local one --cores.
JOBS_ELSEWHERE = workflow.resource_settings.nodes is not None and (
    workflow.resource_settings.cores in (None, 1)
)
OF_A_CLUSTER = JOBS_ELSEWHERE or not workflow.is_main_process
CARDS = [] if OF_A_CLUSTER or STUDY.compute.device == "cpu" else visible_cards()
WHOLE_CARD_MB = max((card.room for card in CARDS), default=0)
if CARDS and "gpu_mem_mb" not in workflow.global_resources:
    workflow.register_resource("gpu_mem_mb", sum(card.room for card in CARDS))


def card_memory(**options):
    """MiB of a card's memory, as measured; on a cluster 0, a whole card: what it was given."""

    def wanted(wildcards, input, attempt):
        found = needed.read(input.needs)
        if not CARDS:
            return needed.gpu_mem_mb(found, attempt, **options)
        # Snakemake would cut down what is above its pool, and say nothing.
        largest = min(WHOLE_CARD_MB, workflow.global_resources["gpu_mem_mb"].value)
        least = needed.gpu_mem_mb(found, **options)
        if least > largest:
            raise WorkflowError(
                f"{input.needs} says that {least} MiB of a card's memory are needed, and {largest} "
                "can be had here. Set a smaller batch_size, measure on the card that is here (the same "
                "command with the target measure and --forcerun measure_one), or give more with "
                "--resources gpu_mem_mb if you limited it."
            )
        return min(needed.gpu_mem_mb(found, attempt, **options), largest)

    return 0 if STUDY.compute.device == "cpu" or OF_A_CLUSTER else wanted
