"""Claims: do the paper's own numbers support what it says, and do ours?"""

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from maskedteeth.report.about import about
from maskedteeth.report.claims import CLAIMS, FRACTIONS
from maskedteeth.report.measured import Study
from maskedteeth.report.published import Paper
from maskedteeth.report.quantities import NOT_POOLED, ONE_SEED, Results
from maskedteeth.report.statistics import too_narrow
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import number
from maskedteeth.report.verdicts import (
    INCONCLUSIVE,
    NOT_TESTED,
    REFUTED,
    SUPPORTED,
    VERDICTS,
    judge,
)
from maskedteeth.settings.sections import Presentation

LEGEND = (
    "Each claim is tested twice: *Paper* uses the numbers that the paper prints, *Ours* those that "
    "this study measured.",
    "The first number is the margin: by how much the claim holds or, if it is negative, fails, in "
    "units of the metric. In brackets is its 95 % interval.",
    f"**{SUPPORTED}**: the interval is above zero. **{REFUTED}**: it is below zero. "
    f"*{INCONCLUSIVE}*: neither, the numbers are too uncertain to tell.",
    f"A claim of k comparisons is {SUPPORTED} if all of them are, and {REFUTED} if one is by its "
    "(100 − 5/k) % interval, for k comparisons are k chances to fail by accident. The comparison "
    "that decides is shown.",
    "*Paper*: intervals hold rounding and, for our approach, the differences between its three "
    f"printed seeds; no other chance is known. *{NOT_POOLED}*: a row of the paper was averaged in "
    "another way or cannot be right (see the audit), so the comparison may not be fair.",
    "*Ours*: intervals hold chance in the test radiographs ({draws:,} bootstrap draws of {images}) "
    f"and in training (the differences between seeds). *{ONE_SEED}*: a method was trained once, so "
    f"chance in training is unknown and the comparison {INCONCLUSIVE}. A pretext is trained once, "
    "and its claims are about that training.",
)
NAMES = (
    "`OURS` is our approach, `RESUNET` its network without a pretext, "
    f"`FRACTIONS` are {', '.join(map(str, FRACTIONS))}."
)


def claims(
    report: Presentation,
    *,
    metrics: list[Path],
    table2: Path,
    table3: Path,
    models: Path,
    pretexts: list[Path] = (),  # type: ignore[assignment]
    runs: list[Path] = (),  # type: ignore[assignment]
) -> Table:
    """Judge the paper's claims by its own numbers and by the study's.

    Args:
        report: dataset, protocol, bootstrap draws.
        metrics: ``metrics.csv`` of all runs.
        table2: the paper's table 2 as CSV.
        table3: likewise table 3.
        models: names of methods in settings, table 1 and table 2.
        pretexts: ``metrics.csv`` of all pretexts; none without.
        runs: ``run.json`` of all runs and pretexts.

    Returns:
        Of each claim: claim, place, text, statement, note, and for paper and ours the verdict and,
        named after them, margin, low, high, basis, remark.
    """
    study = Study(_read(metrics), _read(pretexts), report.bootstrap_resamples)
    judges = {"paper": Paper(models, table2, table3), "ours": study}
    frame = pd.DataFrame([_row(name, judges) for name in CLAIMS])
    ours = LEGEND[-1].format(draws=report.bootstrap_resamples, images=len(study.ids))
    return Table(
        "The paper's claims",
        frame.assign(protocol=report.protocol),
        (Part(_verdicts(frame), "Verdicts"), Part(_readings(frame), "Readings", NAMES)),
        f"{_lead(frame)} {about(report, list(runs))}",
        (*LEGEND[:-1], f"{ours} {too_narrow(len(study.ids))}".rstrip()),
    )


def _read(files: list[Path]) -> pd.DataFrame:
    frames = [pd.read_csv(file, dtype={"id": str}) for file in files]
    return pd.concat(frames) if frames else pd.DataFrame(columns=["pretext", "id"])


def _row(name: str, judges: dict[str, Results]) -> dict:
    claim = CLAIMS[name]
    row = {"claim": name, "place": claim.place, "text": claim.text}
    row |= {"statement": claim.statement, "note": claim.note}
    for side, results in judges.items():
        verdict = asdict(judge(claim.holds, results))
        row[side] = verdict.pop("verdict")
        row |= {f"{side}_{part}": value for part, value in verdict.items()}
    return row


def _verdicts(frame: pd.DataFrame) -> pd.DataFrame:
    rows = frame.to_dict("records")
    sides = {side.capitalize(): [_cell(row, side) for row in rows] for side in ("paper", "ours")}
    return pd.DataFrame({"Claim": frame["text"], "Place": frame["place"], **sides})


def _cell(row: dict, side: str) -> str:
    if row[side] == NOT_TESTED:
        return f"{NOT_TESTED}: {row[f'{side}_basis']}"
    verdict = row[side] if row[side] == INCONCLUSIVE else f"**{row[side]}**"
    margin, low, high = (number(row[f"{side}_{p}"], "+.3f") for p in ("margin", "low", "high"))
    remark = row[f"{side}_remark"]
    return f"{verdict} {margin} [{low}, {high}]" + (f", {remark}" if remark else "")


def _readings(frame: pd.DataFrame) -> pd.DataFrame:
    tested = frame[frame["statement"] != ""]
    text = {"Claim": tested["text"], "Read as": "`" + tested["statement"] + "`"}
    return pd.DataFrame({**text, "Note": tested["note"]})


def _lead(frame: pd.DataFrame) -> str:
    def counts(side: str) -> str:
        n = frame[side].value_counts().reindex(VERDICTS, fill_value=0)
        return (
            f"support {n[SUPPORTED]}, refute {n[REFUTED]}, leave open {n[INCONCLUSIVE]} and cannot "
            f"test {n[NOT_TESTED]}"
        )

    return (
        f"**Of {len(frame)} claims the paper's own numbers {counts('paper')}; this study's "
        f"{counts('ours')}.** What a study refutes is refuted for its data and trainings, not for "
        "the paper's."
    )
