"""Table 3: one method, seed by seed (appendix E)."""

from pathlib import Path

from maskedteeth.metrics.segmentation import METRICS
from maskedteeth.report.results import pooled_by_run, read_rows
from maskedteeth.report.table import Table
from maskedteeth.report.tables.layout import beside_paper
from maskedteeth.settings.sections import Presentation


def table3(
    report: Presentation, *, metrics: list[Path], published: Path, runs: list[Path]
) -> Table:
    """Make table 3, of the runs of the method ``report.ours`` alone.

    Returns:
        Columns seed, fraction, for each metric ours, _published, _difference, and protocol.
    """
    by_seed = pooled_by_run(read_rows(*metrics))
    seeds = list(dict.fromkeys(by_seed["seed"]))
    by_seed = by_seed.sort_values("seed", key=lambda s: s.map(seeds.index), kind="stable")
    by_seed = by_seed[["seed", "fraction", *METRICS]]
    title = f"Table 3: {report.labels[report.ours]}, by seed"
    return beside_paper(report, title, by_seed, METRICS, published, runs)
