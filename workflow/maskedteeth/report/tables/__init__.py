"""A file a table, or for alike ones, with a function of each name that returns a ``Table``.

The first argument, ``report``, has the names of methods, the dataset and how much to show. Files
that many tables take: ``metrics`` are ``metrics.csv`` of evaluations, of all runs if nothing else
is said; ``runs`` are the records behind them, ``run.json`` and ``evaluation.json`` of runs and
pretexts; ``published`` is the paper's own table as CSV. Every frame, and so every CSV file of a
study, ends with the protocol of the split.
"""
