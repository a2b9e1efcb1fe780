# Finished weights → metrics a radiograph, and what the figures show.


rule evaluate:
    input:
        images=rules.prepare.output.images,
        masks=rules.prepare.output.masks,
        index=rules.index.output.index,
        split=rules.split.output.split,
        weights=rules.train.output.weights,
        needs=lambda w: needs_of("train", w.method),
    output:
        metrics=RUN / "metrics.csv",
        predictions=RUN / "predictions.npz",
        evaluation=RUN / "evaluation.json",
    log:
        RESULTS / "logs" / "evaluate-{method}-{fraction}-{seed}.log",
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=growing(HEAVY_MEM_MB),
        runtime=growing(HEAVY_MINUTES),
        gpu_mem_mb=card_memory(of="evaluation"),
    params:
        settings=lambda w: EvaluateJob.of(STUDY, w.method, w.fraction, w.seed).model_dump_json(),
        code=lambda w: code("evaluate", STUDY.model_of(w.method)),
    message:
        "Evaluating: {wildcards.method}, fraction {wildcards.fraction}, seed {wildcards.seed}"
    shell:
        "python -m maskedteeth evaluate --settings {params.settings:q} --images {input.images}"
        " --masks {input.masks} --index {input.index} --split {input.split}"
        " --weights {input.weights} --metrics {output.metrics}"
        " --predictions {output.predictions} --evaluation {output.evaluation}"
        " --gpu-mem-mb {resources.gpu_mem_mb} > {log} 2>&1"


rule lpips_weights:
    output:
        weights=RESULTS / "lpips.safetensors",
    log:
        RESULTS / "logs" / "lpips-weights.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(LIGHT_MEM_MB),
        runtime=growing(LIGHT_MINUTES),
    params:
        settings=LpipsJob.of(STUDY).model_dump_json(),
        code=code("lpips-weights"),
    message:
        "Getting AlexNet's weights for LPIPS"
    shell:
        "python -m maskedteeth lpips-weights --settings {params.settings:q} --weights {output.weights}"
        " > {log} 2>&1"


rule reconstruct:
    input:
        images=rules.prepare.output.images,
        index=rules.index.output.index,
        split=rules.split_pretext.output.split,
        weights=rules.pretrain.output.weights,
        lpips=rules.lpips_weights.output.weights,
        needs=lambda w: needs_of("pretrain", w.pretext),
    output:
        metrics=PRETEXT / "metrics.csv",
        fillers=PRETEXT / "fillers.csv",
        samples=PRETEXT / "samples.npz",
        evaluation=PRETEXT / "evaluation.json",
    log:
        RESULTS / "logs" / "reconstruct-{pretext}.log",
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=growing(HEAVY_MEM_MB),
        runtime=growing(HEAVY_MINUTES),
        # The metrics' own share, LPIPS' network above all, is not measured.
        gpu_mem_mb=card_memory(of="evaluation", factor=2),
    params:
        settings=lambda w: ReconstructJob.of(STUDY, w.pretext).model_dump_json(),
        code=lambda w: code("measure-pretext", STUDY.pretext[w.pretext].model),
    message:
        "Measuring the pretext: {wildcards.pretext}"
    shell:
        "python -m maskedteeth measure-pretext --settings {params.settings:q} --images {input.images}"
        " --index {input.index} --split {input.split} --weights {input.weights}"
        " --lpips {input.lpips} --metrics {output.metrics} --fillers {output.fillers}"
        " --samples {output.samples} --evaluation {output.evaluation}"
        " --gpu-mem-mb {resources.gpu_mem_mb} > {log} 2>&1"


rule describe:
    output:
        architecture=RESULTS / "architecture.json",
    log:
        RESULTS / "logs" / "describe.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(LIGHT_MEM_MB),
        runtime=growing(LIGHT_MINUTES),
    params:
        settings=DescribeJob.of(STUDY).model_dump_json(),
        code=code("describe", STUDY.model_of(STUDY.report.ours)),
    message:
        "Describing the network"
    shell:
        "python -m maskedteeth describe --settings {params.settings:q}"
        " --architecture {output.architecture} > {log} 2>&1"
