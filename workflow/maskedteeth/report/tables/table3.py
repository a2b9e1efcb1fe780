"""Table 3: one method, seed by seed (appendix E)."""

from pathlib import Path

from maskedteeth.jobs import ReportJob
from maskedteeth.metrics.segmentation import METRICS
from maskedteeth.report.about import about
from maskedteeth.report.results import pooled_by_run, read_metrics
from maskedteeth.report.tables.layout import beside_published, printed, write_table

NOTES = (
    "Each cell: our value (the paper's, ours minus the paper's), pooled over the test radiographs."
)


def table3(
    settings: ReportJob,
    *,
    metrics: list[Path],
    published: Path,
    csv: Path,
    md: Path,
    tex: Path,
) -> None:
    """Write table 3.

    Args:
        settings: label of the method ``ours``, dataset, protocol.
        metrics: ``metrics.csv`` of all runs of that method.
        published: the paper's table 3 as CSV.
        csv: file to write: seed, fraction, and for each metric ours, _published, _difference.
        md: file to write.
        tex: file to write.
    """
    runs = pooled_by_run(read_metrics(metrics)).drop(columns="method")
    seeds = list(dict.fromkeys(runs["seed"]))
    runs = runs.sort_values("seed", key=lambda s: s.map(seeds.index), kind="stable")
    runs = runs[["seed", "fraction", *METRICS]]
    table = beside_published(runs, published, ["seed", "fraction"], METRICS)
    text = printed(table, {"seed": "Seed", "fraction": "Train. data"}, METRICS)
    title = f"Table 3: {settings.labels[settings.ours]}, by seed"
    write_table(table, text, title, f"{NOTES} {about(settings)}", csv, md, tex)
