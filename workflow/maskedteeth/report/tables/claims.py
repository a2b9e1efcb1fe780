"""Claims: do the paper's own numbers support what it says, and do ours?"""

from collections import Counter
from pathlib import Path

import pandas as pd

from maskedteeth.report.about import about
from maskedteeth.report.chance import too_narrow
from maskedteeth.report.claims import CLAIMS
from maskedteeth.report.evidence import Paper, Study
from maskedteeth.report.results import read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import number
from maskedteeth.report.verdicts import INCONCLUSIVE, NOT_TESTED, REFUTED, SUPPORTED, judge
from maskedteeth.settings.sections import Presentation

LEGEND = (
    "Every claim is checked twice: under *Paper* with the numbers that the paper prints, under "
    "*Ours* with those that this study measured.",
    "After the verdict stands by how much the claim holds; below zero, it fails. In brackets is "
    "the 95 % interval of that number: how far chance may have moved it.",
    "**supported**: the interval is above zero. **refuted**: it is below zero. *inconclusive*: "
    "zero is inside, so chance alone could explain the number. *not tested*: no number decides it.",
    "A claim may make several comparisons. It is supported if each of them is, and refuted if one "
    "of them clearly fails. The one that decides is shown. With k comparisons, one may fail by "
    "chance. So a claim is refuted only if a wider interval, of (100 − 5/k) %, lies below zero.",
    "*Paper*: the intervals hold rounding and, for our approach, the differences between the three "
    "trainings (seeds) that table 3 prints. More is not known of the paper's chance. *not pooled*: "
    "the metrics in a row that is compared are averages, or cannot all be right (see the audit), "
    "so the comparison may not be fair.",
    "*Ours*: the intervals hold chance in the choice of the {images} test radiographs ({draws:,} "
    "bootstrap draws) and in training (the differences between seeds). *one seed*: a method was "
    "trained once, so nobody knows what another training gives, and the comparison is inconclusive "
    "in any case. A pretext is trained once, and its claims are about that one.",
)


def claims(
    report: Presentation,
    *,
    metrics: list[Path],
    table2: Path,
    table3: Path,
    pretexts: list[Path] = (),  # type: ignore[assignment]
    runs: list[Path] = (),  # type: ignore[assignment]
) -> Table:
    """Judge the paper's claims by its own numbers and by the study's.

    The paper's tables are CSV files; ``pretexts`` are ``metrics.csv`` of all pretexts, none
    without.

    Returns:
        Of each claim: claim, place, text, note, and for paper and ours the verdict and, named
        after them, margin, low, high, remark.
    """
    none = pd.DataFrame(columns=["pretext", "id"])
    measured = read_rows(*pretexts) if pretexts else none
    study = Study(read_rows(*metrics), measured, report.bootstrap_resamples)
    rows = []
    for name, claim in CLAIMS.items():
        row = {"claim": name, "place": claim.place, "text": claim.text, "note": claim.note}
        for results in (Paper(table2, table3), study):
            verdict = judge(claim.margins, results)._asdict()
            row[results.side] = verdict.pop("verdict")
            row |= {f"{results.side}_{part}": value for part, value in verdict.items()}
        rows.append(row)
    frame = pd.DataFrame(rows)
    verdicts = frame[["text", "place"]].set_axis(["Claim", "Place"], axis="columns")
    for side in ("paper", "ours"):
        verdicts[side.capitalize()] = [_cell(row, side) for row in rows]
    readings = frame.loc[frame["note"] != "", ["text", "note"]]
    readings = readings.set_axis(["Claim", "Read as"], axis="columns")
    ours = LEGEND[-1].format(draws=report.bootstrap_resamples, images=len(study.ids))
    return Table(
        "The paper's claims",
        frame.assign(protocol=report.protocol),
        (Part(verdicts, "Verdicts"), Part(readings, "How claims are read")),
        f"{_lead(frame)} {about(report, list(runs))}",
        (*LEGEND[:-1], f"{ours} {too_narrow(len(study.ids))}".rstrip()),
    )


def _cell(row: dict, side: str) -> str:
    if row[side] == NOT_TESTED:
        return f"{NOT_TESTED}: {row[f'{side}_remark']}"
    verdict = row[side] if row[side] == INCONCLUSIVE else f"**{row[side]}**"
    margin, low, high = (number(row[f"{side}_{p}"], "+.3f") for p in ("margin", "low", "high"))
    remark = row[f"{side}_remark"]
    return f"{verdict} {margin} [{low}, {high}]" + (f", {remark}" if remark else "")


def _lead(frame: pd.DataFrame) -> str:
    def counts(side: str) -> str:
        n = Counter(frame[side])
        return (
            f"support {n[SUPPORTED]}, refute {n[REFUTED]}, leave {n[INCONCLUSIVE]} open and "
            f"cannot test {n[NOT_TESTED]}"
        )

    return (
        f"**Of {len(frame)} claims, the paper's own numbers {counts('paper')}. This study's "
        f"numbers {counts('ours')}.** What this study refutes is refuted for its own data and "
        "trainings, not for the paper's."
    )
