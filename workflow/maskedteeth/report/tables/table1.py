"""Table 1: the state of the art and our approach, in short (section 4.2)."""

from pathlib import Path

from maskedteeth.report.about import about, about_seeds, stamped
from maskedteeth.report.results import mean_over_seeds, pooled_by_run, read_metrics
from maskedteeth.report.tables.layout import beside_published, printed, write_table
from maskedteeth.settings.jobs import ReportJob

METRICS = ("dice", "jaccard")
FRACTIONS = (0.2, 0.3, 0.8)
NOTES = (
    "Each cell: mean over seeds ± sample standard deviation (the paper's value, ours minus the "
    "paper's), pooled over the test radiographs."
)


def table1(
    settings: ReportJob,
    *,
    metrics: list[Path],
    published: Path,
    csv: Path,
    md: Path,
    tex: Path,
    runs: list[Path] = (),  # type: ignore[assignment]
) -> None:
    """Write table 1: the fractions of the paper's table 1, or all where a study has none of them.

    Args:
        settings: labels of the methods, dataset, protocol.
        metrics: ``metrics.csv`` of all runs.
        published: the paper's table 1 as CSV.
        csv: file to write: model, fraction, seeds, and for Dice and Jaccard ours, _sd,
            _published, _difference.
        md: file to write.
        tex: file to write.
        runs: ``run.json`` of all these runs and their pretexts.
    """
    ours = mean_over_seeds(pooled_by_run(read_metrics(metrics, settings)))
    shown = ours["fraction"].isin(FRACTIONS)
    ours = ours[shown] if shown.any() else ours
    labels = ours.pop("method").map(settings.short_labels)
    ours = ours[["fraction", "seeds", *METRICS, *(f"{m}_sd" for m in METRICS)]]
    ours.insert(0, "model", labels)
    table = beside_published(ours, published, ["model", "fraction"], METRICS)
    text = printed(table, {"model": "Model", "fraction": "Train. data", "seeds": "Seeds"}, METRICS)
    title = "Table 1: performance of state-of-the-art models and our approach"
    notes = f"{NOTES} {about_seeds(settings, runs)} {about(settings, runs)}"
    write_table(stamped(table, settings), text, title, notes, csv, md, tex)
