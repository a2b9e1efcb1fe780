"""Uncertainty of table 2, and every method tested against ours."""

from pathlib import Path

import pandas as pd

from maskedteeth.report.about import about, stamped
from maskedteeth.report.comparisons import compare, too_few
from maskedteeth.report.results import read_metrics
from maskedteeth.report.statistics import too_narrow
from maskedteeth.report.tables.layout import NOTHING, number, write_table
from maskedteeth.settings.jobs import ReportJob


def statistics(
    settings: ReportJob,
    *,
    metrics: list[Path],
    csv: Path,
    md: Path,
    tex: Path,
    runs: list[Path] = (),  # type: ignore[assignment]
) -> None:
    """Write the table of intervals and tests.

    Args:
        settings: labels of the methods, which one is ours, resamples, dataset, protocol.
        metrics: ``metrics.csv`` of all runs.
        csv: file to write: model and the columns of :func:`maskedteeth.report.comparisons.compare`.
        md: file to write.
        tex: file to write.
        runs: ``run.json`` of all these runs and their pretexts.
    """
    images = read_metrics(metrics, settings, ("tn",))
    table = compare(images, settings.ours, settings.bootstrap_resamples)
    table.insert(0, "model", table.pop("method").map(settings.labels))
    ours = settings.labels[settings.ours]
    text = pd.DataFrame(
        {
            "Model": table["model"].where(table["model"] != table["model"].shift(), ""),
            "Train. data": table["fraction"].astype(str),
            "Dice": [interval(row, "dice") for _, row in table.iterrows()],
            "Difference to ours": [interval(row, "difference", "+") for _, row in table.iterrows()],
            "Rank-biserial r": [number(value, "+.2f") for value in table["rank_biserial"]],
            "p": [p_value(value) for value in table["p"]],
            "p (Holm)": [p_value(value) for value in table["p_holm"]],
        }
    )
    title = "Intervals of all models, and their differences to ours"
    foot = f"{notes(table, settings, ours)} {about(settings, runs)}"
    write_table(stamped(table, settings), text, title, foot, csv, md, tex)


def notes(table: pd.DataFrame, settings: ReportJob, ours: str) -> str:
    """Say how the numbers came about, and what they cannot show."""
    compared = table[table["p"].notna()]
    fewest = int(table["radiographs"].min())
    sentences = [
        "Dice: pooled over the test radiographs and averaged over seeds, as in table 2. "
        f"Difference: mean over test radiographs of the model's Dice minus that of {ours}, each "
        "radiograph's averaged over seeds. Brackets: 95% percentile bootstrap intervals, "
        f"{settings.bootstrap_resamples:,} resamples of the test radiographs, all seeds of a "
        "radiograph together; they say how much hangs on which radiographs test, not on chance in "
        "training."
    ]
    sentences.append(too_narrow(fewest))
    if compared.empty:
        sentences.append("There is no other model to compare.")
    else:
        sentences.append(
            "r: matched-pairs rank-biserial correlation, from −1 (worse than ours on every "
            "radiograph) to +1 (better on every one). p: two-sided Wilcoxon signed-rank test of "
            f"those differences, {zeros(compared)}; p (Holm): corrected for all {len(compared)} "
            "comparisons. A small p says that these trained networks differ on such radiographs; "
            "chance in training is not in it. Methods are compared at the same fraction; what the "
            "paper says of one fraction against another is judged in the table `claims`, with "
            "chance in training."
        )
        sentences.append(too_few(table))
    return " ".join(filter(None, sentences))


def zeros(compared: pd.DataFrame) -> str:
    """Say what became of pairs without a difference."""
    count = int(compared["zeros"].sum())
    return f"pairs without a difference dropped ({count} of {int(compared['pairs'].sum())})"


def interval(row: pd.Series, name: str, sign: str = "") -> str:
    """Print a value with the bounds of its interval."""
    if pd.isna(row[name]):
        return NOTHING
    value, low, high = (number(row[f"{name}{b}"], f"{sign}.3f") for b in ("", "_low", "_high"))
    return f"{value} [{low}, {high}]"


def p_value(value: float) -> str:
    """Print a p-value with three digits after the point, a tiny one as a bound."""
    return "< 0.001" if value < 0.001 else number(value, ".3f")
