"""Claims: do the paper's own numbers support what it says, and do ours?"""

from pathlib import Path

import pandas as pd

from maskedteeth.report.about import about
from maskedteeth.report.claims import CLAIMS
from maskedteeth.report.measured import Study
from maskedteeth.report.published import Paper
from maskedteeth.report.quantities import (
    INCONCLUSIVE,
    NOT_POOLED,
    NOT_TESTED,
    ONE_SEED,
    REFUTED,
    SUPPORTED,
    VERDICTS,
    Results,
    judge,
)
from maskedteeth.report.results import read_rows
from maskedteeth.report.statistics import too_narrow
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import number
from maskedteeth.settings.sections import Presentation

LEGEND = (
    "Every claim is a comparison of numbers and is checked twice: under *Paper* with the numbers "
    "that the paper prints, under *Ours* with those that this study measured.",
    "After the verdict stands by how much the claim holds; below zero, it fails. In brackets is "
    "the 95 % interval of that number: how far chance may have moved it.",
    f"**{SUPPORTED}**: the interval is above zero. **{REFUTED}**: it is below zero. "
    f"*{INCONCLUSIVE}*: zero is inside, so chance alone could explain the number.",
    f"A claim may make several comparisons. It is {SUPPORTED} if each of them is, and {REFUTED} if "
    "one of them clearly fails. The one that decides is shown. (Of k comparisons one may fail by "
    "accident, so it has to fail by a wider interval, the (100 − 5/k) % one.)",
    "*Paper*: the intervals hold rounding and, for our approach, the differences between the three "
    "trainings (seeds) that table 3 prints. More is not known of the paper's chance. "
    f"*{NOT_POOLED}*: the metrics in a row that is compared are averages, or cannot all be right "
    "(see the audit), so the comparison may not be fair.",
    "*Ours*: the intervals hold chance in the choice of the {images} test radiographs ({draws:,} "
    f"bootstrap draws) and in training (the differences between seeds). *{ONE_SEED}*: a method was "
    f"trained once, so nobody knows what another training gives, and the comparison is "
    f"{INCONCLUSIVE} in any case. A pretext is trained once, and its claims are about that one.",
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
        metrics: of all runs.
        table2: the paper's table 2 as CSV.
        table3: likewise table 3.
        models: names of methods in settings, table 1 and table 2.
        pretexts: ``metrics.csv`` of all pretexts; none without.
        runs: records.

    Returns:
        Of each claim: claim, place, text, note, and for paper and ours the verdict and, named
        after them, margin, low, high, basis, remark.
    """
    none = pd.DataFrame(columns=["pretext", "id"])
    measured = read_rows(*pretexts) if pretexts else none
    study = Study(read_rows(*metrics), measured, report.bootstrap_resamples)
    judges = [Paper(models, table2, table3), study]
    frame = pd.DataFrame([_row(name, judges) for name in CLAIMS])
    shown = {side: [_cell(row, side) for _, row in frame.iterrows()] for side in ("paper", "ours")}
    verdicts = {"Claim": frame["text"], "Place": frame["place"]}
    verdicts |= {side.capitalize(): cells for side, cells in shown.items()}
    readings = frame.loc[frame["note"] != "", ["text", "note"]]
    readings = readings.set_axis(["Claim", "Read as"], axis="columns")
    ours = LEGEND[-1].format(draws=report.bootstrap_resamples, images=len(study.ids))
    return Table(
        "The paper's claims",
        frame.assign(protocol=report.protocol),
        (Part(pd.DataFrame(verdicts), "Verdicts"), Part(readings, "How claims are read")),
        f"{_lead(frame)} {about(report, list(runs))}",
        (*LEGEND[:-1], f"{ours} {too_narrow(len(study.ids))}".rstrip()),
    )


def _row(name: str, judges: list[Results]) -> dict:
    claim = CLAIMS[name]
    row = {"claim": name, "place": claim.place, "text": claim.text, "note": claim.note}
    for results in judges:
        verdict = vars(judge(claim.holds, results)).copy()
        row[results.side] = verdict.pop("verdict")
        row |= {f"{results.side}_{part}": value for part, value in verdict.items()}
    return row


def _cell(row: pd.Series, side: str) -> str:
    if row[side] == NOT_TESTED:
        return f"{NOT_TESTED}: {row[f'{side}_basis']}"
    verdict = row[side] if row[side] == INCONCLUSIVE else f"**{row[side]}**"
    margin, low, high = (number(row[f"{side}_{p}"], "+.3f") for p in ("margin", "low", "high"))
    remark = row[f"{side}_remark"]
    return f"{verdict} {margin} [{low}, {high}]" + (f", {remark}" if remark else "")


def _lead(frame: pd.DataFrame) -> str:
    def counts(side: str) -> str:
        n = frame[side].value_counts().reindex(VERDICTS, fill_value=0)
        return (
            f"support {n[SUPPORTED]}, refute {n[REFUTED]}, leave {n[INCONCLUSIVE]} open and cannot "
            f"test {n[NOT_TESTED]}"
        )

    return (
        f"**Of {len(frame)} claims, the paper's own numbers {counts('paper')}. This study's "
        f"numbers {counts('ours')}.** What this study refutes is refuted for its own data and "
        "trainings, not for the paper's."
    )
