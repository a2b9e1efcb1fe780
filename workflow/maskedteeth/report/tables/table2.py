"""Table 2: every method at every fraction, averaged over seeds (appendix E)."""

from pathlib import Path

from maskedteeth.metrics.segmentation import METRICS
from maskedteeth.report.about import about, about_seeds, stamped
from maskedteeth.report.results import mean_over_seeds, pooled_by_run, read_metrics
from maskedteeth.report.tables.layout import beside_published, printed, write_table
from maskedteeth.settings.jobs import ReportJob

NOTES = (
    "Each cell: mean over seeds ± sample standard deviation (the paper's value, ours minus the "
    "paper's). A seed's value pools the pixels of its test radiographs; the CSV file has the "
    "mean of the radiographs' own Dice beside it."
)


def table2(
    settings: ReportJob,
    *,
    metrics: list[Path],
    published: Path,
    csv: Path,
    md: Path,
    tex: Path,
    runs: list[Path] = (),  # type: ignore[assignment]
) -> None:
    """Write table 2.

    Args:
        settings: labels of the methods, dataset, protocol.
        metrics: ``metrics.csv`` of all runs.
        published: the paper's table 2 as CSV.
        csv: file to write: model, fraction, seeds, the mean over test radiographs of their own
            Dice as dice_per_image, and for each metric ours, _sd, _published, _difference.
        md: file to write.
        tex: file to write.
        runs: ``run.json`` of all these runs and their pretexts.
    """
    images = read_metrics(metrics, settings, ("dice",))
    ours = mean_over_seeds(pooled_by_run(images))
    per_image = images.groupby(["method", "fraction"], sort=False)["dice"].mean()
    ours["dice_per_image"] = per_image.to_numpy()
    ours.insert(0, "model", ours.pop("method").map(settings.labels))
    table = beside_published(ours, published, ["model", "fraction"], METRICS)
    text = printed(table, {"model": "Model", "fraction": "Train. data", "seeds": "Seeds"}, METRICS)
    title = "Table 2: performance of all models"
    notes = f"{NOTES} {about_seeds(settings, runs)} {about(settings, runs)}"
    write_table(stamped(table, settings), text, title, notes, csv, md, tex)
