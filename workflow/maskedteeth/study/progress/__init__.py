"""What is happening in a run: jobs done, running and left, trainings' epochs, when it will finish.

The Snakefile opens it when a run begins and closes it before it prints the end (`follow`). It hears
what Snakemake logs and reads the logs of running trainings; no result depends on it, and what goes
wrong in it stops nothing.
"""
