# Finished files → tables and figures; each alone by its name: snakemake table2
# A new one is a file in maskedteeth/report/tables or /figures, and a line here.
PUBLISHED = {file.stem: str(file) for file in sorted(CONFIG.glob("published/*.csv"))}
OF_PAPER = {name: file for name, file in PUBLISHED.items() if name != "related"}
METHODS = list(STUDY.methods)
PRETEXTS = list(STUDY.pretext)
OURS = [STUDY.report.ours]
# The pretext of the figures: that of `report.ours`, or else the first one there is.
PRETEXT_SHOWN = [*JOBS.initialisation(*OURS), *PRETEXTS][:1]
EVALUATED = of_groups(METHODS, "metrics.csv")
NUMBERED = of_groups(METHODS, "numbering.csv") if STUDY.task == "numbering" else {}
CORRECTIONS = JOBS.of_groups("corrections.csv", STUDY.noisy)
DATASET_SHOWN = {"dataset": list(ARRAYS.values())}
OUR_RUN = DATASET_SHOWN | {
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
    "figure8": DATASET_SHOWN | of_groups(SHOWN_RUNS, "metrics.csv", "predictions.npz"),
    "figure9": OUR_RUN,
    "dice_by_fraction": EVALUATED | {"published": PUBLISHED["table2"]},
    "differences": EVALUATED,
    "training_curves": {
        name: JOBS.of_runs(file, JOBS.runs) + JOBS.of_pretexts(file, PRETEXTS)
        for name, file in (("history", "history.csv"), ("runs", "run.json"))
    },
    "contact_sheet": DATASET_SHOWN | {"problems": rules.prepare.output.problems},
}
if PRETEXTS:  # a study without a pretext has none of these
    MEASURED = {name: JOBS.of_pretexts(f"{name}.csv", PRETEXTS) for name in ("metrics", "fillers")}
    TABLES["table_pretext"] = MEASURED | {"runs": OF_PRETEXTS, "published": PUBLISHED["pretext"]}
    (SAMPLES,) = JOBS.of_pretexts("samples.npz", PRETEXT_SHOWN)
    (PREVIEWS,) = JOBS.of_pretexts("previews.npz", PRETEXT_SHOWN)
    FIGURES |= {name: {"samples": SAMPLES} for name in ("figure2", "figure3", "figure7")}
    FIGURES["figure6"] = {"previews": PREVIEWS}
if NUMBERED:
    TABLES |= dict.fromkeys(["numbering", "confusions"], NUMBERED)
    FIGURES |= {"numbered_teeth": OUR_RUN, "dental_chart": of_groups(OURS, "numbering.csv")}
if STUDY.evaluation.also_on:
    METRICS, NUMBERING, RECORDS_THERE = (
        [p for name in STUDY.evaluation.also_on for p in JOBS.of_elsewhere(file, name, METHODS)]
        for file in ("metrics.csv", "numbering.csv", "evaluation.json")
    )
    TABLES["elsewhere"] = {
        **EVALUATED,
        **NUMBERED,
        "elsewhere": METRICS,
        **({"numbering_elsewhere": NUMBERING} if NUMBERED else {}),
        "runs": EVALUATED["runs"] + RECORDS_THERE,
    }
if any(method.source for method in STUDY.methods.values()):
    TABLES["related"] = EVALUATED | {
        "instances": JOBS.of_groups("instances.csv", DETECTORS),
        "published": PUBLISHED["related"],
    }
if STUDY.noisy:
    TABLES["robustness"] = EVALUATED | NUMBERED | {"corrections": CORRECTIONS}
    FIGURES["dice_by_errors"] = TABLES["robustness"]


PAGE_FILES = os.path.relpath(PACKAGE / "maskedteeth" / "report" / "page")
TABLE_FILES, FIGURE_FILES = ["md", "tex", "html", "csv"], ["pdf", "txt", "png"]
ALL_TABLES = expand(RESULTS / "tables" / "{name}.{kind}", name=TABLES, kind=TABLE_FILES)
ALL_FIGURES = expand(RESULTS / "figures" / "{name}.{kind}", name=FIGURES, kind=FIGURE_FILES)
REPORT = {
    "tables": [file for file in ALL_TABLES if file.endswith((".html", ".csv"))],
    "figures": [file for file in ALL_FIGURES if not file.endswith(".pdf")],
    "runs": RECORDS,
    "index": ARRAYS["index"],
    "problems": rules.prepare.output.problems,
    "template": f"{PAGE_FILES}/template.html.jinja",
    "style": f"{PAGE_FILES}/style.css",
}
# Name, inputs, folder and kinds of files of all that is made of finished files. The last kind is also
# shown by snakemake --report. The audit is of the paper's printed numbers: of no study, made once.
PRODUCTS = [
    *((name, inputs, RESULTS / "tables", TABLE_FILES) for name, inputs in TABLES.items()),
    *((name, inputs, RESULTS / "figures", FIGURE_FILES) for name, inputs in FIGURES.items()),
    ("report", REPORT, RESULTS, ["html"]),
    ("audit", OF_PAPER, Path("results/audit"), TABLE_FILES),
]


rule tables:
    input:
        ALL_TABLES,


rule figures:
    input:
        ALL_FIGURES,


for NAME, INPUTS, FOLDER, KINDS in PRODUCTS:

    rule:
        name:
            NAME
        input:
            **INPUTS,
        output:
            **{kind: FOLDER / f"{NAME}.{kind}" for kind in KINDS[:-1]},
            **{KINDS[-1]: shown(FOLDER / f"{NAME}.{KINDS[-1]}")},
        log:
            RESULTS / "logs" / f"{NAME}.log",
        localrule: True
        params:
            **JOBS.parameters(NAME, INPUTS),
        message:
            f"Making {NAME}"
        shell:
            RUN_STAGE
