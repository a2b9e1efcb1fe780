# The whole paper, from raw radiographs to every table and figure:
#   snakemake --cores all                         the paper's settings (config/paper.yaml)
#   snakemake --cores all --configfile config/demo.yaml    in minutes, on a digital phantom
#   snakemake --cores 1 table2                    one table, one figure: by its name
import atexit
import gc

from snakemake.utils import min_version

min_version("9.19")
# Looking through all that Snakemake has imported for garbage took a tenth of a start, and at its end a
# third of a dry run.
gc.set_threshold(50_000)
atexit.register(gc.freeze)


include: "workflow/rules/common.smk"


# Of jobs that Apptainer runs (--software-deployment-method apptainer); docs/container.md makes it.
container: os.environ.get("MASKEDTEETH_APPTAINER", "maskedteeth.sif")


include: "workflow/rules/data.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,
        rules.report.output,
        rules.audit.output,


onstart:
    if CARD:
        compute = STUDY.compute.model_dump_json(exclude={"checkpoint_minutes"})
        shell("python -P -m maskedteeth run card '{{\"compute\": {compute}}}' '{{}}' || true")


onsuccess:
    print(how_read())
    print(f"\nDone. Results: {RESULTS}\nDataset: {STUDY.data.name}")


onerror:
    print(how_read())
    print(
        "\nThe log of each failed job says why, in its last line. What is finished stays: the same "
        "command goes on from there once the cause is mended."
    )
