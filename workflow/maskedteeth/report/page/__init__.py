"""The report: all of a study as one page, HTML that needs nothing else."""
