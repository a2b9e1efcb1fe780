"""Audit: do the paper's own numbers fit together? Of tables 1 to 3 and of the sentences."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd

from maskedteeth.metrics.segmentation import METRICS
from maskedteeth.report import consistency
from maskedteeth.report.consistency import ROUNDING
from maskedteeth.report.published import Paper
from maskedteeth.report.quantities import Quantity, Statement
from maskedteeth.report.sentences import SENTENCES, Sentence
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import TITLES, number
from maskedteeth.report.verdicts import REFUTED, SUPPORTED, decide

AGREES, DISAGREES, UNDECIDED, VAGUE = "agrees", "disagrees", "undecided", "no number named"
ALONE = "in no table"
IMPOSSIBLE = "impossible"
#: Of the CSV.
COLUMNS = [
    *("check", "place", "model", "fraction", *METRICS, "jaccard_residual", "dice_residual"),
    *("excess", "empty_share", "at_one_unit", "without_dice", "without_dice_at_one_unit"),
    *("metric", "sentence", "quoted", "recomputed", "verdict", "note"),
]
LEGEND = (
    "*pooled*: one set of pixel counts gives these metrics: J = D/(2 − D) and D = 2PR/(P + R).",
    "*averaged*: no single set of counts does, but an average over images, seeds, batches or "
    "classes, with any weights, can. Then J − D/(2 − D) is positive or 0, D − 2PR/(P + R) negative "
    "or 0.",
    f"**{IMPOSSIBLE}**: no average can, if all metrics of a case are of the same counts. This is "
    "proved, for all values that round to the printed ones (see "
    "`maskedteeth.report.consistency`). *Off by*: at least one printed value is wrong by this much "
    "more than rounding, or by more. †: possible if values may be off by a whole unit of the last "
    "digit.",
    "*Without Dice*: the verdict on Jaccard, precision and recall alone. Eq. 11 with eq. 2, read "
    "literally, is a soft Dice of probabilities, which shares no counts with the others. What is "
    "impossible without Dice is impossible under both readings.",
    "*Or empty*: images without teeth in which none are found could make the row possible, if "
    "the metrics followed different conventions for them (Dice 1 but precision 0, for instance). "
    "This is the share of such images that would be needed. The dataset has 0.5 % (3 of 598).",
    f"*{VAGUE}*: the sentence compares without a number to check; what it compares is recomputed. "
    f"*{ALONE}*: nothing printed could confirm it. Settings (80 epochs, 0.0001, 0.7 and 0.3) are "
    "left out.",
)


def audit(*, table1: Path, table2: Path, table3: Path, models: Path) -> Table:
    """Audit the published numbers; nothing of a study enters.

    Args:
        table1: the paper's table 1 as CSV: model, fraction, dice, jaccard.
        table2: likewise table 2: model, fraction, dice, jaccard, precision, recall.
        table3: likewise table 3: seed, fraction, dice, jaccard, precision, recall.
        models: names of methods in settings, table 1 and table 2.

    Returns:
        A row a check (of a row, a cell, a sentence), with the columns that apply to it.
    """
    paper, first = Paper(models, table2, table3, seeds=False), pd.read_csv(table1)
    seeds = paper.table3.assign(model="seed " + paper.table3["seed"].map(str))
    tables = {"Table 1": first, "Table 2": paper.table2, "Table 3": seeds}
    rows = {place: _judged(table).assign(place=place) for place, table in tables.items()}
    cells = pd.concat([_against_table2(first, paper), _against_seeds(paper)])
    sentences = pd.DataFrame([_checked(sentence, paper) for sentence in SENTENCES])
    checks = {"row": pd.concat(rows.values()), "cell": cells, "sentence": sentences}
    frame = pd.concat([table.assign(check=check) for check, table in checks.items()])
    agree = f"The other {(cells['verdict'] == AGREES).sum()} values in two tables agree."
    parts = (
        *(Part(_rows(table), f"{place}, row by row") for place, table in rows.items()),
        Part(_cells(cells), "Values that two tables give differently", agree),
        Part(_sentences(sentences), "Sentences"),
    )
    title = "Audit of the published numbers"
    return Table(title, frame[COLUMNS].reset_index(drop=True), parts, _lead(rows), LEGEND)


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    """Judge a table's rows, also without Dice and with values that may be off by a whole unit."""
    found = []
    for row in table.to_dict("records"):
        values = {metric: row[metric] for metric in METRICS if metric in row}
        others = {metric: value for metric, value in values.items() if metric != "dice"}
        (verdict, at_one_unit), (without, without_at) = map(_judged_row, (values, others))
        found.append(
            {"model": row["model"], "fraction": row["fraction"], **values, **vars(verdict)}
            | {"at_one_unit": at_one_unit, "without_dice_at_one_unit": without_at}
            | {"without_dice": without.verdict if len(others) > 1 else ""}
        )
    return pd.DataFrame(found)


