# Finished arrays → figures; each alone by its name: snakemake figure6


rule figures:
    input:
        expand(RESULTS / "figures" / "{name}.{suffix}", name=FIGURES, suffix=["png", "pdf"]),


rule figure1:
    input:
        architecture=rules.describe.output.architecture,
    output:
        png=RESULTS / "figures" / "figure1.png",
        pdf=RESULTS / "figures" / "figure1.pdf",
    log:
        RESULTS / "logs" / "figure1.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings=ReportJob.of(STUDY).model_dump_json(),
        code=code("figure1"),
    message:
        "Drawing figure 1: architecture of Modified ResUNet"
    shell:
        "python -m maskedteeth figure1 --settings {params.settings:q}"
        " --architecture {input.architecture}"
        " --png {output.png} --pdf {output.pdf} > {log} 2>&1"


rule figure4:
    input:
        images=rules.prepare.output.images,
        masks=rules.prepare.output.masks,
        index=rules.index.output.index,
        metrics=of_shown_runs("metrics.csv", [STUDY.report.ours]),
        predictions=of_shown_runs("predictions.npz", [STUDY.report.ours]),
    output:
        png=RESULTS / "figures" / "figure4.png",
        pdf=RESULTS / "figures" / "figure4.pdf",
    log:
        RESULTS / "logs" / "figure4.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings=ReportJob.of(STUDY).model_dump_json(),
        code=code("figure4"),
    message:
        "Drawing figure 4: samples of the segmentation"
    shell:
        "python -m maskedteeth figure4 --settings {params.settings:q} --images {input.images}"
        " --masks {input.masks} --index {input.index} --metrics {input.metrics}"
        " --predictions {input.predictions}"
        " --png {output.png} --pdf {output.pdf} > {log} 2>&1"


rule figure5:
    input:
        images=rules.prepare.output.images,
        masks=rules.prepare.output.masks,
        index=rules.index.output.index,
        metrics=of_shown_runs("metrics.csv", [STUDY.report.ours]),
        predictions=of_shown_runs("predictions.npz", [STUDY.report.ours]),
    output:
        png=RESULTS / "figures" / "figure5.png",
        pdf=RESULTS / "figures" / "figure5.pdf",
    log:
        RESULTS / "logs" / "figure5.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings=ReportJob.of(STUDY).model_dump_json(),
        code=code("figure5"),
    message:
        "Drawing figure 5: candidates for annotation errors"
    shell:
        "python -m maskedteeth figure5 --settings {params.settings:q} --images {input.images}"
        " --masks {input.masks} --index {input.index} --metrics {input.metrics}"
        " --predictions {input.predictions}"
        " --png {output.png} --pdf {output.pdf} > {log} 2>&1"


rule figure8:
    input:
        images=rules.prepare.output.images,
        masks=rules.prepare.output.masks,
        index=rules.index.output.index,
        metrics=of_shown_runs("metrics.csv"),
        predictions=of_shown_runs("predictions.npz"),
    output:
        png=RESULTS / "figures" / "figure8.png",
        pdf=RESULTS / "figures" / "figure8.pdf",
    log:
        RESULTS / "logs" / "figure8.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings=ReportJob.of(STUDY).model_dump_json(),
        code=code("figure8"),
    message:
        "Drawing figure 8: qualitative comparison of the methods"
    shell:
        "python -m maskedteeth figure8 --settings {params.settings:q} --images {input.images}"
        " --masks {input.masks} --index {input.index} --metrics {input.metrics}"
        " --predictions {input.predictions}"
        " --png {output.png} --pdf {output.pdf} > {log} 2>&1"


rule figure9:
    input:
        images=rules.prepare.output.images,
        masks=rules.prepare.output.masks,
        index=rules.index.output.index,
        metrics=of_shown_runs("metrics.csv", [STUDY.report.ours]),
        predictions=of_shown_runs("predictions.npz", [STUDY.report.ours]),
    output:
        png=RESULTS / "figures" / "figure9.png",
        pdf=RESULTS / "figures" / "figure9.pdf",
    log:
        RESULTS / "logs" / "figure9.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings=ReportJob.of(STUDY).model_dump_json(),
        code=code("figure9"),
    message:
        "Drawing figure 9: further candidates for annotation errors"
    shell:
        "python -m maskedteeth figure9 --settings {params.settings:q} --images {input.images}"
        " --masks {input.masks} --index {input.index} --metrics {input.metrics}"
        " --predictions {input.predictions}"
        " --png {output.png} --pdf {output.pdf} > {log} 2>&1"


