"""What the report says first: what was studied and what came out, computed from the tables."""

from collections import Counter
from math import isclose
from pathlib import Path

import pandas as pd

from maskedteeth.report.about import percent
from maskedteeth.report.comparisons import ALPHA
from maskedteeth.report.results import read_rows
from maskedteeth.report.statistics import too_narrow
from maskedteeth.report.table import MARKS
from maskedteeth.report.tables.cost import duration
from maskedteeth.report.tables.layout import TITLES, interval
from maskedteeth.report.tables.statistics import p_value
from maskedteeth.report.tables.table_pretext import NETWORK
from maskedteeth.settings.sections import Presentation

#: Where the radiographs come from → what that means for the numbers; from elsewhere: `folder`.
WARRANTS = {
    "hitl": "",
    "folder": "**Not the paper’s dataset.** Numbers may differ from the paper’s for that reason "
    "alone. Only comparisons within this study say something about its methods.",
    "phantom": "**A digital phantom.** A program drew these radiographs. The numbers show that "
    "everything works and what it looks like; they say nothing about the paper.",
}
PROTOCOLS = {
    "fixed-test": "One test set, the same for all trainings. Nothing was trained on it, not even "
    "the pretext.",
    "complement": "All radiographs that a training leaves out test it. The pretext was trained on "
    "every one of them.",
}
MACHINE = {"device": "Device", "precision": "Precision", "threads": "Threads"}
MACHINE |= {"system": "System", "python": "Python", "torch": "torch", "git_commit": "Commit"}


def facts(
    report: Presentation, tested: int, index: Path, problems: Path, cost: pd.DataFrame, runs: list
) -> dict[str, str]:
    """Say what was studied, in a few words each.

    Args:
        report: dataset and protocol.
        tested: radiographs in a test set.
        index: ``index.csv``.
        problems: ``problems.csv``.
        cost: the table of costs.
        runs: records of the trainings.
    """
    rows, bad = read_rows(index), len(read_rows(problems))
    copies = int(rows["duplicate_group"].duplicated(keep=False).sum())
    radiographs = f"{len(rows):,}, of which {int(rows['labelled'].sum()):,} are annotated"
    if copies:
        radiographs += f"; {copies:,} are copies of one another and stay together in every split"
    if bad:
        radiographs += f"; problems with {bad:,} files, listed in data/problems.csv"
    counts: dict[float, list[int]] = {}
    for record in runs:
        if "fraction" in record:  # a pretext has none
            counts.setdefault(record["fraction"], []).append(record["radiographs"][0])
    trained = ", ".join(
        f"{' to '.join(map(str, sorted({min(found), max(found)})))} at {percent(fraction)}"
        for fraction, found in sorted(counts.items())
    )
    seconds = cost["training_seconds"].sum() + cost["evaluation_seconds"].sum()
    test = f"{tested:,} radiographs. " if report.protocol == "fixed-test" else ""
    return {
        "Dataset": report.dataset,
        "Radiographs": f"{radiographs}.",
        "Test": test + PROTOCOLS[report.protocol],
        "Training": f"Radiographs: {trained}.",
        "Computed": f"{len(cost)} trainings and their evaluations, {duration(seconds)} in all.",
    }


def against_best(statistics: pd.DataFrame, ours: str, shown: float) -> tuple[pd.DataFrame, str]:
    """Compare ours, at every fraction, with the best of the other methods.

    Args:
        statistics: the table of statistics.
        ours: name in print.
        shown: fraction that the sentence is about.

    Returns:
        A table of strings, and the sentence on one of its lines: that of ``shown``, or else the
        first. Both empty where there is no other method.
    """
    rows, sentences = [], {}
    for fraction, group in statistics.groupby("fraction", sort=True):
        own, others = group[group["model"] == ours], group[group["model"] != ours]
        if own.empty or others.empty:
            continue
        own, best = own.iloc[0], others.loc[others["dice"].idxmax()]
        rows.append(
            {
                "Train. data": f"{fraction:g}",
                "Dice of ours": interval(own, "dice"),
                "Best other method": best["model"],
                "Its Dice": interval(best, "dice"),
                "Difference to ours": interval(best, "difference", "+.3f"),
                "p (Holm)": p_value(best["p_holm"]),
            }
        )
        sentences[fraction] = _in_words(fraction, own, best)
    said = [s for fraction, s in sentences.items() if isclose(fraction, shown, abs_tol=1e-6)]
    return pd.DataFrame(rows), next(iter([*said, *sentences.values()]), "")


def _in_words(fraction: float, own: pd.Series, best: pd.Series) -> str:
    said = (
        f"Trained on {percent(fraction)} of the annotated radiographs, {own['model']} reaches a "
        f"Dice of {interval(own, 'dice')}. The best other method is {best['model']}, with "
        f"{interval(best, 'dice')}."
    )
    if pd.isna(best["difference"]):
        return f"{said} The two were not tested on the same radiographs."
    said += (
        " On the same radiograph its Dice minus ours is on average "
        f"{interval(best, 'difference', '+.3f')}."
    )
    if pd.notna(best["p_holm"]):
        p = p_value(best["p_holm"])
        differ = "differ" if best["p_holm"] < ALPHA else "were not shown to differ"
        said += (
            f" These trained networks {differ} (p {p if p.startswith('<') else f'= {p}'}, "
            "signed-rank test, corrected). What training again would change is in none of this."
        )
    return f"{said} {too_narrow(int(best['radiographs']))}".rstrip()


def verdicts(claims: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count the verdicts on the claims, by the paper's numbers and by ours."""
    whose = {"By the paper’s numbers": "paper", "By this study’s numbers": "ours"}
    counts = {who: Counter(claims[column]) for who, column in whose.items()}
    return {who: {word: n[word] for word in MARKS if n[word]} for who, n in counts.items()}


def pretexts(table: pd.DataFrame) -> list[str]:
    """Say what each pretext reaches over the whole radiograph, and what the paper gives."""
    rows = table[(table["pixels"] == "all") & (table["filler"] == NETWORK) & table["value"].notna()]
    sentences = []
    for name, group in rows.groupby("pretext", sort=False):
        reached = [
            f"{TITLES[row['metric']]} {row['value']:.3f}"
            + ("" if pd.isna(row["value_published"]) else f" (paper {row['value_published']:.3f})")
            for _, row in group.iterrows()
        ]
        sentences.append(f"`{name}`, over the whole radiograph: {', '.join(reached)}.")
    return sentences


def machines(cost: pd.DataFrame) -> pd.DataFrame:
    """Count the trainings of each kind of machine and software, most first, as strings."""
    columns = cost[list(MACHINE)].astype(str).rename(columns=MACHINE)
    return columns.value_counts().rename("Trainings").reset_index().astype(str)
