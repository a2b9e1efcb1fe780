# Metrics → tables; each alone by its name: snakemake table2


rule tables:
    input:
        of_runs("metrics.csv"),
        of_pretexts("metrics.csv"),
