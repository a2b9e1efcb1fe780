"""Table 2: every method at every fraction, averaged over seeds (appendix E)."""

from pathlib import Path

from maskedteeth.metrics.segmentation import METRICS
from maskedteeth.report.results import mean_over_seeds, pooled_by_run, read_rows
from maskedteeth.report.table import Table
from maskedteeth.report.tables.layout import beside_paper
from maskedteeth.settings.sections import Presentation


def table2(
    report: Presentation, *, metrics: list[Path], published: Path, runs: list[Path]
) -> Table:
    """Make table 2.

    Returns:
        Columns model, fraction, seeds, the mean over test radiographs of their own Dice as
        dice_per_image, for each metric ours, _sd, _published, _difference, and protocol.
    """
    images = read_rows(*metrics)
    ours = mean_over_seeds(pooled_by_run(images))
    per_image = images.groupby(["method", "fraction"], sort=False)["dice"].mean()
    ours["dice_per_image"] = per_image.to_numpy()
    ours.insert(0, "model", ours.pop("method").map(report.labels))
    note = (
        "; it is the mean over seeds ± their standard deviation. The CSV file also has the mean of "
        "the radiographs' own Dice"
    )
    title = "Table 2: performance of all models"
    return beside_paper(report, title, ours, METRICS, published, runs, note)
