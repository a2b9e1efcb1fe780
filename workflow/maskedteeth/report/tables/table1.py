"""Table 1: the state of the art and our approach, in short (section 4.2)."""

from pathlib import Path

from maskedteeth.report.about import about, about_seeds
from maskedteeth.report.results import mean_over_seeds, pooled_by_run, read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import CELL, beside_published, printed
from maskedteeth.settings.sections import Presentation

METRICS = ("dice", "jaccard")
FRACTIONS = (0.2, 0.3, 0.8)


def table1(
    report: Presentation, *, metrics: list[Path], published: Path, runs: list[Path]
) -> Table:
    """Make table 1: the fractions of the paper's table 1, or all where a study has none of them.

    Args:
        report: labels of the methods, dataset, protocol.
        metrics: ``metrics.csv`` of all runs.
        published: the paper's table 1 as CSV.
        runs: records of all these runs and their pretexts.

    Returns:
        Columns model, fraction, seeds, for Dice and Jaccard ours, _sd, _published, _difference,
        and protocol.
    """
    ours = mean_over_seeds(pooled_by_run(read_rows(*metrics)))
    shown = ours["fraction"].isin(FRACTIONS)
    ours = ours[shown] if shown.any() else ours
    labels = ours.pop("method").map(report.short_labels)
    ours = ours[["fraction", "seeds", *METRICS, *(f"{m}_sd" for m in METRICS)]]
    ours.insert(0, "model", labels)
    table = beside_published(ours, published, ["model", "fraction"], METRICS)
    text = printed(table, {"model": "Model", "fraction": "Train. data", "seeds": "Seeds"}, METRICS)
    return Table(
        title="Table 1: performance of state-of-the-art models and our approach",
        frame=table.assign(protocol=report.protocol),
        parts=(Part(text),),
        lead=about(report, runs),
        notes=(
            f"{CELL}; it is the mean over seeds ± their standard deviation.",
            about_seeds(report, runs),
        ),
    )
