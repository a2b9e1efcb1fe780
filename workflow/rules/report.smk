# Finished files → tables and figures; each alone by its name: snakemake table2
# A new one is a file in maskedteeth/report/tables or /figures, and a line here.
PUBLISHED = {file.stem: str(file) for file in sorted(CONFIG.glob("published/*.csv"))}
METHODS = list(STUDY.methods)
PRETEXTS = list(STUDY.pretext)
OURS = [STUDY.report.ours]
# The pretext of the figures: that of `report.ours`, or else the first one there is.
PRETEXT_SHOWN = [*JOBS.initialisation(*OURS), *PRETEXTS][:1]
EVALUATED = of_groups(METHODS, "metrics.csv")
CORRECTIONS = JOBS.of_groups("corrections.csv", STUDY.noisy)
OUR_RUN = ARRAYS | {
    name: JOBS.of_groups(f"{name}.{kind}", ["shown-ours"])
    for name, kind in (("metrics", "csv"), ("predictions", "npz"))
}
SHOWN_RUNS = [group for group in JOBS.groups if group.startswith("shown-")]
OF_PRETEXTS = [
    *JOBS.of_pretexts("run.json", PRETEXTS),
    *JOBS.of_pretexts("evaluation.json", PRETEXTS),
]
RECORDS = list(dict.fromkeys([*OF_PRETEXTS, *EVALUATED["runs"]]))

TABLES = {
    "table1": EVALUATED | {"published": PUBLISHED["table1"]},
    "table2": EVALUATED | {"published": PUBLISHED["table2"]},
    "table3": of_groups(OURS, "metrics.csv") | {"published": PUBLISHED["table3"]},
    "statistics": EVALUATED,
    "boundary": EVALUATED,
    "claims": {
        "metrics": EVALUATED["metrics"],
        "corrections": CORRECTIONS,
        "pretexts": JOBS.of_pretexts("metrics.csv", PRETEXTS),
        "runs": RECORDS,
        **{name: PUBLISHED[name] for name in ("table2", "table3")},
    },
    "cost": {"runs": RECORDS},
}
FIGURES = {
    "figure1": {"architecture": JOBS.made_by("describe", rules.describe.output.architecture)},
    "figure4": OUR_RUN,
    "figure5": OUR_RUN,
    "figure8": ARRAYS | of_groups(SHOWN_RUNS, "metrics.csv", "predictions.npz"),
    "figure9": OUR_RUN,
    "dice_by_fraction": EVALUATED | {"published": PUBLISHED["table2"]},
    "differences": EVALUATED,
    "training_curves": {
        name: JOBS.of_runs(file, JOBS.runs) + JOBS.of_pretexts(file, PRETEXTS)
        for name, file in (("history", "history.csv"), ("runs", "run.json"))
    },
    "contact_sheet": ARRAYS | {"problems": rules.prepare.output.problems},
}
if PRETEXTS:  # a study without a pretext has none of these
    MEASURED = {name: JOBS.of_pretexts(f"{name}.csv", PRETEXTS) for name in ("metrics", "fillers")}
    TABLES["table_pretext"] = MEASURED | {"runs": OF_PRETEXTS, "published": PUBLISHED["pretext"]}
    (SAMPLES,) = JOBS.of_pretexts("samples.npz", PRETEXT_SHOWN)
    (PREVIEWS,) = JOBS.of_pretexts("previews.npz", PRETEXT_SHOWN)
    FIGURES |= {name: {"samples": SAMPLES} for name in ("figure2", "figure3", "figure7")}
    FIGURES["figure6"] = {"previews": PREVIEWS}
if STUDY.task == "numbering":
    TABLES |= dict.fromkeys(["numbering", "confusions"], of_groups(METHODS, "numbering.csv"))
    FIGURES |= {"numbered_teeth": OUR_RUN, "dental_chart": of_groups(OURS, "numbering.csv")}
if STUDY.evaluation.also_on:
    METRICS, RECORDS_THERE = (
        [p for name in STUDY.evaluation.also_on for p in JOBS.of_elsewhere(file, name, METHODS)]
        for file in ("metrics.csv", "evaluation.json")
    )
    TABLES["elsewhere"] = {
        "metrics": EVALUATED["metrics"],
        "elsewhere": METRICS,
        "runs": EVALUATED["runs"] + RECORDS_THERE,
    }
if any(method.source for method in STUDY.methods.values()):
    TABLES["related"] = EVALUATED | {
        "instances": JOBS.of_groups("instances.csv", DETECTORS),
        "published": PUBLISHED["related"],
    }
if STUDY.noisy:
    TABLES["robustness"] = EVALUATED | {"corrections": CORRECTIONS}
    FIGURES["dice_by_errors"] = TABLES["robustness"]


# Kind → what there is of it, and the files of each; the last is also shown by snakemake --report.
PRODUCTS = {
    "table": (TABLES, ["md", "tex", "html", "csv"]),
    "figure": (FIGURES, ["pdf", "txt", "png"]),
}


rule tables:
    input:
        expand(RESULTS / "tables" / "{name}.{kind}", name=TABLES, kind=PRODUCTS["table"][1]),


rule figures:
    input:
        expand(RESULTS / "figures" / "{name}.{kind}", name=FIGURES, kind=PRODUCTS["figure"][1]),


for KIND, (INPUTS, FILES) in PRODUCTS.items():
    for NAME in INPUTS:

        rule:
            name:
                NAME
            input:
                **INPUTS[NAME],
            output:
                **{file: RESULTS / f"{KIND}s" / f"{NAME}.{file}" for file in FILES[:-1]},
                **{FILES[-1]: shown(NAME, KIND, RESULTS / f"{KIND}s" / f"{NAME}.{FILES[-1]}")},
            log:
                RESULTS / "logs" / f"{NAME}.log",
            localrule: True
            params:
                **JOBS.parameters(NAME, INPUTS[NAME]),
            message:
                f"Making {NAME}"
            shell:
                RUN_STAGE


OF_PAPER = {name: file for name, file in PUBLISHED.items() if name != "related"}


# The paper's printed numbers, held against each other: of no study, made once.
rule audit:
    input:
        **OF_PAPER,
    output:
        **{kind: f"results/audit/audit.{kind}" for kind in ("csv", "md", "tex", "html")},
    log:
        "results/audit/audit.log",
    localrule: True
    params:
        **JOBS.parameters("audit", OF_PAPER),
    message:
        "Auditing the paper's printed numbers"
    shell:
        RUN_STAGE


PAGE_FILES = os.path.relpath(PACKAGE / "maskedteeth" / "report" / "page")
PAGE = {
    "tables": expand(RESULTS / "tables" / "{name}.{kind}", name=TABLES, kind=["html", "csv"]),
    "figures": expand(RESULTS / "figures" / "{name}.{kind}", name=FIGURES, kind=["png", "txt"]),
    "runs": RECORDS,
    "index": ARRAYS["index"],
    "problems": rules.prepare.output.problems,
    "template": f"{PAGE_FILES}/template.html.jinja",
    "style": f"{PAGE_FILES}/style.css",
}


rule report:
    input:
        **PAGE,
    output:
        html=shown("report", "report", RESULTS / "report.html"),
    log:
        RESULTS / "logs" / "report.log",
    localrule: True
    params:
        **JOBS.parameters("report", PAGE),
    message:
        "Writing the report"
    shell:
        RUN_STAGE
