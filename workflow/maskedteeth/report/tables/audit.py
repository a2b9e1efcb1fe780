"""Audit: do the paper's own numbers fit together? Of tables 1 to 3 and of the sentences."""

from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np
import pandas as pd

from maskedteeth.errors import InputError
from maskedteeth.metrics.segmentation import METRICS
from maskedteeth.report.consistency import ROUNDING, judge
from maskedteeth.report.expressions import Interval, Misread, read
from maskedteeth.report.published import Published, Unavailable
from maskedteeth.report.reading import read_table, read_values
from maskedteeth.report.tables.layout import NOTHING, TITLES
from maskedteeth.report.tables.sections import Section, write_sections
from maskedteeth.settings.jobs import ReportJob

AGREES, DISAGREES, UNDECIDED, VAGUE = "agrees", "disagrees", "undecided", "no number named"
ALONE = "in no table"
SENTENCE_COLUMNS = ("place", "sentence", "quoted", "expression", "note")
#: Of the CSV.
COLUMNS = [
    *("check", "place", "model", "fraction", *METRICS, "jaccard_residual", "dice_residual"),
    *("excess", "empty_share", "at_one_unit", "without_dice", "without_dice_at_one_unit"),
    *("metric", "sentence", "quoted", "recomputed", "verdict", "note"),
]
LEGEND = [
    "*pooled*: the four metrics can come from one set of pixel counts, J = D/(2 − D) and "
    "D = 2PR/(P + R).",
    "*averaged*: they cannot, but an average of such values, over images, seeds, batches or "
    "classes with any weights, gives this row.",
    "**impossible**: no such average gives it, whatever was averaged, if the metrics of a case are "
    "of the same counts. Each of these is proved (see `maskedteeth.report.consistency`), for all "
    "values that round to the printed ones. *Off by*: at least one printed value is then wrong by "
    "at least this much more than rounding.",
    "*Without Dice*: the same of Jaccard, precision and recall alone, whatever Dice is. Eq. 11 is "
    "1 − Dice loss, and eq. 2 takes the loss of predicted probabilities; read literally, Dice is a "
    "soft one and shares no counts with the other three, which eqs. 12 to 14 define of sets. A row "
    "that is impossible without Dice is so under both readings. Table 1 has nothing else that "
    "Jaccard could contradict.",
    "J − D/(2 − D) is never negative for an average, D − 2PR/(P + R) never positive; both are 0 "
    "when pooled. Rows can respect both and be impossible nevertheless.",
    "Taken for granted: where nothing is annotated and nothing found, all metrics follow one "
    "convention. *Or empty*: the share of such "
    "images with contradictory conventions (for instance Dice 1, precision 0) that would make the "
    "row possible; the dataset has 3 in 598, 0.5 %.",
]


def audit(
    settings: ReportJob,
    *,
    table1: Path,
    table2: Path,
    table3: Path,
    pretext: Path,
    models: Path,
    sentences: Path,
    csv: Path,
    md: Path,
    tex: Path,
) -> None:
    """Write the audit of the published numbers; nothing of the study enters.

    Args:
        settings: not used; every table gets them.
        table1: the paper's table 1 as CSV: model, fraction, dice, jaccard.
        table2: likewise table 2: model, fraction, dice, jaccard, precision, recall.
        table3: likewise table 3: seed, fraction, dice, jaccard, precision, recall.
        pretext: likewise section 4.1: metric, value.
        models: names of methods in settings, table 1 and table 2.
        sentences: place, sentence, quoted (a number; true for a statement; empty where the
            sentence names none), expression (see maskedteeth.report.expressions), note.
        csv: file to write: a row a check, with the columns that apply to it.
        md: file to write.
        tex: file to write.
    """
    published = Published(models, table2, table3, pretext)
    text = checked_sentences(sentences, published)
    first = read_values(table1, ("model", "fraction"), ("dice", "jaccard"))
    rows = {
        "Table 1": judged(first),
        "Table 2": judged(published.table2),
        "Table 3": judged(
            published.table3.assign(model="seed " + published.table3["seed"].map(str))
        ),
    }
    all_rows = pd.concat([frame.assign(place=place) for place, frame in rows.items()])
    cells = {
        "Table 1 against table 2": against_table2(first, published),
        "Table 2 against the mean of table 3": against_seeds(published),
    }
    table = pd.concat(
        [
            all_rows.assign(check="row"),
            *(frame.assign(check="cell", place=place) for place, frame in cells.items()),
            text.assign(check="sentence"),
        ],
        ignore_index=True,
    )
    sections = [Section("Rows by verdict", _counts(rows), "", "lrrrrr")]
    sections += [_rows_section(place, frame) for place, frame in rows.items()]
    sections += [_cells_section(place, frame) for place, frame in cells.items()]
    sections += [_sentences_section(text)]
    title = "Audit of the published numbers"
    write_sections(table[COLUMNS], title, _lead(rows, cells, text), sections, LEGEND, csv, md, tex)