def _judged_row(values: dict[str, float]) -> tuple[consistency.Verdict, bool]:
    verdict = consistency.judge(values)
    wide = verdict if verdict.verdict != IMPOSSIBLE else consistency.judge(values, 2 * ROUNDING)
    return verdict, wide.verdict == IMPOSSIBLE


def _against_table2(table1: pd.DataFrame, paper: Paper) -> pd.DataFrame:
    """Compare each value of table 1 with the same one of table 2."""
    names = paper.models.set_index("table2")["table1"]
    table2 = paper.table2.assign(model=paper.table2["model"].map(names))
    cells = _side_by_side(table1, table2, ["dice", "jaccard"], 0, paper)
    return cells.assign(place="Table 1 against table 2")


def _against_seeds(paper: Paper) -> pd.DataFrame:
    """Compare the rows of table 2 that table 3 takes apart with the means of their seeds.

    A mean of rounded values is off by up to half a unit, the printed mean by as much again.
    """
    means = paper.table3.groupby("fraction", as_index=False)[list(METRICS)].mean()
    ours = paper.table2[paper.table2["model"] == _ours(paper)["table2"]]
    means = means.assign(model=_ours(paper)["table2"])
    cells = _side_by_side(ours, means, list(METRICS), 2 * ROUNDING, paper)
    return cells.assign(place="Table 2 against the mean of table 3")


def _ours(paper: Paper) -> pd.Series:
    return paper.models[paper.models["by_seed"] == "table3"].iloc[0]


def _side_by_side(
    quoted: pd.DataFrame, other: pd.DataFrame, metrics: list[str], allowed: float, paper: Paper
) -> pd.DataFrame:
    keys = ["model", "fraction"]
    quoted, other = (table.set_index(keys)[metrics].stack() for table in (quoted, other))
    cells = pd.DataFrame({"quoted": quoted, "recomputed": other.reindex(quoted.index)})
    cells = cells.rename_axis([*keys, "metric"]).reset_index()
    fits = (cells["quoted"] - cells["recomputed"]).abs() <= allowed + 1e-9
    cells["verdict"] = np.where(fits, AGREES, DISAGREES)
    return cells.assign(note=[_twins(cell, paper) for _, cell in cells.iterrows()])


def _twins(cell: pd.Series, paper: Paper) -> str:
    """Say where else a disagreeing value of ours is printed, which may say whence it came.

    It is looked for among the other metrics and the seeds at the same fraction.
    """
    ours = _ours(paper)
    if cell["verdict"] == AGREES or cell["model"] not in (ours["table1"], ours["table2"]):
        return ""
    table2, table3 = (
        table[table["fraction"] == cell["fraction"]] for table in (paper.table2, paper.table3)
    )
    row = table2[table2["model"] == ours["table2"]].iloc[0]
    same = [m for m in METRICS if m != cell["metric"] and row[m] == cell["quoted"]]
    seeds = table3["seed"][table3[cell["metric"]] == cell["quoted"]]
    return ", ".join([f"the row's {TITLES[m]}" for m in same] + [f"seed {seed}" for seed in seeds])


def _checked(sentence: Sentence, paper: Paper) -> dict:
    """Check a sentence against the tables.

    A number agrees if a value that rounds to it can be recomputed from values that round to the
    printed ones. Of a statement the margin is recomputed.
    """
    quoted = float(sentence.quoted or "nan")
    found, verdict = sentence.check(paper) if sentence.check else np.nan, ALONE
    if isinstance(found, Statement):
        said, found = decide(found)
        verdict = {SUPPORTED: AGREES, REFUTED: DISAGREES}.get(said, UNDECIDED)
    elif sentence.check:
        verdict = VAGUE
        if sentence.quoted:
            half = 0.5 * 10.0 ** int(Decimal(sentence.quoted).as_tuple().exponent) + 1e-9
            low, high = found.interval(0) if isinstance(found, Quantity) else (found, found)
            meets = low <= quoted + half and high >= quoted - half
            verdict = AGREES if meets else DISAGREES
    return {
        "place": sentence.place,
        "sentence": sentence.text,
        "quoted": quoted,
        "recomputed": found.value if isinstance(found, Quantity) else found,
        "verdict": verdict,
        "note": sentence.note,
    }


