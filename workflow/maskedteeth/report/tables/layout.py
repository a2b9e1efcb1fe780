"""Numbers and names in print."""

import math

import pandas as pd

#: Stands where there is no number.
NOTHING = "–"
#: Names of metrics and of columns.
TITLES = {name: name.capitalize() for name in ("dice", "jaccard", "precision", "recall")}
TITLES |= {name: name.upper() for name in ("ssim", "lpips", "fsim", "l1")}
TITLES |= {"model": "Model", "seed": "Seed", "fraction": "Train. data", "seeds": "Seeds"}


def once(labels: pd.Series) -> pd.Series:
    """Leave out labels that repeat the one above."""
    return labels.where(labels != labels.shift(), "")


def number(value: float, form: str) -> str:
    """Print a number with a real minus, and a dash where there is none."""
    return NOTHING if math.isnan(value) else f"{value:{form}}".replace("-", "−")


def deviating(row: pd.Series, name: str, form: str) -> str:
    """Print a mean with its standard deviation, ``<name>_sd``, as far as these are known."""
    value, deviation = (number(row.get(key, math.nan), form) for key in (name, f"{name}_sd"))
    return value if NOTHING in (value, deviation) else f"{value} ± {deviation}"


def interval(row: pd.Series, name: str, form: str = ".3f") -> str:
    """Print a value with the bounds of its interval, which have its name and _low and _high."""
    if pd.isna(row[name]):
        return NOTHING
    value, low, high = (number(row[f"{name}{bound}"], form) for bound in ("", "_low", "_high"))
    return f"{value} [{low}, {high}]"
