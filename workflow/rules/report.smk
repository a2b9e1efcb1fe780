# Finished CSV, NPZ and NPY files → tables and figures; each alone by its name: snakemake table2
# A new one is a stage (a file in maskedteeth/report/, listed in cli.py) and a line here. All together
# → report.html, and what Snakemake's own --report shows.
PUBLISHED = CONFIG / "published"
OURS = [STUDY.report.ours]
SHOWN_FRACTION = [f"{STUDY.report.figure_fraction:g}"]
ARRAYS = {
    "images": rules.prepare.output.images,
    "masks": rules.prepare.output.masks,
    "index": rules.index.output.index,
}
RUNS_OF_OURS = {
    **ARRAYS,
    "metrics": of_shown_runs("metrics.csv", OURS),
    "predictions": of_shown_runs("predictions.npz", OURS),
}

# What was measured, and the records of how it came about.
RUN_RECORDS = of_runs("run.json") + of_runs("evaluation.json")
PRETEXT_RECORDS = of_pretexts("run.json") + of_pretexts("evaluation.json")
ALL_RUNS = {"metrics": of_runs("metrics.csv"), "runs": records()}
PAPER = {name: PUBLISHED / f"{name}.csv" for name in ("table2", "table3", "pretext", "models")}

TABLES = {
    "table1": {**ALL_RUNS, "published": PUBLISHED / "table1.csv"},
    "table2": {**ALL_RUNS, "published": PUBLISHED / "table2.csv"},
    "table3": {
        "metrics": of_runs("metrics.csv", OURS),
        "runs": records(OURS),
        "published": PUBLISHED / "table3.csv",
    },
    "statistics": ALL_RUNS,
    "boundary": ALL_RUNS,
    "audit": {
        **PAPER,
        "table1": PUBLISHED / "table1.csv",
        "sentences": PUBLISHED / "sentences.csv",
    },
    "claims": {
        **PAPER,
        "claims": CONFIG / "claims.yaml",
        **ALL_RUNS,
    },
    "cost": {"runs": PRETEXT_RECORDS + RUN_RECORDS},
}
FIGURES = {
    "figure1": {"architecture": rules.describe.output.architecture},
    "figure4": RUNS_OF_OURS,
    "figure5": RUNS_OF_OURS,
    "figure8": {
        **ARRAYS,
        "metrics": of_shown_runs("metrics.csv"),
        "predictions": of_shown_runs("predictions.npz"),
        "runs": of_shown_runs("run.json") + of_shown_runs("evaluation.json"),
    },
    "figure9": RUNS_OF_OURS,
    "dice_by_fraction": {
        "metrics": of_runs("metrics.csv"),
        "published": PUBLISHED / "table2.csv",
        "runs": records(),
    },
    "differences": {"metrics": of_runs("metrics.csv"), "runs": records()},
    "training_curves": {
        "history": of_runs("history.csv"),
        "pretexts": of_pretexts("history.csv"),
        "runs": of_runs("run.json") + of_pretexts("run.json"),
    },
    "contact_sheet": {**ARRAYS, "problems": rules.index.output.problems},
}
if PRETEXT_SHOWN:  # a study without a pretext has none of these
    SAMPLES = {"samples": expand(rules.reconstruct.output.samples, pretext=PRETEXT_SHOWN)}
    PREVIEWS = {"previews": expand(rules.pretrain.output.previews, pretext=PRETEXT_SHOWN)}
    FIGURES |= {"figure2": SAMPLES, "figure3": SAMPLES, "figure6": PREVIEWS, "figure7": SAMPLES}
    TABLES["table_pretext"] = {
        "metrics": of_pretexts("metrics.csv"),
        "fillers": of_pretexts("fillers.csv"),
        "lpips": rules.lpips_weights.output.weights,
        "runs": PRETEXT_RECORDS,
        "published": PUBLISHED / "pretext.csv",
    }
    TABLES["claims"]["pretexts"] = of_pretexts("metrics.csv")
    TABLES["claims"]["runs"] = RUN_RECORDS + PRETEXT_RECORDS
