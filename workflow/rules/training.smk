# One pretraining a pretext, one training a method, fraction and seed.


# What each training needs. Measured again, it retrains nothing (`ancient`, which marks the very file
# that it is given: hence of the text, or `ancient` it would be in every rule).
rule measure:
    input:
        expand(NEEDS / "{needs}.json", needs=TO_MEASURE),


rule measure_one:
    input:
        index=ancient(str(rules.index.output.index)),
    output:
        needs=NEEDS / "{needs}.json",
    log:
        RESULTS / "logs" / "measure-{needs}.log",
    wildcard_constraints:
        needs="|".join(TO_MEASURE),
    priority: 20
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=growing(HEAVY_MEM_MB),
        runtime=growing(HEAVY_MINUTES),
        gpu_mem_mb=WHOLE_CARD_MB,
    params:
        settings=lambda w: MeasureJob.of(STUDY, *TO_MEASURE[w.needs]).model_dump_json(),
    message:
        "Measuring memory and time: {wildcards.needs}"
    shell:
        "python -m maskedteeth measure --settings {params.settings:q} --index {input.index}"
        " --needs {output.needs} > {log} 2>&1"


rule pretrain:
    input:
        images=rules.prepare.output.images,
        index=rules.index.output.index,
        split=rules.split_pretext.output.split,
        guard=lambda w: unless_changed(str(rules.guard.output.guard)),
        needs=lambda w: needs_of("pretrain", w.pretext),
    output:
        weights=PRETEXT / "weights.safetensors",
        history=PRETEXT / "history.csv",
        previews=PRETEXT / "previews.npz",
        run=PRETEXT / "run.json",
    log:
        RESULTS / "logs" / "pretrain-{pretext}.log",
    benchmark:
        RESULTS / "benchmarks" / "pretrain-{pretext}.tsv"
    priority: 10
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=as_measured(needed.mem_mb),
        runtime=as_measured(needed.runtime),
        gpu_mem_mb=card_memory(),
        checkpoint_minutes=CHECKPOINT_MINUTES,
    params:
        settings=lambda w: PretrainJob.of(STUDY, w.pretext).model_dump_json(),
        code=lambda w: code("pretrain", STUDY.pretext[w.pretext].model),
        shared=SHARED,
    message:
        "Pretraining: {wildcards.pretext}"
    shell:
        "python -m maskedteeth pretrain --settings {params.settings:q} --images {input.images}"
        " --index {input.index} --split {input.split} --weights {output.weights}"
        " --history {output.history} --previews {output.previews} --run {output.run}"
        " --guard {input.guard} --checkpoint-minutes {resources.checkpoint_minutes}"
        " --gpu-mem-mb {resources.gpu_mem_mb} --shared {params.shared} > {log} 2>&1"


rule train:
    input:
        images=rules.prepare.output.images,
        masks=rules.prepare.output.masks,
        index=rules.index.output.index,
        split=rules.split.output.split,
        guard=lambda w: unless_changed(str(rules.guard.output.guard)),
        needs=lambda w: needs_of("train", w.method),
        pretext=initial_weights,
    output:
        weights=RUN / "weights.safetensors",
        history=RUN / "history.csv",
        run=RUN / "run.json",
    log:
        RESULTS / "logs" / "train-{method}-{fraction}-{seed}.log",
    benchmark:
        RESULTS / "benchmarks" / "train-{method}-{fraction}-{seed}.tsv"
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=as_measured(needed.mem_mb),
        runtime=as_measured(needed.runtime),
        gpu_mem_mb=card_memory(),
        checkpoint_minutes=CHECKPOINT_MINUTES,
    params:
        settings=lambda w: TrainJob.of(STUDY, w.method, w.fraction, w.seed).model_dump_json(),
        code=lambda w: code("train", STUDY.model_of(w.method)),
        pretext=lambda w, input: f"--pretext {input.pretext}" if input.pretext else "",
    message:
        "Training: {wildcards.method}, fraction {wildcards.fraction}, seed {wildcards.seed}"
    shell:
        "python -m maskedteeth train --settings {params.settings:q} --images {input.images}"
        " --masks {input.masks} --index {input.index} --split {input.split} {params.pretext}"
        " --weights {output.weights} --history {output.history} --run {output.run}"
        " --guard {input.guard} --checkpoint-minutes {resources.checkpoint_minutes}"
        " --gpu-mem-mb {resources.gpu_mem_mb} > {log} 2>&1"
