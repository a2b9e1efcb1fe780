# One pretraining a pretext, one training a method, fraction and seed; then both are measured.


# It builds every network once, so that in a whole study a mistake in one is told in seconds.
rule describe:
    output:
        architecture=RESULTS / "architecture.json",
    log:
        RESULTS / "logs" / "describe.log",
    priority: 100
    localrule: True
    params:
        **JOBS.parameters("describe"),
    message:
        "Describing the networks"
    shell:
        RUN_STAGE


rule pretrain:
    input:
        images=ARRAYS["images"],
        index=ARRAYS["index"],
    output:
        weights=JOBS.pretext / "weights.safetensors",
        history=JOBS.pretext / "history.csv",
        previews=JOBS.pretext / "previews.npz",
        run=JOBS.pretext / "run.json",
    log:
        RESULTS / "logs" / "pretrain-{pretext}.log",
    priority: 10
    threads: STUDY.compute.threads
    resources:
        gpu=CARD,
        mem_mb=growing(8000),
        runtime=growing(240),
    params:
        **JOBS.parameters("pretrain", checkpoint_minutes=STUDY.compute.checkpoint_minutes),
    message:
        "Pretraining: {wildcards.pretext}"
    shell:
        RUN_STAGE


rule train:
    input:
        **ARRAYS,
        pretext=lambda w: JOBS.initial_weights(w.method),
    output:
        weights=JOBS.run / "weights.safetensors",
        history=JOBS.run / "history.csv",
        run=JOBS.run / "run.json",
    log:
        RESULTS / "logs" / "train-{method}-{fraction}-{seed}.log",
    threads: STUDY.compute.threads
    resources:
        gpu=CARD,
        mem_mb=growing(8000),
        runtime=growing(240),
    params:
        **JOBS.parameters("train", checkpoint_minutes=STUDY.compute.checkpoint_minutes),
    message:
        "Training: {wildcards.method}, fraction {wildcards.fraction}, seed {wildcards.seed}"
    shell:
        RUN_STAGE


# Row n of the predictions belongs to row n of the metrics, which names its run and radiograph.
rule evaluate:
    input:
        **ARRAYS,
        weights=lambda w: JOBS.of_runs("weights.safetensors", JOBS.groups[w.group]),
    output:
        metrics=JOBS.evaluation / "metrics.csv",
        predictions=JOBS.evaluation / "predictions.npz",
        evaluation=JOBS.evaluation / "evaluation.json",
    log:
        RESULTS / "logs" / "evaluate-{group}.log",
    threads: STUDY.compute.threads
    resources:
        gpu=CARD,
        mem_mb=growing(8000),
        runtime=growing(120),
    params:
        **JOBS.parameters("evaluate"),
    message:
        "Evaluating: {wildcards.group}"
    shell:
        RUN_STAGE


rule lpips_weights:
    output:
        weights=RESULTS / "lpips.safetensors",
    log:
        RESULTS / "logs" / "lpips_weights.log",
    localrule: True
    params:
        **JOBS.parameters("lpips_weights"),
    message:
        "Getting AlexNet's weights for LPIPS"
    shell:
        RUN_STAGE


rule measure_pretext:
    input:
        images=ARRAYS["images"],
        index=ARRAYS["index"],
        weights=rules.pretrain.output.weights,
        lpips=rules.lpips_weights.output.weights,
    output:
        metrics=JOBS.pretext / "metrics.csv",
        fillers=JOBS.pretext / "fillers.csv",
        samples=JOBS.pretext / "samples.npz",
        evaluation=JOBS.pretext / "evaluation.json",
    log:
        RESULTS / "logs" / "measure_pretext-{pretext}.log",
    threads: STUDY.compute.threads
    resources:
        gpu=CARD,
        mem_mb=growing(8000),
        runtime=growing(120),
    params:
        **JOBS.parameters("measure_pretext"),
    message:
        "Measuring the pretext: {wildcards.pretext}"
    shell:
        RUN_STAGE
