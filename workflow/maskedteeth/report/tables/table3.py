"""Table 3: one method, seed by seed (appendix E)."""

from pathlib import Path

from maskedteeth.metrics.segmentation import METRICS
from maskedteeth.report.about import about, about_seeds, stamped
from maskedteeth.report.results import pooled_by_run, read_metrics
from maskedteeth.report.tables.layout import beside_published, printed, write_table
from maskedteeth.settings.jobs import ReportJob

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
    runs: list[Path] = (),  # type: ignore[assignment]
) -> None:
    """Write table 3.

    Args:
        settings: label of the method ``ours``, dataset, protocol.
        metrics: ``metrics.csv`` of all runs of that method.
        published: the paper's table 3 as CSV.
        csv: file to write: seed, fraction, and for each metric ours, _published, _difference.
        md: file to write.
        tex: file to write.
        runs: ``run.json`` of all these runs and their pretexts.
    """
    by_seed = pooled_by_run(read_metrics(metrics, settings)).drop(columns="method")
    seeds = list(dict.fromkeys(by_seed["seed"]))
    by_seed = by_seed.sort_values("seed", key=lambda s: s.map(seeds.index), kind="stable")
    by_seed = by_seed[["seed", "fraction", *METRICS]]
    table = beside_published(by_seed, published, ["seed", "fraction"], METRICS)
    text = printed(table, {"seed": "Seed", "fraction": "Train. data"}, METRICS)
    title = f"Table 3: {settings.labels[settings.ours]}, by seed"
    notes = f"{NOTES} {about_seeds(settings, runs)} {about(settings, runs)}"
    write_table(stamped(table, settings), text, title, notes, csv, md, tex)