def judged(table: pd.DataFrame) -> pd.DataFrame:
    """Judge the rows of a published table.

    Returns:
        model, fraction, the metrics, jaccard_residual, dice_residual, verdict, excess, empty_share
        (see :class:`maskedteeth.report.consistency.Verdict`), and at_one_unit: whether it is
        impossible even where each value may be off by a whole unit of its last digit;
        without_dice: the verdict on the other metrics, empty where there is but one, and
        without_dice_at_one_unit.
    """
    metrics = [metric for metric in METRICS if metric in table]
    found = []
    for _, row in table.iterrows():
        values = {metric: float(row[metric]) for metric in metrics}
        verdict, others = judge(values), {m: v for m, v in values.items() if m != "dice"}
        without = judge(others).verdict if len(others) > 1 else ""
        found.append(
            {"model": row["model"], "fraction": row["fraction"], **values, **vars(verdict)}
            | {"at_one_unit": _impossible_at_one_unit(values, verdict.verdict)}
            | {"without_dice": without}
            | {"without_dice_at_one_unit": _impossible_at_one_unit(others, without)}
        )
    return pd.DataFrame(found)


def _impossible_at_one_unit(values: dict[str, float], verdict: str) -> bool:
    """Judge a row again if it is impossible, with twice the width."""
    return verdict == "impossible" and judge(values, 2 * ROUNDING).verdict == "impossible"


def against_table2(table1: pd.DataFrame, published: Published) -> pd.DataFrame:
    """Compare each value of table 1 with the same one of table 2.

    Returns:
        A row a value: model, fraction, metric, quoted (table 1), recomputed (table 2), verdict,
        note.
    """
    methods = {name: method for method, name in published.models["table1"].items()}
    found = []
    for _, row in table1.iterrows():
        for metric in ("dice", "jaccard"):
            other = published.printed(metric, (methods.get(row["model"]), row["fraction"]))
            found.append(_cell(row["model"], row["fraction"], metric, row[metric], other, 0.0))
    return _with_twins(pd.DataFrame(found), published)


def against_seeds(published: Published) -> pd.DataFrame:
    """Compare the row of table 2 that table 3 takes apart with the mean of its seeds.

    A mean of rounded values is off by up to half a unit, the printed mean by as much again.

    Returns:
        A row a value: model, fraction, metric, quoted (table 2), recomputed (table 3), verdict,
        note.
    """
    means = published.table3.groupby("fraction")[list(METRICS)].mean()
    names = published.models
    name = names.loc[names["by_seed"] == "table3", "table2"].iloc[0]
    found = []
    for fraction, row in (
        published.table2[published.table2["model"] == name].set_index("fraction").iterrows()
    ):
        for metric in METRICS:
            mean = means.loc[fraction, metric]
            found.append(_cell(name, fraction, metric, row[metric], mean, 2 * ROUNDING))
    return _with_twins(pd.DataFrame(found), published)


def _with_twins(cells: pd.DataFrame, published: Published) -> pd.DataFrame:
    """Note where else the paper prints a disagreeing value of ours, which may say whence it came.

    It is looked for among the other metrics and the seeds at the same fraction.
    """
    ours = published.models.index[published.models["by_seed"] == "table3"][0]
    names = published.models.loc[ours, ["table1", "table2"]].tolist()
    notes = []
    for _, cell in cells.iterrows():
        twins = []
        if cell["verdict"] == DISAGREES and cell["model"] in names:
            others = {f"the row's {TITLES[m]}": (m, (ours, cell["fraction"])) for m in METRICS}
            del others[f"the row's {TITLES[cell['metric']]}"]
            twins += [n for n, of in others.items() if published.printed(*of) == cell["quoted"]]
            seeds = published.table3
            same = (seeds["fraction"] == cell["fraction"]) & (
                seeds[cell["metric"]] == cell["quoted"]
            )
            twins += [f"seed {seed}" for seed in seeds.loc[same, "seed"]]
        notes.append(", ".join(twins))
    return cells.assign(note=notes)


