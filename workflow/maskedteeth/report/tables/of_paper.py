"""The paper's tables 1, 2 and 3: our values, with the paper's beside them."""

import math
from pathlib import Path

import pandas as pd

from maskedteeth.metrics.segmentation import METRICS
from maskedteeth.report.about import about, about_seeds
from maskedteeth.report.results import mean_over_seeds, pooled_by_run, read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import TITLES, deviating, number, once
from maskedteeth.settings.sections import Presentation

#: Of table 1.
IN_SHORT = ("dice", "jaccard")
FRACTIONS = (0.2, 0.3, 0.8)
#: What tells the rows of two tables apart.
KEYS = ("method", "fraction", "seed")
#: How to read a cell.
CELL = (
    "Each cell: our value, then in brackets the paper's value and ours minus the paper's. Ours is "
    "computed from the pixels of all test radiographs together"
)
OVER_SEEDS = "; it is the mean over seeds ± their standard deviation"


def table1(
    report: Presentation, *, metrics: list[Path], published: Path, runs: list[Path]
) -> Table:
    """Make table 1, in short (section 4.2): its fractions, or all where a study has none of them.

    Returns:
        Columns model, fraction, seeds, for Dice and Jaccard ours, _sd, _published, _difference,
        and protocol.
    """
    ours = mean_over_seeds(pooled_by_run(read_rows(*metrics)), IN_SHORT)
    shown = ours["fraction"].isin(FRACTIONS)
    ours = ours[shown] if shown.any() else ours
    ours.insert(0, "model", ours["method"].map(report.short_labels))
    title = "Table 1: performance of state-of-the-art models and our approach"
    return _beside_paper(report, title, ours, IN_SHORT, published, runs, OVER_SEEDS)


def table2(
    report: Presentation, *, metrics: list[Path], published: Path, runs: list[Path]
) -> Table:
    """Make table 2: every method at every fraction, averaged over seeds (appendix E).

    Returns:
        Columns model, fraction, seeds, the mean over test radiographs of their own Dice as
        dice_per_image, for each metric ours, _sd, _published, _difference, and protocol.
    """
    images = read_rows(*metrics)
    ours = mean_over_seeds(pooled_by_run(images))
    per_image = images.groupby(["method", "fraction"], sort=False)["dice"].mean()
    ours["dice_per_image"] = per_image.to_numpy()
    ours.insert(0, "model", ours["method"].map(report.labels))
    note = f"{OVER_SEEDS}. The CSV file also has the mean Dice per radiograph"
    title = "Table 2: performance of all models"
    return _beside_paper(report, title, ours, METRICS, published, runs, note)


def table3(
    report: Presentation, *, metrics: list[Path], published: Path, runs: list[Path]
) -> Table:
    """Make table 3: the method ``report.ours``, seed by seed (appendix E), of its runs alone.

    Returns:
        Columns seed, fraction, for each metric ours, _published, _difference, and protocol.
    """
    by_seed = pooled_by_run(read_rows(*metrics))
    seeds = list(dict.fromkeys(by_seed["seed"]))
    by_seed = by_seed.sort_values("seed", key=lambda s: s.map(seeds.index), kind="stable")
    by_seed.insert(0, "seed", by_seed.pop("seed"))
    title = f"Table 3: {report.labels[report.ours]}, by seed"
    return _beside_paper(report, title, by_seed, METRICS, published, runs)


def _beside_paper(
    report: Presentation,
    title: str,
    ours: pd.DataFrame,
    metrics: tuple[str, ...],
    published: Path,
    runs: list[Path],
    note: str = "",
) -> Table:
    """Make a table of our values with the paper's beside them.

    The first column of ``ours`` is the one that is printed first; method, fraction and seed say
    which row of the paper's table is meant. ``note`` ends the sentence on what our values are.

    Returns:
        The columns of ``ours`` but its method, with ``<metric>_published`` and
        ``<metric>_difference`` (ours minus published) after each metric, NaN where the paper has no
        such row; and protocol.
    """
    keys = [key for key in KEYS if key in ours]
    paper = read_rows(published)[[*keys, *metrics]]
    table = ours.merge(paper, on=keys, how="left", suffixes=("", "_published"))
    order = []
    for metric in metrics:
        table[f"{metric}_difference"] = table[metric] - table[f"{metric}_published"]
        order += [f"{metric}{end}" for end in ("", "_sd", "_published", "_difference")]
    others = [name for name in table if name not in order and name != "method"]
    table = table[[*others, *(name for name in order if name in table)]]
    text = {TITLES[name]: table[name].astype(str) for name in others if name in TITLES}
    text[TITLES[others[0]]] = once(table[others[0]].astype(str))
    rows = [row for _, row in table.iterrows()]
    text |= {TITLES[metric]: [_cell(row, metric) for row in rows] for metric in metrics}
    return Table(
        title=title,
        frame=table.assign(protocol=report.protocol),
        parts=(Part(pd.DataFrame(text)),),
        lead=about(report, runs),
        notes=(f"{CELL}{note}.", about_seeds(report, runs)),
    )


def _cell(row: pd.Series, metric: str) -> str:
    text = deviating(row, metric, ".3f")
    if not math.isnan(row[f"{metric}_published"]):
        difference = number(row[f"{metric}_difference"], "+.3f")
        text += f" *({row[f'{metric}_published']:.3f}, {difference})*"
    return text
