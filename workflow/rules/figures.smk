# Finished arrays → figures; each alone by its name: snakemake figure6


rule figures:
    input:
        rules.describe.output,
