# Finished files → tables and figures; each alone by its name: snakemake table2
# A new one is a file in maskedteeth/report/tables or /figures, and a line here.
PUBLISHED = {file.stem: str(file) for file in sorted(CONFIG.glob("published/*.csv"))}
METHODS = list(STUDY.methods)
PRETEXTS = list(STUDY.pretext)
OURS = [STUDY.report.ours]
# The pretext of the figures: that of `report.ours`, or else the first one there is.
PRETEXT_SHOWN = [*JOBS.initialisation(*OURS), *PRETEXTS][:1]
EVALUATED = of_groups(METHODS, "metrics.csv")
OUR_RUN = ARRAYS | {
    name: JOBS.of_groups(f"{name}.{kind}", ["shown-ours"])
    for name, kind in (("metrics", "csv"), ("predictions", "npz"))
}
SHOWN_RUNS = [group for group in JOBS.groups if group.startswith("shown-")]
OF_PRETEXTS = [JOBS.of_pretexts(file, PRETEXTS) for file in ("run.json", "evaluation.json")]
RECORDS = list(dict.fromkeys([*sum(OF_PRETEXTS, []), *EVALUATED["runs"]]))

TABLES = {
    "table1": EVALUATED | {"published": PUBLISHED["table1"]},
    "table2": EVALUATED | {"published": PUBLISHED["table2"]},
    "table3": of_groups(OURS, "metrics.csv") | {"published": PUBLISHED["table3"]},
    "statistics": EVALUATED,
    "boundary": EVALUATED,
    "claims": {
        "metrics": EVALUATED["metrics"],
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
    TABLES["table_pretext"] = of_pretexts(PRETEXTS, "metrics.csv", "fillers.csv") | {
        "runs": sum(OF_PRETEXTS, []),
        "published": PUBLISHED["pretext"],
    }
    (SAMPLES,) = JOBS.of_pretexts("samples.npz", PRETEXT_SHOWN)
    (PREVIEWS,) = JOBS.of_pretexts("previews.npz", PRETEXT_SHOWN)
    FIGURES |= {name: {"samples": SAMPLES} for name in ("figure2", "figure3", "figure7")}
    FIGURES["figure6"] = {"previews": PREVIEWS}


rule tables:
    input:
        expand(RESULTS / "tables" / "{name}.{kind}", name=TABLES, kind=["csv", "md", "tex", "html"]),


rule figures:
    input:
        expand(RESULTS / "figures" / "{name}.{kind}", name=FIGURES, kind=["png", "pdf", "txt"]),


for NAME, INPUTS in TABLES.items():

    rule:
        name:
            NAME
        input:
            **INPUTS,
        output:
            **{kind: RESULTS / "tables" / f"{NAME}.{kind}" for kind in ("md", "tex", "html")},
            csv=shown(NAME, "table", RESULTS / "tables" / f"{NAME}.csv"),
        log:
            RESULTS / "logs" / f"{NAME}.log",
        localrule: True
        params:
            **JOBS.parameters(NAME, INPUTS),
        message:
            f"Writing {NAME}"
        shell:
            RUN_STAGE


for NAME, INPUTS in FIGURES.items():

    rule:
        name:
            NAME
        input:
            **INPUTS,
        output:
            **{kind: RESULTS / "figures" / f"{NAME}.{kind}" for kind in ("pdf", "txt")},
            png=shown(NAME, "figure", RESULTS / "figures" / f"{NAME}.png"),
        log:
            RESULTS / "logs" / f"{NAME}.log",
        localrule: True
        params:
            **JOBS.parameters(NAME, INPUTS),
        message:
            f"Drawing {NAME}"
        shell:
            RUN_STAGE


# The paper's printed numbers, held against each other: of no study, made once.
rule audit:
    input:
        **PUBLISHED,
    output:
        **{kind: f"results/audit/audit.{kind}" for kind in ("csv", "md", "tex", "html")},
    log:
        "results/audit/audit.log",
    localrule: True
    params:
        **JOBS.parameters("audit", PUBLISHED),
    message:
        "Auditing the paper's printed numbers"
    shell:
        RUN_STAGE


PAGE = {
    "tables": expand(RESULTS / "tables" / "{name}.{kind}", name=TABLES, kind=["html", "csv"]),
    "figures": expand(RESULTS / "figures" / "{name}.{kind}", name=FIGURES, kind=["png", "txt"]),
    "runs": RECORDS,
    "index": ARRAYS["index"],
    "problems": rules.prepare.output.problems,
    "template": os.path.relpath(
        PACKAGE / "maskedteeth" / "report" / "page" / "template.html.jinja"
    ),
    "style": os.path.relpath(PACKAGE / "maskedteeth" / "report" / "page" / "style.css"),
}


rule report:
    input:
        **PAGE,
    output:
        html=report(
            RESULTS / "report.html",
            caption="../report/report.rst",
            category="The reproduction as a paper",
            labels={"name": "report"},
        ),
    log:
        RESULTS / "logs" / "report.log",
    localrule: True
    params:
        **JOBS.parameters("report", inputs=PAGE),
    message:
        "Writing the report"
    shell:
        RUN_STAGE