def _cell(model, fraction, metric, quoted, recomputed, allowed) -> dict:
    fits = abs(quoted - recomputed) <= allowed + 1e-9
    return {
        "model": model,
        "fraction": fraction,
        "metric": metric,
        "quoted": quoted,
        "recomputed": recomputed,
        "verdict": AGREES if fits else DISAGREES,
    }


def checked_sentences(file: Path, published: Published) -> pd.DataFrame:
    """Check the paper's sentences against its tables.

    Returns:
        A row a sentence: place, sentence, quoted (NaN for none and for statements), recomputed
        (the margin of a statement), verdict, note. A number agrees if a value that rounds to it
        can be recomputed from values that round to the printed ones.

    Raises:
        InputError: the file lacks a column, or a line holds a quotation or an expression that
            cannot be read.
    """
    table = read_table(file, SENTENCE_COLUMNS, text=SENTENCE_COLUMNS)
    found = []
    for number, row in table.iterrows():
        try:
            result = _checked(row["quoted"], row["expression"], published)
        except (Misread, Unavailable, InvalidOperation) as error:
            what = f"quoted is {row['quoted']!r}, neither a number nor true nor empty"
            reason = what if isinstance(error, InvalidOperation) else str(error)
            raise InputError(f"{file}, line {number + 2}: {reason}. Correct this line.") from None
        found.append(
            {"place": row["place"], "sentence": row["sentence"], **result} | {"note": row["note"]}
        )
    return pd.DataFrame(found)


def _checked(quoted: str, expression: str, published: Published) -> dict:
    statement = quoted == "true"
    number = float("nan") if quoted in ("", "true") else float(Decimal(quoted))
    if not expression:
        return {"quoted": number, "recomputed": float("nan"), "verdict": ALONE}
    parsed = read(expression)
    if parsed.is_statement != statement:
        raise Misread(
            f"{expression!r} is {'no' if statement else 'a'} statement, quoted is {quoted!r}"
        )
    interval = Interval.of(parsed.value(published.rounded))
    value = float(parsed.value(published.printed))
    if statement:
        verdict = AGREES if interval.low > 0 else DISAGREES if interval.high < 0 else UNDECIDED
    elif not quoted:
        verdict = VAGUE
    else:
        half = 0.5 * 10.0 ** int(Decimal(quoted).as_tuple().exponent)
        meets = interval.low <= number + half + 1e-9 and interval.high >= number - half - 1e-9
        verdict = AGREES if meets else DISAGREES
    return {"quoted": number, "recomputed": value, "verdict": verdict}


def _lead(rows: dict, cells: dict, sentences: pd.DataFrame) -> str:
    """Say in a few sentences what came out."""
    full = pd.concat([rows["Table 2"], rows["Table 3"]])
    impossible, without = (full[key] == "impossible" for key in ("verdict", "without_dice"))
    short = (rows["Table 1"]["verdict"] == "impossible").sum()
    counts = sentences["verdict"].value_counts()
    compared = [
        f"{place[0].lower()}{place[1:]}, {(frame['verdict'] == DISAGREES).sum()} of {len(frame)}"
        for place, frame in cells.items()
    ]
    parts = [
        f"**{impossible.sum()} of the {len(full)} rows of tables 2 and 3 cannot come out of any "
        "averaging if Dice is of thresholded masks, as Jaccard, precision and recall are; "
        f"{without.sum()} if Dice is a soft one, which is what eq. 11 says when read literally** "
        f"({full['at_one_unit'].sum()} and {full['without_dice_at_one_unit'].sum()} even if every "
        "value may be off by a whole unit of its last digit). Of thresholded masks, "
        f"{short} of the {len(rows['Table 1'])} rows of table 1 cannot either.",
        f"Disagreeing values: {'; '.join(compared)}.",
        f"Of {len(sentences)} checks of sentences, {counts.get(AGREES, 0)} agree, "
        f"{counts.get(DISAGREES, 0)} disagree, {counts.get(UNDECIDED, 0)} are undecided at three "
        f"digits, {counts.get(VAGUE, 0) + counts.get(ALONE, 0)} cannot be checked.",
    ]
    return " ".join(parts)