def _lead(rows: dict[str, pd.DataFrame]) -> str:
    full = pd.concat([rows["Table 2"], rows["Table 3"]])
    dice, without = ((full[key] == IMPOSSIBLE).sum() for key in ("verdict", "without_dice"))
    short = (rows["Table 1"]["verdict"] == IMPOSSIBLE).sum()
    return (
        f"**{dice} of the {len(full)} rows of tables 2 and 3 cannot come out of any averaging if "
        "Dice is of thresholded masks, as Jaccard, precision and recall are; "
        f"{without} if Dice is a soft one, which is what eq. 11 says when read literally** "
        f"({full['at_one_unit'].sum()} and {full['without_dice_at_one_unit'].sum()} even if every "
        "value may be off by a whole unit of its last digit). Of thresholded masks, "
        f"{short} of the {len(rows['Table 1'])} rows of table 1 cannot either."
    )


def _rows(frame: pd.DataFrame) -> pd.DataFrame:
    metrics = [metric for metric in METRICS if metric in frame]
    impossible = frame["verdict"] == IMPOSSIBLE
    daggers = np.where(frame["at_one_unit"], "", " †")
    off_by = (f"{v:.4f}" if v >= 5e-5 else "< 0.0001" for v in frame["excess"])
    empty = [f"{v:.1%}" if np.isfinite(v) else "never" for v in frame["empty_share"]]
    text = {"Row": _once(frame["model"]), "Train. data": frame["fraction"].map("{:g}".format)}
    text |= {TITLES[metric]: frame[metric].map("{:.3f}".format) for metric in metrics}
    text |= {
        "J − D/(2 − D)": [number(value, "+.4f") for value in frame["jaccard_residual"]],
        "D − 2PR/(P + R)": [number(value, "+.4f") for value in frame["dice_residual"]],
        "Verdict": _strong(frame["verdict"], IMPOSSIBLE),
        "Without Dice": _strong(frame["without_dice"], IMPOSSIBLE),
        "Off by": np.where(impossible, list(map(str.__add__, off_by, daggers)), ""),
        "Or empty": np.where(impossible, empty, ""),
    }
    if len(metrics) < len(METRICS):
        del text["D − 2PR/(P + R)"], text["Without Dice"]
    return pd.DataFrame(text)


def _once(names: pd.Series) -> pd.Series:
    """Leave out a name that repeats the one above."""
    return names.where(names != names.shift(), "")


def _strong(values: pd.Series, which: str) -> list[str]:
    return [f"**{value}**" if value == which else value for value in values]


def _cells(frame: pd.DataFrame) -> pd.DataFrame:
    differ = frame[frame["verdict"] == DISAGREES]
    return pd.DataFrame(
        {
            "Compared": differ["place"],
            "Row": differ["model"],
            "Train. data": differ["fraction"].map("{:g}".format),
            "Metric": differ["metric"].map(TITLES),
            "First": differ["quoted"].map("{:.3f}".format),
            "Second": differ["recomputed"].map("{:.3f}".format),
            "Same value at": differ["note"],
        }
    )


def _sentences(table: pd.DataFrame) -> pd.DataFrame:
    def cell(value: float, like: float) -> str:
        return "" if np.isnan(value) else f"{value:g}" if abs(like) >= 1 else f"{value:.3f}"

    statement = table["quoted"].isna() & ~table["verdict"].isin([VAGUE, ALONE])
    recomputed = table["recomputed"].mask(statement)
    return pd.DataFrame(
        {
            "Place": _once(table["place"]),
            "Sentence": table["sentence"],
            "Quoted": list(map(cell, table["quoted"], table["quoted"])),
            "Recomputed": list(map(cell, recomputed, table["quoted"])),
            "Verdict": _strong(table["verdict"], DISAGREES),
            "Note": table["note"],
        }
    )
