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
from maskedteeth.settings.sections import Noise, Presentation

LEGEND = (
    "Each row is a claim of the paper, expressed as a comparison of numbers. It is judged twice: "
    "by the numbers that the paper prints, and by those that this study measured. *Ours*, in a "
    "claim, is the paper's approach: Random Block Masking + Modified ResUNet.",
    "The number after a verdict says by how much the claim holds, in the compared metric (mostly "
    "Dice or Jaccard, from 0 to 1). Below zero, the claim fails. In brackets is the 95 % interval "
    "of that number: how far chance may have moved it.",
    "**supported**: the interval is above zero. **refuted**: it is below zero. *inconclusive*: "
    "zero is inside, so chance alone could explain the number. *not tested*: no number decides the "
    "claim; the reason follows.",
    "Many claims make several comparisons. Such a claim is supported if all of them are, and "
    "refuted if one clearly fails; the one that decides is shown. With many comparisons, one may "
    "fail by chance, so refuting takes a wider interval than the one shown: with k comparisons, "
    "that of (100 − 5/k) %.",
    "*The paper's numbers*: the intervals include rounding and, for our approach, the differences "
    "between the three trainings (seeds) in table 3. No more is known about chance in the paper. "
    "*not pooled*: some of the compared metrics were averaged in some way, or cannot all be right "
    "(see the audit), so the comparison may not be fair.",
    "*This study's numbers*: the intervals include chance in the choice of the {images} test "
    "radiographs ({draws:,} bootstrap draws) and in training (the differences between seeds). *one "
    "seed*: a method was trained once. Nobody knows what another training would give, so this "
    "comparison is inconclusive in any case. A pretext is trained once; claims about it are about "
    "that training.",
)
#: Of the two columns of verdicts.
TITLES = {"paper": "By the paper's numbers", "ours": "By this study's numbers"}


def claims(
    report: Presentation,
    noise: dict[str, Noise],
    *,
    metrics: list[Path],
    table2: Path,
    table3: Path,
    corrections: list[Path] = (),  # type: ignore[assignment]
    pretexts: list[Path] = (),  # type: ignore[assignment]
    runs: list[Path] = (),  # type: ignore[assignment]
) -> Table:
    """Judge the paper's claims by its own numbers and by the study's.

    The paper's tables are CSV files; ``pretexts`` are ``metrics.csv`` of all pretexts, and
    ``corrections`` those files of the methods that were trained on errors, none without.

    Returns:
        Of each claim: claim, place, text, note, and for paper and ours the verdict and, named
        after them, margin, low, high, remark.
    """
    none = pd.DataFrame(columns=["pretext", "id"])
    measured = read_rows(*pretexts) if pretexts else none
    corrected = read_rows(*corrections) if corrections else None
    study = Study(read_rows(*metrics), measured, report.bootstrap_resamples, corrected, noise)
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
    for side, title in TITLES.items():
        verdicts[title] = [_cell(row, side) for row in rows]
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
