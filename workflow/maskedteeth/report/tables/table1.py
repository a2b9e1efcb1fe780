"""Table 1: the state of the art and our approach, in short (section 4.2)."""

from pathlib import Path

from maskedteeth.report.results import mean_over_seeds, pooled_by_run, read_rows
from maskedteeth.report.table import Table
from maskedteeth.report.tables.layout import beside_paper
from maskedteeth.settings.sections import Presentation

METRICS = ("dice", "jaccard")
FRACTIONS = (0.2, 0.3, 0.8)


def table1(
    report: Presentation, *, metrics: list[Path], published: Path, runs: list[Path]
) -> Table:
    """Make table 1: the fractions of the paper's table 1, or all where a study has none of them.

    Returns:
        Columns model, fraction, seeds, for Dice and Jaccard ours, _sd, _published, _difference,
        and protocol.
    """
    ours = mean_over_seeds(pooled_by_run(read_rows(*metrics)))
    shown = ours["fraction"].isin(FRACTIONS)
    ours = ours[shown] if shown.any() else ours
    ours = ours.assign(model=ours["method"].map(report.short_labels))
    ours = ours[["model", "fraction", "seeds", *METRICS, *(f"{m}_sd" for m in METRICS)]]
    title = "Table 1: performance of state-of-the-art models and our approach"
    note = "; it is the mean over seeds ± their standard deviation"
    return beside_paper(report, title, ours, METRICS, published, runs, note)
