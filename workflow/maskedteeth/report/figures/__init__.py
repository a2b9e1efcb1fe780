"""A file a figure, or for alike ones, with a function of each name that returns a ``Sheet``.

The first argument, ``report``, has the names of methods, the dataset and how much to show. Files
that many figures take: ``images`` and ``labels`` are the dataset's arrays, ``index`` its
``index.csv``; ``metrics`` and ``predictions`` are what evaluations left, of all runs if nothing
else is said; ``runs`` are the records behind them; ``samples`` and ``previews`` are the pretext's.
"""
