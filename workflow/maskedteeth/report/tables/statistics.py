"""Uncertainty of table 2, and every method tested against ours."""

from pathlib import Path

import pandas as pd

from maskedteeth.report.about import about
from maskedteeth.report.comparisons import compare, too_few
from maskedteeth.report.results import read_rows
from maskedteeth.report.statistics import too_narrow
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import interval, number, once
from maskedteeth.settings.sections import Presentation


def statistics(report: Presentation, *, metrics: list[Path], runs: list[Path]) -> Table:
    """Make the table of intervals and tests.

    Args:
        report: labels of the methods, which one is ours, resamples, dataset, protocol.
        metrics: ``metrics.csv`` of all runs.
        runs: records of all these runs and their pretexts.

    Returns:
        Columns model, those of :func:`maskedteeth.report.comparisons.compare`, and protocol.
    """
    table = compare(read_rows(*metrics), report.ours, report.bootstrap_resamples)
    table.insert(0, "model", table.pop("method").map(report.labels))
    text = pd.DataFrame(
        {
            "Model": once(table["model"]),
            "Train. data": table["fraction"].astype(str),
            "Dice": [interval(row, "dice") for _, row in table.iterrows()],
            "Difference to ours": [
                interval(row, "difference", "+.3f") for _, row in table.iterrows()
            ],
            "Rank-biserial r": [number(value, "+.2f") for value in table["rank_biserial"]],
            "p": [p_value(value) for value in table["p"]],
            "p (Holm)": [p_value(value) for value in table["p_holm"]],
        }
    )
    limits = (about(report, runs), too_narrow(int(table["radiographs"].min())), too_few(table))
    return Table(
        title="Intervals of all models, and their differences to ours",
        frame=table.assign(protocol=report.protocol),
        parts=(Part(text),),
        lead=" ".join(filter(None, limits)),
        notes=notes(table, report),
    )


def notes(table: pd.DataFrame, report: Presentation) -> tuple[str, ...]:
    """Say how the numbers came about, and what they cannot show."""
    ours, compared = report.labels[report.ours], table[table["p"].notna()]
    intervals = (
        "*Dice*: as in table 2, the pixels of all test radiographs counted together, averaged over "
        "seeds. *Brackets*: 95% bootstrap intervals from "
        f"{report.bootstrap_resamples:,} draws of the test radiographs, each radiograph with all "
        "its seeds. They show how much depends on which radiographs are in the test set. What "
        "training again would change is not in them."
    )
    if compared.empty:
        return intervals, "There is no other model to compare."
    dropped = f"{int(compared['zeros'].sum())} of {int(compared['pairs'].sum())}"
    return (
        intervals,
        f"*Difference to ours*: each radiograph's own Dice minus its Dice with {ours}, both "
        "averaged over seeds; then the mean over radiographs. Below zero the model is worse. "
        "Models are compared at the same fraction; the table of claims compares across fractions.",
        "*r*: matched-pairs rank-biserial correlation, from −1 (worse than ours on every "
        "radiograph) to +1 (better on every one). *p*: two-sided Wilcoxon signed-rank test of the "
        "differences; "
        f"pairs without a difference are dropped ({dropped}). *p (Holm)*: corrected for all "
        f"{len(compared)} comparisons.",
        "A small p says that these trained networks differ on radiographs like these. It does not "
        "say that networks trained again would differ.",
    )


def p_value(value: float) -> str:
    """Print a p-value with three digits after the point, a tiny one as a bound."""
    return "< 0.001" if value < 0.001 else number(value, ".3f")
