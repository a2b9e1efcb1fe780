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

    Returns:
        Columns model, those of :func:`maskedteeth.report.comparisons.compare`, and protocol.
    """
    table = compare(read_rows(*metrics), report.ours, report.bootstrap_resamples)
    table.insert(0, "model", table.pop("method").map(report.labels))
    rows = [row for _, row in table.iterrows()]
    text = pd.DataFrame(
        {
            "Model": once(table["model"]),
            "Train. data": table["fraction"].astype(str),
            "Dice": [interval(row, "dice") for row in rows],
            "Difference to ours": [interval(row, "difference", "+.3f") for row in rows],
            "Rank-biserial r": [number(row["rank_biserial"], "+.2f") for row in rows],
            "p": [p_value(row["p"]) for row in rows],
            "p (Holm)": [p_value(row["p_holm"]) for row in rows],
        }
    )
    limits = (about(report, runs), too_narrow(int(table["radiographs"].min())), too_few(table))
    return Table(
        title="Intervals of all models, and their differences to ours",
        frame=table.assign(protocol=report.protocol),
        parts=(Part(text),),
        lead=" ".join(filter(None, limits)),
        notes=_notes(table[table["p"].notna()], report),
    )


def _notes(compared: pd.DataFrame, report: Presentation) -> tuple[str, ...]:
    """Say how the numbers came about, and what they cannot show."""
    intervals = (
        "*Dice*: as in table 2, the pixels of all test radiographs counted together, averaged over "
        "seeds. *Brackets*: 95% bootstrap intervals. The test radiographs, each with all its "
        f"seeds, are drawn again {report.bootstrap_resamples:,} times, to see how much depends on "
        "which ones are in the test set. The intervals do not show how results vary when the "
        "networks are trained again."
    )
    if compared.empty:
        return intervals, "There is no other model to compare."
    dropped = f"{int(compared['zeros'].sum())} of {int(compared['pairs'].sum())}"
    return (
        intervals,
        f"*Difference to ours*: each radiograph's own Dice minus its Dice with "
        f"{report.labels[report.ours]}, both averaged over seeds; then the mean over radiographs. "
        "Below zero the model is worse. Models are compared at the same fraction; the table of "
        "claims compares across fractions.",
        "*p*: two-sided Wilcoxon signed-rank test of these differences; pairs without a difference "
        f"are dropped ({dropped}). *p (Holm)*: corrected for all {len(compared)} comparisons. *r*: "
        "matched-pairs rank-biserial correlation, from −1 (worse than ours on every radiograph) to "
        "+1 (better on every one).",
        "A small p says that these trained networks differ on radiographs like these. It does not "
        "say that networks trained again would differ.",
    )


def p_value(value: float) -> str:
    """Print a p-value with three digits after the point, a tiny one as a bound."""
    return "< 0.001" if value < 0.001 else number(value, ".3f")
