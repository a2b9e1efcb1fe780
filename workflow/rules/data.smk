# Raw radiographs → index → arrays and splits.


if STUDY.data.source == "phantom":

    rule draw_phantom:
        output:
            raw=directory(RAW),
        log:
            RESULTS / "logs" / "phantom.log",
        conda:
            ENVIRONMENT
        resources:
            mem_mb=growing(LIGHT_MEM_MB),
            runtime=growing(LIGHT_MINUTES),
        params:
            settings=PhantomJob.of(STUDY).model_dump_json(),
            code=code("phantom"),
        message:
            "Drawing a digital phantom"
        shell:
            "python -m maskedteeth phantom --settings {params.settings:q} --raw {output.raw} > {log} 2>&1"

elif not IN_PLACE:

    # What was downloaded in part stays in `downloads`, which no rule owns, and is gone on with.
    rule fetch:
        input:
            zip=[DATA_PATH] if DATA_PATH else [],
        output:
            raw=directory(RAW),
        log:
            RESULTS / "logs" / "fetch.log",
        localrule: True
        conda:
            ENVIRONMENT
        resources:
            mem_mb=growing(LIGHT_MEM_MB),
            runtime=growing(LIGHT_MINUTES),
        params:
            settings=FetchJob.of(STUDY).model_dump_json(),
            code=code("fetch"),
            downloads=Path("results") / "downloads",
        message:
            f"Getting the radiographs: {STUDY.data.name}"
        shell:
            "python -m maskedteeth fetch --settings {params.settings:q} --raw {output.raw}"
            " --downloads {params.downloads} 2>&1 | tee {log}"


rule index:
    input:
        raw=ancient(RAW) if IN_PLACE else RAW,
        radiographs=files_of_the_user,
    output:
        index=RESULTS / "data" / "index.csv",
        problems=RESULTS / "data" / "problems.csv",
    log:
        RESULTS / "logs" / "index.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(LIGHT_MEM_MB),
        runtime=growing(LIGHT_MINUTES),
    params:
        settings=IndexJob.of(STUDY).model_dump_json(),
        code=code("index"),
    message:
        "Listing the radiographs in {input.raw}"
    shell:
        "python -m maskedteeth index --settings {params.settings:q} --raw {input.raw:q}"
        " --index {output.index} --problems {output.problems} 2>&1 | tee {log}"


rule prepare:
    input:
        raw=ancient(RAW) if IN_PLACE else RAW,
        index=rules.index.output.index,
    output:
        images=RESULTS / "data" / "images.npy",
        masks=RESULTS / "data" / "masks.npy",
    log:
        RESULTS / "logs" / "prepare.log",
    benchmark:
        RESULTS / "benchmarks" / "prepare.tsv"
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=growing(LIGHT_MEM_MB),
        runtime=growing(LIGHT_MINUTES),
    params:
        settings=PrepareJob.of(STUDY).model_dump_json(),
        code=code("prepare"),
        shared=SHARED,
    message:
        "Decoding and resizing the radiographs"
    shell:
        "python -m maskedteeth prepare --settings {params.settings:q} --raw {input.raw:q}"
        " --index {input.index} --images {output.images} --masks {output.masks}"
        " --threads {threads} --shared {params.shared} > {log} 2>&1"


# It depends on the dataset and the test set alone: a further fraction leaves it as it is. What was
# trained stays when the guard is made again (`ancient` in training.smk). So it has no fingerprint of
# its code: while Snakemake makes it again, it forgets, behind `ancient`, other reasons to train. A
# training refuses one that other code made.
rule guard:
    input:
        index=rules.index.output.index,
        images=rules.prepare.output.images,
    output:
        guard=RESULTS / "data" / "guard.json",
    log:
        RESULTS / "logs" / "guard.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(LIGHT_MEM_MB),
        runtime=growing(LIGHT_MINUTES),
    params:
        settings=GuardJob.of(STUDY).model_dump_json(),
    message:
        "Looking for test radiographs among those that train"
    shell:
        "python -m maskedteeth guard --settings {params.settings:q} --index {input.index}"
        " --images {input.images} --guard {output.guard} > {log} 2>&1"


# Local, as a second of work is no job for a cluster's queue.
rule split:
    input:
        index=rules.index.output.index,
    output:
        split=RESULTS / "data" / "splits" / "fraction-{fraction}" / "seed-{seed}.json",
    log:
        RESULTS / "logs" / "split-{fraction}-{seed}.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(LIGHT_MEM_MB),
        runtime=growing(LIGHT_MINUTES),
    params:
        settings=lambda w: SplitJob.of(STUDY, w.fraction, w.seed).model_dump_json(),
        code=code("split"),
    message:
        "Drawing the training subset: fraction {wildcards.fraction}, seed {wildcards.seed}"
    shell:
        "python -m maskedteeth split --settings {params.settings:q} --index {input.index}"
        " --split {output.split} > {log} 2>&1"


rule split_pretext:
    input:
        index=rules.index.output.index,
    output:
        split=RESULTS / "data" / "splits" / "pretext.json",
    log:
        RESULTS / "logs" / "split-pretext.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(LIGHT_MEM_MB),
        runtime=growing(LIGHT_MINUTES),
    params:
        settings=SplitPretextJob.of(STUDY).model_dump_json(),
        code=code("split-pretext"),
    message:
        "Drawing the radiographs of the pretext"
    shell:
        "python -m maskedteeth split-pretext --settings {params.settings:q} --index {input.index}"
        " --split {output.split} > {log} 2>&1"
