"""Audit: do the paper's own numbers fit together? Each row by itself, and tables 1 to 3."""

from pathlib import Path

import numpy as np
import pandas as pd

from maskedteeth.metrics.segmentation import METRICS
from maskedteeth.report.consistency import ROUNDING, judge
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import TITLES, number, once

AGREES, DISAGREES, IMPOSSIBLE = "agrees", "disagrees", "impossible"
KEYS = ["method", "fraction"]
#: Of the CSV.
COLUMNS = ["check", "place", "model", "fraction", *METRICS, "jaccard_residual", "dice_residual"]
COLUMNS += ["excess", "empty_share", "without_dice", "metric", "quoted", "recomputed", "verdict"]
COLUMNS += ["note"]
LEGEND = (
    "Within one count of pixels, precision P and recall R determine Dice D, and Dice determines "
    "Jaccard J: D = 2PR/(P + R) and J = D/(2 − D). The two columns of differences are then zero.",
    "*pooled*: one count of pixels can have these metrics.",
    "*averaged*: no single count can, but an average may, over images, seeds, batches or classes, "
    "with any weights. Then J − D/(2 − D) is never negative and D − 2PR/(P + R) never positive.",
    f"**{IMPOSSIBLE}**: no average can either, if all metrics of a case come from the same counts. "
    "This is proved for all values that round to the printed ones, in "
    "`maskedteeth/report/consistency.py`. *Off by*: beyond rounding, one of the printed values is "
    "wrong by at least this much.",
    "*Without Dice*: the verdict if Dice is ignored, because equation 11, read literally, computes "
    "it from probabilities and not from masks.",
    "*Or empty*: another explanation. Images without teeth, in which none are found, get 0 or 1 by "
    "convention, perhaps not the same for each metric. At least this share of such images is "
    "needed to make the row possible. The dataset has 0.5 % (3 of 598).",
)


def audit(*, table1: Path, table2: Path, table3: Path, models: Path) -> Table:
    """Audit the published numbers, all as CSV files; nothing of a study enters.

    ``models`` has the names that tables 1 and 2 print for the methods.

    Returns:
        A row a check (of a row of the paper, or of a value that two tables have), with the columns
        that apply to it.
    """
    first, second, third = map(pd.read_csv, (table1, table2, table3))
    names = pd.read_csv(models, index_col="method")
    in_print = {
        "Table 1": first.assign(model=first["method"].map(names["table1"])),
        "Table 2": second.assign(model=second["method"].map(names["table2"])),
        "Table 3": third.assign(model="seed " + third["seed"].map(str)),
    }
    rows = {place: _judged(table).assign(place=place) for place, table in in_print.items()}
    cells = _compared(*in_print.values())
    frame = pd.concat([*(table.assign(check="row") for table in rows.values()), cells])
    agree = f"The other {(cells['verdict'] == AGREES).sum()} values in two tables agree."
    return Table(
        "Audit of the published numbers",
        frame[COLUMNS].reset_index(drop=True),
        (
            *(Part(_rows(table), f"{place}, row by row") for place, table in rows.items()),
            Part(_cells(cells), "Values that two tables give differently", agree),
        ),
        _lead(pd.concat([rows["Table 2"], rows["Table 3"]])),
        LEGEND,
    )


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    found = []
    for row in table.to_dict("records"):
        values = {metric: row[metric] for metric in METRICS if metric in row}
        others = {metric: value for metric, value in values.items() if metric != "dice"}
        without = judge(others).verdict if len(others) > 1 else ""
        about = {"model": row["model"], "fraction": row["fraction"], "without_dice": without}
        found.append(about | values | vars(judge(values)))
    return pd.DataFrame(found)


