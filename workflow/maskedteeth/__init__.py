"""Masked self-supervised pretraining for tooth segmentation: the paper's method as a package.

The rooms follow the way of the data: ``data`` → ``models`` and ``pretext`` → ``training`` →
``metrics`` → ``report``. Every Snakemake rule calls one stage of :mod:`maskedteeth.cli`.
"""