if STUDY.data.source == "phantom":  # elsewhere nobody knows which annotations are wrong
    TABLES["annotation_errors"] = {
        "raw": RAW,
        "masks": rules.prepare.output.masks,
        "index": rules.index.output.index,
        "metrics": of_runs("metrics.csv", OURS, SHOWN_FRACTION),
        "predictions": of_runs("predictions.npz", OURS, SHOWN_FRACTION),
        "runs": records(OURS, SHOWN_FRACTION),
    }


rule tables:
    input:
        expand(RESULTS / "tables" / "{name}.{kind}", name=TABLES, kind=["csv", "md", "tex"]),


rule figures:
    input:
        expand(RESULTS / "figures" / "{name}.{kind}", name=FIGURES, kind=["png", "pdf"]),


for NAME, INPUTS in TABLES.items():

    rule:
        name:
            NAME
        input:
            **INPUTS,
        output:
            csv=shown(NAME, "table", RESULTS / "tables" / f"{NAME}.csv"),
            md=RESULTS / "tables" / f"{NAME}.md",
            tex=RESULTS / "tables" / f"{NAME}.tex",
            sources=RESULTS / "sources" / f"{NAME}.txt",
        log:
            RESULTS / "logs" / f"{NAME}.log",
        localrule: True
        conda:
            ENVIRONMENT
        params:
            stage=stage_of(NAME),
            settings=ReportJob.of(STUDY).model_dump_json(),
            inputs=as_flags,
            sources=as_sources,
            code=code(stage_of(NAME)),
        message:
            f"Writing {NAME}"
        shell:
            "python -m maskedteeth {params.stage} --settings {params.settings:q} {params.inputs}"
            " --csv {output.csv} --md {output.md} --tex {output.tex} > {log} 2>&1"
            " && printf '%s\\n' {params.sources} > {output.sources}"


for NAME, INPUTS in FIGURES.items():

    rule:
        name:
            NAME
        input:
            **INPUTS,
        output:
            png=shown(NAME, "figure", RESULTS / "figures" / f"{NAME}.png"),
            pdf=RESULTS / "figures" / f"{NAME}.pdf",
            sources=RESULTS / "sources" / f"{NAME}.txt",
        log:
            RESULTS / "logs" / f"{NAME}.log",
        localrule: True
        conda:
            ENVIRONMENT
        params:
            stage=stage_of(NAME),
            settings=ReportJob.of(STUDY).model_dump_json(),
            inputs=as_flags,
            sources=as_sources,
            code=code(stage_of(NAME)),
        message:
            f"Drawing {NAME}"
        shell:
            "python -m maskedteeth {params.stage} --settings {params.settings:q} {params.inputs}"
            " --png {output.png} --pdf {output.pdf} > {log} 2>&1"
            " && printf '%s\\n' {params.sources} > {output.sources}"


PAGE = Path(os.path.relpath(PACKAGE)) / "maskedteeth" / "report" / "page"


rule report:
    input:
        tables=expand(RESULTS / "tables" / "{name}.{kind}", name=TABLES, kind=["md", "csv"]),
        figures=expand(RESULTS / "figures" / "{name}.png", name=FIGURES),
        runs=RUN_RECORDS + PRETEXT_RECORDS,
        index=rules.index.output.index,
        problems=rules.index.output.problems,
        guard=rules.guard.output.guard,
        decisions=Path(os.path.relpath(PROJECT)) / "docs" / "decisions.md",
        template=PAGE / "template.html.jinja",
        style=PAGE / "style.css",
    output:
        html=report(
            RESULTS / "report.html",
            caption="../report/report.rst",
            category="The reproduction as a paper",
            labels={"name": "report", "shows": "all of it on one page"},
        ),
    log:
        RESULTS / "logs" / "report.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings=PageJob.of_study(STUDY, PAPER_STUDY).model_dump_json(),
        inputs=as_flags,
        code=code("report"),
    message:
        "Writing the report"
    shell:
        "python -m maskedteeth report --settings {params.settings:q} {params.inputs}"
        " --html {output.html} > {log} 2>&1"
