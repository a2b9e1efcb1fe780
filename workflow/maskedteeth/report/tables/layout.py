"""What the tables share: numbers in print, and the paper's values beside ours."""

import math
from pathlib import Path

import pandas as pd

from maskedteeth.report.about import about, about_seeds
from maskedteeth.report.results import read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.settings.sections import Presentation

#: Stands where there is no number.
NOTHING = "–"
#: Names of metrics and of columns in print.
TITLES = {name: name.capitalize() for name in ("dice", "jaccard", "precision", "recall")}
TITLES |= {name: name.upper() for name in ("ssim", "lpips", "fsim", "l1")}
TITLES |= {"model": "Model", "seed": "Seed", "fraction": "Train. data", "seeds": "Seeds"}
#: How to read a cell.
CELL = (
    "Each cell: our value, then in brackets the paper's value and ours minus the paper's. Ours "
    "counts the pixels of all test radiographs together"
)


def beside_paper(
    report: Presentation,
    title: str,
    ours: pd.DataFrame,
    metrics: tuple[str, ...],
    published: Path,
    runs: list[Path],
    note: str = "",
) -> Table:
    """Make a table of our values with the paper's beside them.

    ``ours`` has first two columns that tell rows apart, as in the paper's table; ``metrics``, and
    their standard deviations as ``<metric>_sd`` where there are several seeds. ``note`` ends the
    sentence on what our values are.

    Returns:
        The columns of ``ours``, with ``<metric>_published`` and ``<metric>_difference`` (ours minus
        published) after each metric, NaN where the paper has no such row; and protocol.
    """
    keys = list(ours)[:2]
    paper = read_rows(published)[[*keys, *metrics]]
    table = ours.merge(paper, on=keys, how="left", suffixes=("", "_published"))
    order = []
    for metric in metrics:
        table[f"{metric}_difference"] = table[metric] - table[f"{metric}_published"]
        order += [f"{metric}{end}" for end in ("", "_sd", "_published", "_difference")]
    table = table[[*(c for c in table if c not in order), *(c for c in order if c in table)]]
    text = {TITLES[name]: table[name].astype(str) for name in (*keys, "seeds") if name in table}
    text[TITLES[keys[0]]] = once(table[keys[0]].astype(str))
    rows = [row for _, row in table.iterrows()]
    text |= {TITLES[metric]: [_cell(row, metric) for row in rows] for metric in metrics}
    return Table(
        title=title,
        frame=table.assign(protocol=report.protocol),
        parts=(Part(pd.DataFrame(text)),),
        lead=about(report, runs),
        notes=(f"{CELL}{note}.", about_seeds(report, runs)),
    )


def _cell(row: pd.Series, metric: str) -> str:
    text = deviating(row, metric, ".3f")
    if not math.isnan(row[f"{metric}_published"]):
        difference = number(row[f"{metric}_difference"], "+.3f")
        text += f" *({row[f'{metric}_published']:.3f}, {difference})*"
    return text


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
