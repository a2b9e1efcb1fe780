# Metrics → tables; each alone by its name: snakemake table2


rule tables:
    input:
        RESULTS / "tables" / "table1.md",
        RESULTS / "tables" / "table2.md",
        RESULTS / "tables" / "table3.md",
        RESULTS / "tables" / "pretext.md",


rule table1:
    input:
        metrics=of_runs("metrics.csv"),
        published="config/published/table1.csv",
    output:
        csv=RESULTS / "tables" / "table1.csv",
        md=RESULTS / "tables" / "table1.md",
        tex=RESULTS / "tables" / "table1.tex",
    log:
        RESULTS / "logs" / "table1.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings=ReportJob.of(STUDY).model_dump_json(),
        code=code("table1"),
    message:
        "Writing table 1"
    shell:
        "python -m maskedteeth table1 --settings {params.settings:q} --metrics {input.metrics}"
        " --published {input.published} --csv {output.csv} --md {output.md}"
        " --tex {output.tex} > {log} 2>&1"


rule table2:
    input:
        metrics=of_runs("metrics.csv"),
        published="config/published/table2.csv",
    output:
        csv=RESULTS / "tables" / "table2.csv",
        md=RESULTS / "tables" / "table2.md",
        tex=RESULTS / "tables" / "table2.tex",
    log:
        RESULTS / "logs" / "table2.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings=ReportJob.of(STUDY).model_dump_json(),
        code=code("table2"),
    message:
        "Writing table 2"
    shell:
        "python -m maskedteeth table2 --settings {params.settings:q} --metrics {input.metrics}"
        " --published {input.published} --csv {output.csv} --md {output.md}"
        " --tex {output.tex} > {log} 2>&1"


rule table3:
    input:
        metrics=of_runs("metrics.csv", methods=[STUDY.report.ours]),
        published="config/published/table3.csv",
    output:
        csv=RESULTS / "tables" / "table3.csv",
        md=RESULTS / "tables" / "table3.md",
        tex=RESULTS / "tables" / "table3.tex",
    log:
        RESULTS / "logs" / "table3.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings=ReportJob.of(STUDY).model_dump_json(),
        code=code("table3"),
    message:
        "Writing table 3"
    shell:
        "python -m maskedteeth table3 --settings {params.settings:q} --metrics {input.metrics}"
        " --published {input.published} --csv {output.csv} --md {output.md}"
        " --tex {output.tex} > {log} 2>&1"


rule table_pretext:
    input:
        metrics=of_pretexts("metrics.csv"),
        published="config/published/pretext.csv",
    output:
        csv=RESULTS / "tables" / "pretext.csv",
        md=RESULTS / "tables" / "pretext.md",
        tex=RESULTS / "tables" / "pretext.tex",
    log:
        RESULTS / "logs" / "table-pretext.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings=ReportJob.of(STUDY).model_dump_json(),
        code=code("table-pretext"),
    message:
        "Writing the pretext's metrics"
    shell:
        "python -m maskedteeth table-pretext --settings {params.settings:q} --metrics {input.metrics}"
        " --published {input.published} --csv {output.csv} --md {output.md}"
        " --tex {output.tex} > {log} 2>&1"
