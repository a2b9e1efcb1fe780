"""Claims: do the paper's own numbers support what it says, and do ours?"""

from pathlib import Path

import pandas as pd

from maskedteeth.report.about import about, stamped
from maskedteeth.report.claims import (
    NOT_POOLED,
    ONE_SEED,
    Claim,
    Measured,
    Verdict,
    of_published,
    of_study,
    read_claims,
)
from maskedteeth.report.published import Published
from maskedteeth.report.reconstructions import read_pretext
from maskedteeth.report.results import read_metrics
from maskedteeth.report.statistics import too_narrow
from maskedteeth.report.tables.sections import Section, write_sections
from maskedteeth.report.verdicts import INCONCLUSIVE, NOT_TESTED, REFUTED, SUPPORTED
from maskedteeth.settings.jobs import ReportJob

LEGEND = [
    "*Margin*: the amount by which a claim holds, negative where it fails, with its 95 % interval. "
    "Of a claim with several parts, that of one part with its own interval: the one that holds "
    f"least; where the claim is not {SUPPORTED}, of the parts that refute it or leave it open.",
    f"**{SUPPORTED}**: the interval of every part lies above zero. **{REFUTED}**: that of some "
    "part lies below, at a level as many times stricter as there are parts. "
    f"*{INCONCLUSIVE}*: neither. (Of parts of which one is enough, the other way round.) Either "
    "verdict is wrong at most once in 40 studies, if the intervals hold what they promise. So a "
    f"claim of several parts may be {INCONCLUSIVE} though the interval printed, which is the 95 % "
    "one, lies below zero.",
    "*Paper*: from the printed numbers alone. The interval holds all values that round to them "
    "and, for ours, of which table 3 prints three seeds, the t interval over these, or the "
    "interval of a spread over them. Images and the other methods' seeds are not "
    "printed, so their chance is not in it: a verdict is on the printed numbers. "
    f"*{NOT_POOLED}*: a row that it compares was averaged otherwise than the pooled ones, or "
    "is impossible (see the table `audit`), so that a difference may be one of averaging.",
]


def claims(
    settings: ReportJob,
    *,
    claims: Path,
    metrics: list[Path],
    table2: Path,
    table3: Path,
    pretext: Path,
    models: Path,
    csv: Path,
    md: Path,
    tex: Path,
    pretexts: list[Path] = (),  # type: ignore[assignment]
    runs: list[Path] = (),  # type: ignore[assignment]
) -> None:
    """Write the paper's claims with two verdicts each.

    Args:
        settings: dataset, protocol.
        claims: ``config/claims.yaml``.
        metrics: ``metrics.csv`` of all runs.
        table2: the paper's table 2 as CSV.
        table3: likewise table 3.
        pretext: likewise section 4.1.
        models: names of methods in settings, table 1 and table 2.
        csv: file to write: claim, place, text, statement, note, and for paper and ours verdict,
            margin, low, high, basis, remark.
        md: file to write.
        tex: file to write.
        pretexts: ``metrics.csv`` of all pretexts, in folders named like them; none without.
        runs: ``run.json`` of all runs and pretexts.
    """
    entries = read_claims(claims)
    published = Published(models, table2, table3, pretext)
    measured = Measured(
        read_metrics(metrics, settings, ("tn",)),
        {f.parent.name: read_pretext(f) for f in pretexts},
        settings.bootstrap_resamples,
    )
    verdicts = {
        name: (of_published(claim, published), of_study(claim, measured))
        for name, claim in entries.items()
    }
    table = pd.DataFrame([_row(name, entries[name], *pair) for name, pair in verdicts.items()])
    sections = [
        Section("Verdicts", _text(entries, verdicts), "", "p{0.45\\linewidth}lll"),
        _untested(entries, verdicts),
        Section("Readings", _readings(entries), "", "p{0.3\\linewidth}p{0.6\\linewidth}"),
    ]
    images = len(measured.ids)
    ours = (
        f"*Ours*: {settings.bootstrap_resamples:,} bootstrap draws of the {images} test "
        "radiographs, each kept together with its seeds and with all methods; percentile interval. "
        "Chance in training is in it: each draw of a mean over n seeds is moved by a t deviate "
        "with n − 1 degrees of freedom times the mean's standard error over the seeds, one for all "
        "that has the same seeds, which makes it a paired one for differences; a spread over seeds "
        "is drawn from its own interval. "
        f"*{ONE_SEED}*: a method has no second training at a fraction, so its chance in training "
        f"is unknown, the interval holds that of radiographs alone, and the part is "
        f"{INCONCLUSIVE}. The pretext is trained once for all seeds: claims on its metrics are on "
        "this one training, and what another one would change is in no interval. "
        f"*{REFUTED.capitalize()}* is said of this study, not of what the paper measured. "
        f"{too_narrow(images)}"
    ).rstrip()
    lead = f"{_lead(verdicts)} {about(settings, runs)}"
    write_sections(
        stamped(table, settings),
        "The paper's claims",
        lead,
        sections,
        [*LEGEND, ours],
        csv,
        md,
        tex,
    )


