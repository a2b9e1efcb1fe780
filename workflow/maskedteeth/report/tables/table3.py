"""Table 3: one method, seed by seed (appendix E)."""

from pathlib import Path

from maskedteeth.metrics.segmentation import METRICS
from maskedteeth.report.about import about, about_seeds
from maskedteeth.report.results import pooled_by_run, read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import CELL, beside_published, printed
from maskedteeth.settings.sections import Presentation


def table3(
    report: Presentation, *, metrics: list[Path], published: Path, runs: list[Path]
) -> Table:
    """Make table 3.

    Args:
        report: label of the method ``ours``, dataset, protocol.
        metrics: ``metrics.csv`` of all runs of that method.
        published: the paper's table 3 as CSV.
        runs: records of all these runs and their pretexts.

    Returns:
        Columns seed, fraction, for each metric ours, _published, _difference, and protocol.
    """
    by_seed = pooled_by_run(read_rows(*metrics)).drop(columns="method")
    seeds = list(dict.fromkeys(by_seed["seed"]))
    by_seed = by_seed.sort_values("seed", key=lambda s: s.map(seeds.index), kind="stable")
    by_seed = by_seed[["seed", "fraction", *METRICS]]
    table = beside_published(by_seed, published, ["seed", "fraction"], METRICS)
    return Table(
        title=f"Table 3: {report.labels[report.ours]}, by seed",
        frame=table.assign(protocol=report.protocol),
        parts=(Part(printed(table, {"seed": "Seed", "fraction": "Train. data"}, METRICS)),),
        lead=about(report, runs),
        notes=(f"{CELL}.", about_seeds(report, runs)),
    )