def _counts(rows: dict[str, pd.DataFrame]) -> pd.DataFrame:
    verdicts = ["pooled", "averaged", "impossible"]
    return pd.DataFrame(
        [
            {"Table": place.removeprefix("Table "), "Rows": str(len(frame))}
            | {v.capitalize(): str((frame["verdict"] == v).sum()) for v in verdicts}
            | {"Impossible without Dice": _count_without_dice(frame)}
            for place, frame in rows.items()
        ]
    )


def _count_without_dice(frame: pd.DataFrame) -> str:
    judged_so = frame["without_dice"] != ""
    return str((frame["without_dice"] == "impossible").sum()) if judged_so.any() else NOTHING


def _rows_section(place: str, frame: pd.DataFrame) -> Section:
    metrics = [metric for metric in METRICS if metric in frame]
    text = pd.DataFrame({"Row": frame["model"].where(frame["model"] != frame["model"].shift(), "")})
    text["Train. data"] = frame["fraction"].map("{:g}".format)
    for metric in metrics:
        text[TITLES[metric]] = frame[metric].map("{:.3f}".format)
    text["J − D/(2 − D)"] = frame["jaccard_residual"].map(_signed)
    if "precision" in metrics:
        text["D − 2PR/(P + R)"] = frame["dice_residual"].map(_signed)
    verdicts = {"Verdict": frame["verdict"]}
    if "precision" in metrics:
        verdicts["Without Dice"] = frame["without_dice"]
    for title, column in verdicts.items():
        text[title] = [f"**{v}**" if v == "impossible" else v for v in column]
    text["Off by"] = [_off_by(row) for _, row in frame.iterrows()]
    text["Or empty"] = [_share(row) for _, row in frame.iterrows()]
    fragile = (frame["verdict"] == "impossible") & ~frame["at_one_unit"]
    notes = (
        "† possible if values may be off by a whole unit of the last digit."
        if fragile.any()
        else ""
    )
    return Section(f"{place}, row by row", text, notes, "l" * len(text.columns))


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")


def _off_by(row: pd.Series) -> str:
    if row["verdict"] != "impossible":
        return ""
    star = "" if row["at_one_unit"] else " †"
    return (f"{row['excess']:.4f}" if row["excess"] >= 5e-5 else "< 0.0001") + star


def _share(row: pd.Series) -> str:
    if row["verdict"] != "impossible":
        return ""
    return f"{row['empty_share']:.1%}" if np.isfinite(row["empty_share"]) else "never"


def _cells_section(place: str, frame: pd.DataFrame) -> Section:
    differ = frame[frame["verdict"] == DISAGREES]
    first, _, second = place.partition(" against ")
    text = pd.DataFrame(
        {
            "Row": differ["model"],
            "Train. data": differ["fraction"].map("{:g}".format),
            "Metric": differ["metric"].map(TITLES),
            first: differ["quoted"].map("{:.3f}".format),
            second[0].upper() + second[1:]: differ["recomputed"].map("{:.3f}".format),
            "Same value at": differ["note"],
        }
    )
    same = len(frame) - len(differ)
    return Section(place, text, f"The other {same} of {len(frame)} values agree.", "llllll")


def _sentences_section(table: pd.DataFrame) -> Section:
    def number(value: float, quoted: float) -> str:
        return "" if np.isnan(value) else f"{value:g}" if abs(quoted) >= 1 else f"{value:.3f}"

    statement = table["quoted"].isna() & ~table["verdict"].isin([VAGUE, ALONE])
    text = pd.DataFrame(
        {
            "Place": table["place"].where(table["place"] != table["place"].shift(), ""),
            "Sentence": table["sentence"],
            "Quoted": [number(value, value) for value in table["quoted"]],
            "Recomputed": [
                "" if is_one else number(row["recomputed"], row["quoted"])
                for is_one, (_, row) in zip(statement, table.iterrows(), strict=True)
            ],
            "Verdict": [f"**{v}**" if v == DISAGREES else v for v in table["verdict"]],
            "Note": table["note"],
        }
    )
    notes = (
        f"*{VAGUE}*: the sentence compares without a number to check; what it compares is "
        f"recomputed. *{ALONE}*: nothing printed could confirm it. Settings (80 epochs, 0.0001, "
        "0.7 and 0.3) are left out."
    )
    return Section("Sentences", text, notes, "lp{0.35\\linewidth}rrlp{0.2\\linewidth}")
