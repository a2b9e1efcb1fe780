"""What the tables share: published values beside ours, and three formats."""

import math
import re
from pathlib import Path

import pandas as pd

from maskedteeth.files import write_text
from maskedteeth.report.reading import read_values

#: Stands where there is no number.
NOTHING = "–"

#: First cell of a line of the paper's values; second cell of one of ours minus the paper's.
PAPER, MINUS_PAPER = "Paper", "Network minus paper"

#: Names of metrics in print.
TITLES = {
    "dice": "Dice",
    "jaccard": "Jaccard",
    "precision": "Precision",
    "recall": "Recall",
    "ssim": "SSIM",
    "lpips": "LPIPS",
    "fsim": "FSIM",
    "l1": "L1",
}


def beside_published(
    ours: pd.DataFrame, published: Path, keys: list[str], metrics: tuple[str, ...]
) -> pd.DataFrame:
    """Join the paper's values to ours.

    Args:
        ours: a row for each combination of ``keys``, with columns ``metrics``.
        published: CSV of the paper's table, with the same keys and metrics.
        keys: columns that tell rows apart.
        metrics: columns that hold values.

    Returns:
        ``ours`` with ``<metric>_published`` and ``<metric>_difference`` (ours minus published)
        for every metric; NaN where the paper has no such row.
    """
    paper = read_values(published, tuple(keys), metrics)[[*keys, *metrics]]
    table = ours.merge(paper, on=keys, how="left", suffixes=("", "_published"))
    for metric in metrics:
        table[f"{metric}_difference"] = table[metric] - table[f"{metric}_published"]
    order = [column for metric in metrics for column in _columns_of(table, metric)]
    return table[[c for c in table if c not in order] + order]


def _columns_of(table: pd.DataFrame, metric: str) -> list[str]:
    names = (metric, f"{metric}_sd", f"{metric}_published", f"{metric}_difference")
    return [name for name in names if name in table]


def cell(row: pd.Series, metric: str) -> str:
    """Print a metric as ``ours ± deviation (paper, difference)``, as far as these are known."""
    if math.isnan(row[metric]):
        return "not available"
    text = f"{row[metric]:.3f}"
    if not math.isnan(row.get(f"{metric}_sd", math.nan)):
        text += f" ± {row[f'{metric}_sd']:.3f}"
    if not math.isnan(row[f"{metric}_published"]):
        difference = number(row[f"{metric}_difference"], "+.3f")
        text += f" ({row[f'{metric}_published']:.3f}, {difference})"
    return text


#: A cell as :func:`cell` prints it: ours, the paper's value, ours minus the paper's.
CELL = re.compile(r"(\d\.\d{3}(?: ± \d\.\d{3})?|not available)(?: \((\S+), (\S+)\))?")


def printed(table: pd.DataFrame, titles: dict[str, str], metrics: tuple[str, ...]) -> pd.DataFrame:
    """Turn a table of numbers into one of texts, as a reader wants it.

    Args:
        table: as :func:`beside_published` returns it.
        titles: columns to show before the metrics, with their names in print.
        metrics: metrics to show, one column each.

    Returns:
        A frame of strings; a label that repeats the one above is left out.
    """
    frame = table[list(titles)].astype(str).rename(columns=titles)
    first = frame.columns[0]
    frame[first] = frame[first].where(frame[first] != frame[first].shift(), "")
    for metric in metrics:
        frame[TITLES[metric]] = [cell(row, metric) for _, row in table.iterrows()]
    return frame


def number(value: float, form: str) -> str:
    """Print a number with a real minus, and a dash where there is none."""
    return NOTHING if math.isnan(value) else f"{value:{form}}".replace("-", "−")


def write_table(
    table: pd.DataFrame, text: pd.DataFrame, title: str, notes: str, csv: Path, md: Path, tex: Path
) -> None:
    """Write a table in three formats, atomically.

    Args:
        table: numbers, for the CSV, with six digits after the point.
        text: strings, for Markdown and LaTeX.
        title: of the table.
        notes: what a reader must know; goes under the table.
        csv: file to write.
        md: file to write.
        tex: file to write; needs the LaTeX package booktabs.
    """
    write_text(csv, table.to_csv(index=False, float_format="%.6f", lineterminator="\n"))
    write_text(md, f"# {title}\n\n{in_markdown(text)}\n\n{notes}\n")
    style = text.map(_latex).rename(columns=_latex).style.hide(axis="index")
    latex = style.to_latex(
        hrules=True,
        column_format="l" * len(text.columns),
        caption=_latex(f"{title}. {notes}"),
        position="htbp",
    )
    write_text(tex, latex)


def in_markdown(text: pd.DataFrame) -> str:
    """Return a frame of strings as a table in Markdown, in which a bar would end a cell."""
    text = text.map(_in_cell).rename(columns=_in_cell)
    return text.to_markdown(index=False, disable_numparse=True)


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


#: Characters that LaTeX would read as commands, and signs that it prints in mathematics.
ESCAPED = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"±": r"$\pm$", "−": "$-$"}
)


def _latex(text: str) -> str:
    return text.translate(ESCAPED)