def _row(name: str, claim: Claim, paper: Verdict, ours: Verdict) -> dict:
    row = {
        "claim": name,
        "place": claim.place,
        "text": claim.claim,
        "statement": claim.statement,
        "note": claim.note,
    }
    for key, verdict in (("paper", paper), ("ours", ours)):
        row |= {key: verdict.verdict}
        row |= {
            f"{key}_{part}": getattr(verdict, part)
            for part in ("margin", "low", "high", "basis", "remark")
        }
    return row


def _lead(verdicts: dict[str, tuple[Verdict, Verdict]]) -> str:
    def counts(which: int) -> str:
        found = [pair[which].verdict for pair in verdicts.values()]
        said = {SUPPORTED: "support", REFUTED: "refute", INCONCLUSIVE: "leave open"}
        parts = [f"{verb} {found.count(verdict)}" for verdict, verb in said.items()]
        return f"{', '.join(parts)} and cannot test {found.count(NOT_TESTED)}"

    return (
        f"**Of these {len(verdicts)} claims (the implied ones stand in the paper's tables alone) "
        f"its own numbers {counts(0)}; this study's {counts(1)}.**"
    )


def _text(entries: dict[str, Claim], verdicts: dict) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Claim": entries[name].claim,
                "Place": entries[name].place,
                "Paper": _cell(paper),
                "Ours": _cell(ours),
            }
            for name, (paper, ours) in verdicts.items()
        ]
    )


def _cell(verdict: Verdict) -> str:
    if verdict.verdict == NOT_TESTED:
        return NOT_TESTED
    strong = f"**{verdict.verdict}**" if verdict.verdict != INCONCLUSIVE else verdict.verdict
    numbers = f"{verdict.margin:+.3f} [{verdict.low:+.3f}, {verdict.high:+.3f}]"
    remark = f", {verdict.remark}" if verdict.remark else ""
    return f"{strong} {numbers.replace('-', '−')}{remark}"


def _untested(entries: dict[str, Claim], verdicts: dict) -> Section:
    rows = []
    for name, (paper, ours) in verdicts.items():
        sides = [("Paper", paper), ("Ours", ours)]
        reasons = {who: v.basis for who, v in sides if v.verdict == NOT_TESTED}
        if len(set(reasons.values())) == 1 and len(reasons) == 2:
            reasons = {"both": reasons["Paper"]}
        rows += [
            {"Claim": entries[name].claim, "By": who, "Why not": reason}
            for who, reason in reasons.items()
        ]
    notes = "" if rows else "Every claim was tested."
    return Section("Not tested", pd.DataFrame(rows), notes, "p{0.4\\linewidth}lp{0.4\\linewidth}")


def _readings(entries: dict[str, Claim]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"Claim": claim.claim, "Read as": f"`{claim.statement}`", "Note": claim.note or ""}
            for claim in entries.values()
            if claim.statement
        ]
    )
