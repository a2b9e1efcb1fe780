"""A file a figure, or for alike ones, with a function of each name that returns a ``Sheet``.

The first argument, ``report``, has the names of methods, the dataset and how much to show. Files
that many figures take: ``dataset`` is what was prepared; ``metrics`` and ``predictions`` are what
evaluations left, of all runs if nothing else is said; ``runs`` are the records behind them;
``samples`` and ``previews`` are the pretext's.
"""
