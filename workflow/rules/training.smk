# One pretraining a pretext, one training a method, fraction and seed; then both are measured.
STATES = {"checkpoint_minutes": STUDY.compute.checkpoint_minutes}
PIXELS = {name: ARRAYS[name] for name in ("images", "index")}
TO_PRETRAIN = PIXELS | {
    "encoder": lambda w: JOBS.of_encoder(STUDY.pretext[w.pretext].model),
    "further": lambda w: [ARRAYS_OF[name]["images"] for name in STUDY.pretext[w.pretext].also_on],
}
TO_TRAIN = ARRAYS | {
    "pretext": lambda w: JOBS.initial_weights(w.method),
    "instead_of": lambda w: JOBS.of_skipped_pretext(w.method),
    # A pretext's weights are also of its encoder.
    "encoder": lambda w: (
        [] if JOBS.initialisation(w.method) else JOBS.of_encoder(STUDY.model_of(w.method))
    ),
}
TO_EVALUATE = ARRAYS | {
    "weights": lambda w: JOBS.of_runs("weights.safetensors", JOBS.groups[w.group])
}
TO_MEASURE = PIXELS | {
    "weights": lambda w: JOBS.of_pretexts("weights.safetensors", [w.pretext])[0],
    "lpips": JOBS.made_by("lpips_weights", RESULTS / "lpips.safetensors"),
}


# It builds every network once and is started first, so that a mistake in one is told early. It stops
# nothing: figure1 and the report need it, and profiles/default goes on with the others.
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


# The one rule of networks that needs the internet, which computers of a cluster may not have.
rule encoder_weights:
    output:
        weights=JOBS.encoder,
    log:
        RESULTS / "logs" / "encoder_weights-{encoder}.log",
    priority: 100
    localrule: True
    params:
        **JOBS.parameters("encoder_weights"),
    message:
        "Getting an encoder's weights: {wildcards.encoder}"
    shell:
        RUN_STAGE


rule pretrain:
    input:
        **TO_PRETRAIN,
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
        **NETWORK,
    params:
        **JOBS.parameters("pretrain", TO_PRETRAIN, **STATES),
    message:
        "Pretraining: {wildcards.pretext}"
    shell:
        RUN_STAGE


rule train:
    input:
        **TO_TRAIN,
    output:
        weights=JOBS.run / "weights.safetensors",
        history=JOBS.run / "history.csv",
        run=JOBS.run / "run.json",
    log:
        RESULTS / "logs" / "train-{method}-{fraction}-{seed}.log",
    threads: STUDY.compute.threads
    resources:
        **NETWORK,
    params:
        **JOBS.parameters("train", TO_TRAIN, **STATES),
    message:
        "Training: {wildcards.method}, fraction {wildcards.fraction}, seed {wildcards.seed}"
    shell:
        RUN_STAGE


# Of these teeth are found one by one.
DETECTORS = [name for name in STUDY.methods if STUDY.model_of(name).finds_instances]
MORE = {
    "numbering": STUDY.task == "numbering",
    "corrections": STUDY.noisy,
    "instances": DETECTORS,
}


# Row n of the predictions belongs to row n of the metrics, which names its run and radiograph.
rule evaluate:
    input:
        **TO_EVALUATE,
    output:
        **{name: JOBS.evaluation / f"{name}.csv" for name, wanted in MORE.items() if wanted},
        metrics=JOBS.evaluation / "metrics.csv",
        predictions=JOBS.evaluation / "predictions.npz",
        evaluation=JOBS.evaluation / "evaluation.json",
    log:
        RESULTS / "logs" / "evaluate-{group}.log",
    threads: STUDY.compute.threads
    resources:
        **NETWORK,
    params:
        **JOBS.parameters("evaluate", TO_EVALUATE),
    message:
        "Evaluating: {wildcards.group}"
    shell:
        RUN_STAGE


# Further radiographs that pretexts are trained on: none of them may be measured as unseen.
FURTHER = sorted({name for pretext in STUDY.pretext.values() for name in pretext.also_on})
TO_EVALUATE_ELSEWHERE = {
    "images": lambda w: ARRAYS_OF[w.elsewhere]["images"],
    "labels": lambda w: ARRAYS_OF[w.elsewhere]["labels"],
    "index": lambda w: ARRAYS_OF[w.elsewhere]["index"],
    **{f"home_{name}": path for name, path in PIXELS.items()},
    "further": [ARRAYS_OF[name]["images"] for name in FURTHER],
    "weights": TO_EVALUATE["weights"],
}


rule evaluate_elsewhere:
    input:
        **TO_EVALUATE_ELSEWHERE,
    output:
        **({"numbering": JOBS.elsewhere / "numbering.csv"} if MORE["numbering"] else {}),
        metrics=JOBS.elsewhere / "metrics.csv",
        evaluation=JOBS.elsewhere / "evaluation.json",
    log:
        RESULTS / "logs" / "evaluate_elsewhere-{elsewhere}-{group}.log",
    threads: STUDY.compute.threads
    resources:
        **NETWORK,
    params:
        **JOBS.parameters("evaluate_elsewhere", TO_EVALUATE_ELSEWHERE),
    message:
        "Evaluating on {wildcards.elsewhere}: {wildcards.group}"
    shell:
        RUN_STAGE


rule lpips_weights:
    output:
        weights=TO_MEASURE["lpips"],
    log:
        RESULTS / "logs" / "lpips_weights.log",
    localrule: True
    params:
        **JOBS.parameters("lpips_weights", lpips_weights=STUDY.evaluation.lpips_weights),
    message:
        "Getting AlexNet's weights for LPIPS"
    shell:
        RUN_STAGE


rule measure_pretext:
    input:
        **TO_MEASURE,
    output:
        metrics=JOBS.pretext / "metrics.csv",
        fillers=JOBS.pretext / "fillers.csv",
        samples=JOBS.pretext / "samples.npz",
        evaluation=JOBS.pretext / "evaluation.json",
    log:
        RESULTS / "logs" / "measure_pretext-{pretext}.log",
    threads: STUDY.compute.threads
    resources:
        **NETWORK,
    params:
        **JOBS.parameters("measure_pretext", TO_MEASURE),
    message:
        "Measuring the pretext: {wildcards.pretext}"
    shell:
        RUN_STAGE