def _compared(first: pd.DataFrame, second: pd.DataFrame, third: pd.DataFrame) -> pd.DataFrame:
    """Compare the values that two tables have.

    They are those of table 1, and the rows of table 2 that table 3 takes apart. A mean of rounded
    values is off by up to half a unit, the printed mean by as much again.
    """
    means = third.groupby(KEYS)[list(METRICS)].mean()
    apart = second[second["method"].isin(third["method"])]
    cells = []
    for place, quoted, other, allowed in (
        ("Table 1 against table 2", first, second.set_index(KEYS), 0),
        ("Table 2 against the mean of table 3", apart, means, 2 * ROUNDING),
    ):
        for row in quoted.to_dict("records"):
            for metric in (metric for metric in METRICS if metric in row):
                value = other.loc[(row["method"], row["fraction"]), metric]
                fits = abs(row[metric] - value) <= allowed + 1e-9
                known = {"place": place, "model": row["model"], "fraction": row["fraction"]}
                known |= {"check": "cell", "metric": metric, "quoted": row[metric]}
                known |= {"recomputed": value, "verdict": AGREES if fits else DISAGREES}
                cells.append(known | {"note": "" if fits else _twins(row, metric, apart, third)})
    return pd.DataFrame(cells)


def _twins(row: dict, metric: str, apart: pd.DataFrame, third: pd.DataFrame) -> str:
    """Say where else in tables 2 and 3 a value is printed: whence it may have come."""
    second, seeds = (
        table[(table["method"] == row["method"]) & (table["fraction"] == row["fraction"])]
        for table in (apart, third)
    )
    same = [m for m in METRICS if m != metric and (second[m] == row[metric]).any()]
    found = seeds.loc[seeds[metric] == row[metric], "model"]
    return ", ".join([*(f"the row's {TITLES[m]}" for m in same), *found])


def _lead(full: pd.DataFrame) -> str:
    dice, without = ((full[key] == IMPOSSIBLE).sum() for key in ("verdict", "without_dice"))
    return (
        f"**In {dice} of the {len(full)} rows of tables 2 and 3 the four metrics do not fit "
        "together, however they were averaged**, if Dice, like Jaccard, precision and recall, is "
        f"computed from thresholded masks. It is {without} of them if Dice is soft, as eq. 11 says "
        "when read literally."
    )


def _rows(frame: pd.DataFrame) -> pd.DataFrame:
    metrics = [metric for metric in METRICS if metric in frame]
    off = frame["verdict"] == IMPOSSIBLE
    off_by = [f"{v:.4f}" if v >= 5e-5 else "< 0.0001" for v in frame["excess"]]
    empty = [f"{v:.1%}" if np.isfinite(v) else "never" for v in frame["empty_share"]]
    text = {"Row": once(frame["model"]), "Train. data": frame["fraction"].map("{:g}".format)}
    text |= {TITLES[metric]: frame[metric].map("{:.3f}".format) for metric in metrics}
    text |= {
        "J − D/(2 − D)": [number(value, "+.4f") for value in frame["jaccard_residual"]],
        "D − 2PR/(P + R)": [number(value, "+.4f") for value in frame["dice_residual"]],
        "Verdict": frame["verdict"].replace(IMPOSSIBLE, f"**{IMPOSSIBLE}**"),
        "Without Dice": frame["without_dice"].replace(IMPOSSIBLE, f"**{IMPOSSIBLE}**"),
        "Off by": np.where(off, off_by, ""),
        "Or empty": np.where(off, empty, ""),
    }
    if "recall" not in metrics:
        del text["D − 2PR/(P + R)"], text["Without Dice"]
    return pd.DataFrame(text)


def _cells(frame: pd.DataFrame) -> pd.DataFrame:
    differ = frame[frame["verdict"] == DISAGREES]
    text = {
        "Compared": differ["place"],
        "Row": differ["model"],
        "Train. data": differ["fraction"].map("{:g}".format),
        "Metric": differ["metric"].map(TITLES),
        "First": differ["quoted"].map("{:.3f}".format),
        "Second": differ["recomputed"].map("{:.3f}".format),
        "Same value at": differ["note"],
    }
    return pd.DataFrame(text)