rule figure_fractions:
    input:
        metrics=of_runs("metrics.csv"),
        published="config/published/table2.csv",
    output:
        png=RESULTS / "figures" / "dice_by_fraction.png",
        pdf=RESULTS / "figures" / "dice_by_fraction.pdf",
    log:
        RESULTS / "logs" / "figure-fractions.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings=ReportJob.of(STUDY).model_dump_json(),
        code=code("figure-fractions"),
    message:
        "Drawing Dice by training fraction"
    shell:
        "python -m maskedteeth figure-fractions --settings {params.settings:q} --metrics {input.metrics}"
        " --published {input.published}"
        " --png {output.png} --pdf {output.pdf} > {log} 2>&1"


# Of the pretext; a study without one has none of these.
if PRETEXT_SHOWN:

    rule figure2:
        input:
            samples=expand(rules.reconstruct.output.samples, pretext=PRETEXT_SHOWN),
        output:
            png=RESULTS / "figures" / "figure2.png",
            pdf=RESULTS / "figures" / "figure2.pdf",
        log:
            RESULTS / "logs" / "figure2.log",
        localrule: True
        conda:
            ENVIRONMENT
        params:
            settings=ReportJob.of(STUDY).model_dump_json(),
            code=code("figure2"),
        message:
            "Drawing figure 2: a sample of the pretext"
        shell:
            "python -m maskedteeth figure2 --settings {params.settings:q}"
            " --samples {input.samples}"
            " --png {output.png} --pdf {output.pdf} > {log} 2>&1"

    rule figure3:
        input:
            samples=expand(rules.reconstruct.output.samples, pretext=PRETEXT_SHOWN),
        output:
            png=RESULTS / "figures" / "figure3.png",
            pdf=RESULTS / "figures" / "figure3.pdf",
        log:
            RESULTS / "logs" / "figure3.log",
        localrule: True
        conda:
            ENVIRONMENT
        params:
            settings=ReportJob.of(STUDY).model_dump_json(),
            code=code("figure3"),
        message:
            "Drawing figure 3: samples of the pretext"
        shell:
            "python -m maskedteeth figure3 --settings {params.settings:q}"
            " --samples {input.samples}"
            " --png {output.png} --pdf {output.pdf} > {log} 2>&1"

    rule figure6:
        input:
            previews=expand(rules.pretrain.output.previews, pretext=PRETEXT_SHOWN),
        output:
            png=RESULTS / "figures" / "figure6.png",
            pdf=RESULTS / "figures" / "figure6.pdf",
        log:
            RESULTS / "logs" / "figure6.log",
        localrule: True
        conda:
            ENVIRONMENT
        params:
            settings=ReportJob.of(STUDY).model_dump_json(),
            code=code("figure6"),
        message:
            "Drawing figure 6: sequential learning of the pretext"
        shell:
            "python -m maskedteeth figure6 --settings {params.settings:q}"
            " --previews {input.previews}"
            " --png {output.png} --pdf {output.pdf} > {log} 2>&1"

    rule figure7:
        input:
            samples=expand(rules.reconstruct.output.samples, pretext=PRETEXT_SHOWN),
        output:
            png=RESULTS / "figures" / "figure7.png",
            pdf=RESULTS / "figures" / "figure7.pdf",
        log:
            RESULTS / "logs" / "figure7.log",
        localrule: True
        conda:
            ENVIRONMENT
        params:
            settings=ReportJob.of(STUDY).model_dump_json(),
            code=code("figure7"),
        message:
            "Drawing figure 7: qualitative analysis of the pretext"
        shell:
            "python -m maskedteeth figure7 --settings {params.settings:q}"
            " --samples {input.samples}"
            " --png {output.png} --pdf {output.pdf} > {log} 2>&1"
