# Raw radiographs → index and arrays.
DATA_PATH = str(Path(STUDY.data.path).expanduser()) if STUDY.data.path else None
# A folder that the user has is read in place; everything else is drawn or fetched first.
RAW = DATA_PATH if STUDY.data.in_place else f"{RESULTS}/data/raw"
RAW_INPUT = {}

if not STUDY.data.in_place:
    GET_DATA = "draw_phantom" if STUDY.data.source == "phantom" else "fetch"
    RAW_INPUT = {"raw": JOBS.made_by(GET_DATA, RAW)}

    # What was downloaded stays in results/downloads, which no rule owns.
    rule:
        name:
            GET_DATA
        output:
            raw=directory(RAW),
        log:
            RESULTS / "logs" / f"{GET_DATA}.log",
        localrule: True
        params:
            **JOBS.parameters(GET_DATA, archive=DATA_PATH, downloads="results/downloads"),
        message:
            "Getting the radiographs"
        shell:
            RUN_STAGE


rule prepare:
    input:
        **RAW_INPUT,
    output:
        index=RESULTS / "data" / "index.csv",
        problems=RESULTS / "data" / "problems.csv",
        state=STATE,
        images=RESULTS / "data" / "images.npy",
        labels=RESULTS / "data" / "labels.npy",
    log:
        RESULTS / "logs" / "prepare.log",
    threads: 2
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        **JOBS.parameters("prepare", RAW_INPUT, path=STUDY.data.path, raw=RAW),
    message:
        "Reading and resizing the radiographs"
    shell:
        RUN_STAGE


ARRAYS = {
    "images": JOBS.made_by("prepare", rules.prepare.output.images),
    "labels": JOBS.made_by("prepare", rules.prepare.output.labels),
    "index": JOBS.made_by("prepare", rules.prepare.output.index),
}
