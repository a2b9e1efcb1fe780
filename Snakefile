# The whole paper, from raw radiographs to every table and figure:
#   snakemake --cores all                         the paper's settings (config/paper.yaml)
#   snakemake --cores all --configfile config/demo.yaml    in minutes, on a digital phantom
#   snakemake --cores 1 table2                    one table, one figure: by its name
import gc

from snakemake.utils import min_version

min_version("9.19")
# Looking through all that Snakemake has imported for garbage again and again took a tenth of a start.
gc.set_threshold(50_000)


configfile: "config/paper.yaml"


include: "workflow/rules/common.smk"


container: IMAGE  # none, unless jobs are deployed with Apptainer


include: "workflow/rules/resources.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,
        rules.report.output,
        of_runs("run.json"),
        of_pretexts("run.json"),


onstart:
    look_when_a_job_ends(workflow)
    follow(workflow, RESULTS)


onsuccess:
    unfollow()
    refuse_a_gap()
    print(finished_message())


onerror:
    unfollow()
    print(failed_message(log))
