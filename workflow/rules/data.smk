# Raw radiographs → index and arrays.
DATA_PATH = str(Path(STUDY.data.path).expanduser()) if STUDY.data.path else None
# A folder that the user has is read in place; everything else is drawn or fetched first.
RAW = DATA_PATH if STUDY.data.in_place else f"{RESULTS}/data/raw"
RAW_INPUT = {} if STUDY.data.in_place else {"raw": RAW}
RAW_IN_PLACE = {"raw": RAW} if STUDY.data.in_place else {}

if JOBS.get_data == "draw_phantom":

    rule draw_phantom:
        output:
            raw=directory(RAW),
        log:
            RESULTS / "logs" / "draw_phantom.log",
        params:
            **JOBS.parameters("draw_phantom"),
        message:
            "Drawing a digital phantom"
        shell:
            RUN_STAGE

elif JOBS.get_data == "fetch":

    # What was downloaded stays in results/downloads, which no rule owns.
    rule fetch:
        output:
            raw=directory(RAW),
        log:
            RESULTS / "logs" / "fetch.log",
        localrule: True
        params:
            **JOBS.parameters("fetch", archive=DATA_PATH, downloads="results/downloads"),
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
        **JOBS.parameters("prepare", path=STUDY.data.path, **RAW_IN_PLACE),
    message:
        "Reading and resizing the radiographs"
    shell:
        RUN_STAGE


ARRAYS = {
    "images": JOBS.made_by("prepare", rules.prepare.output.images),
    "labels": JOBS.made_by("prepare", rules.prepare.output.labels),
    "index": JOBS.made_by("prepare", rules.prepare.output.index),
}
