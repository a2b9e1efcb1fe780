# Raw radiographs → index and arrays, of the study's own dataset and of further ones.
ARRAYS_OF = {}

for DATASET, DATA in DATASETS.items():
    PREPARED = RESULTS / "data" / DATASET
    SUFFIX = f"_{DATASET}" if DATASET else ""
    OF = f" of {DATASET}" if DATASET else ""
    DATA_PATH = str(Path(DATA.path).expanduser()) if DATA.path else None
    # A folder that the user has is read in place; everything else is drawn or fetched first.
    RAW = DATA_PATH if DATA.in_place else f"{PREPARED}/raw"
    RAW_INPUT = {}

    if not DATA.in_place:
        GET_DATA = "draw_phantom" if DATA.source == "phantom" else "fetch"
        RAW_INPUT = {"raw": JOBS.made_by(GET_DATA, RAW, DATASET)}

        # What was downloaded stays in results/downloads, which no rule owns.
        rule:
            name:
                GET_DATA + SUFFIX
            output:
                raw=directory(RAW),
            log:
                RESULTS / "logs" / f"{GET_DATA}{SUFFIX}.log",
            localrule: True
            params:
                **JOBS.parameters(
                    GET_DATA,
                    dataset=DATASET,
                    archive=DATA_PATH,
                    downloads="results/downloads",
                    download=DATA.download,
                ),
            message:
                f"Getting the radiographs{OF}"
            shell:
                RUN_STAGE

    MADE = {
        "index": PREPARED / "index.csv",
        "problems": PREPARED / "problems.csv",
        "state": PREPARED / "dataset.txt",
        "images": PREPARED / "images.npy",
        "labels": PREPARED / "labels.npy",
    }

    rule:
        name:
            f"prepare{SUFFIX}"
        input:
            **RAW_INPUT,
        output:
            **MADE,
        log:
            RESULTS / "logs" / f"prepare{SUFFIX}.log",
        threads: 2
        resources:
            mem_mb=growing(4000),
            runtime=growing(60),
        params:
            **JOBS.parameters(
                "prepare",
                RAW_INPUT,
                dataset=DATASET,
                path=DATA.path,
                raw=RAW,
                setting=setting_of(DATASET),
                most_problems=DATA.most_problems,
            ),
        message:
            f"Reading and resizing the radiographs{OF}"
        shell:
            RUN_STAGE

    ARRAYS_OF[DATASET] = {
        name: JOBS.made_by("prepare", MADE[name], DATASET)
        for name in ("images", "labels", "index")
    }


ARRAYS = ARRAYS_OF[""]


def how_read():
    """What the study's `prepare` printed in the end, once it has finished: a line or a few."""
    log = Path(rules.prepare.log[0])
    if not (log.exists() and Path(rules.prepare.output.index).exists()):
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
    return "\n".join([f"\nThe radiographs ({log}):", *lines])
