"""The report's first page: what was studied and what came out, computed from the tables."""

from dataclasses import dataclass
from math import isclose
from pathlib import Path

import pandas as pd
from pydantic import BaseModel

from maskedteeth.files import read_csv
from maskedteeth.report.comparisons import ALPHA
from maskedteeth.report.figures.runs import percent
from maskedteeth.report.page.markdown import Grid
from maskedteeth.report.page.tables import grid_of
from maskedteeth.report.reading import read_content, read_table
from maskedteeth.report.reconstructions import NETWORK
from maskedteeth.report.statistics import too_narrow
from maskedteeth.report.tables.audit import DISAGREES
from maskedteeth.report.tables.layout import TITLES, number
from maskedteeth.report.tables.statistics import interval, p_value
from maskedteeth.report.verdicts import VERDICTS

#: Where the radiographs come from → how much that says about the paper; from elsewhere: `folder`.
WARRANTS = {
    "hitl": "",
    "folder": "These are not the paper’s radiographs. Numbers may differ from the paper’s for that "
    "reason alone; only comparisons within this study say something about its methods.",
    "phantom": "These radiographs were drawn by a program. The numbers show that everything works "
    "and what it looks like; they say nothing about the paper.",
}
PROTOCOLS = {
    "fixed-test": "One test set, the same for all trainings, which nothing trained on, the pretext "
    "included.",
    "complement": "All radiographs that a training subset leaves out test it. The pretext has seen "
    "every one of them.",
}


@dataclass(frozen=True)
class Dataset:
    """What was trained and tested on.

    Attributes:
        radiographs: how many there are.
        annotated: how many of them have a mask.
        set_aside: how many could not be used.
        tested: how many test, under `fixed-test`; else None.
        compared: pairs of radiographs that a split could part, none of which were found to be
            copies.
    """

    radiographs: int
    annotated: int
    set_aside: int
    tested: int | None
    compared: int


class Guard(BaseModel):
    """What ``guard.json`` says of the test set; it has more."""

    test: list[str]
    compared: int


def read_dataset(index: Path, problems: Path, guard: Path) -> Dataset:
    """Read what the stages `index` and `guard` found.

    Raises:
        InputError: a file is missing or something else.
    """
    rows = read_csv(index, ("id", "labelled"))
    proof = read_content(guard, Guard)
    return Dataset(
        radiographs=len(rows),
        annotated=sum(row["labelled"] == "1" for row in rows),
        set_aside=len(read_csv(problems)),
        tested=len(proof.test) or None,
        compared=proof.compared,
    )


def against_best(statistics: Path, ours: str, shown: float) -> tuple[Grid, str] | None:
    """Compare ours, on every fraction, with the best of the other methods.

    Args:
        statistics: ``statistics.csv``.
        ours: name in print.
        shown: fraction that the sentence is about.

    Returns:
        A table, and the sentence on one of its lines, the first where ``shown`` has none; None
        where there is no other method.
    """
    estimates = [f"{name}{end}" for name in ("dice", "difference") for end in ("", "_low", "_high")]
    table = read_table(
        statistics,
        ("model", "fraction", "radiographs", *estimates, "p_holm"),
        text=("model",),
        whole=("radiographs",),
        blank=(*estimates[1:], "p_holm"),
    )
    rows, sentences = [], {}
    for fraction, group in table.groupby("fraction", sort=True):
        own, others = group[group["model"] == ours], group[group["model"] != ours]
        if own.empty or others.empty:
            continue
        own, best = own.iloc[0], others.loc[others["dice"].idxmax()]
        rows.append(
            [
                f"{fraction:g}",
                interval(own, "dice"),
                best["model"],
                interval(best, "dice"),
                interval(best, "difference", "+"),
                p_value(best["p_holm"]),
            ]
        )
        sentences[fraction] = _in_words(fraction, own, best)
    columns = ["Train. data", "Dice of ours", "Best other method", "Its Dice"]
    columns += ["Difference to ours", "p (Holm)"]
    if not rows:
        return None
    of_shown = [
        said for fraction, said in sentences.items() if isclose(fraction, shown, abs_tol=1e-6)
    ]
    return grid_of(columns, rows), (of_shown or list(sentences.values()))[0]


def _in_words(fraction: float, own: pd.Series, best: pd.Series) -> str:
    said = (
        f"Trained on {percent(fraction)} of the annotated radiographs, {own['model']} reaches a "
        f"Dice of {interval(own, 'dice')}; of the other methods {best['model']} is best, with "
        f"{interval(best, 'dice')}."
    )
    if pd.isna(best["difference"]):
        return f"{said} The two were not tested on the same radiographs."
    side = "lower" if best["difference"] < 0 else "higher"
    said += f" A radiograph’s Dice is on average {interval_of(best)} {side} than with ours"
    if pd.notna(best["p_holm"]):
        p = p_value(best["p_holm"])
        p = p if p.startswith("<") else f"= {p}"
        differ = "differ" if best["p_holm"] < ALPHA else "were not shown to differ"
        said += (
            f". Signed-rank test of the radiographs’ differences: p {p}, corrected; these trained "
            f"networks {differ} on such radiographs. What another training would change is "
            "neither in the intervals nor in p"
        )
    return f"{said}. {too_narrow(int(best['radiographs']))}".rstrip()


def interval_of(row: pd.Series) -> str:
    """Print the size of a difference with its interval, that of a worse one turned to positive."""
    low, high = row["difference_low"], row["difference_high"]
    if row["difference"] < 0:
        low, high = -high, -low
    value = abs(row["difference"])
    return f"{value:.3f} [{number(low, '.3f')}, {number(high, '.3f')}]"


def verdict_counts(claims: Path) -> list[tuple[str, list[tuple[str, int]]]]:
    """Count the verdicts on the claims, by the paper's numbers and by ours.

    Args:
        claims: ``claims.csv``.

    Returns:
        Whose numbers, and each verdict with how many claims have it.
    """
    table = read_table(claims, ("paper", "ours"), text=("paper", "ours"))
    return [
        (who, [(verdict, int((table[column] == verdict).sum())) for verdict in VERDICTS])
        for who, column in (("The paper’s numbers", "paper"), ("This study’s numbers", "ours"))
    ]


def pretexts(table: Path) -> list[str]:
    """Say what each pretext reaches over the whole radiograph, and what the paper gives.

    Args:
        table: ``table_pretext.csv``.
    """
    names, values = ("pretext", "pixels", "filler", "metric"), ("value", "value_published")
    rows = read_table(table, (*names, *values), text=names, blank=values)
    rows = rows[(rows["pixels"] == "all") & (rows["filler"] == NETWORK) & rows["value"].notna()]
    sentences = []
    for name, group in rows.groupby("pretext", sort=False):
        reached = [
            f"{TITLES[row['metric']]} {row['value']:.3f}"
            + ("" if pd.isna(row["value_published"]) else f" (paper {row['value_published']:.3f})")
            for _, row in group.iterrows()
        ]
        sentences.append(f"{name}, over the whole radiograph: {', '.join(reached)}.")
    return sentences


def audited(audit: Path) -> str:
    """Say how many of the paper's printed rows no averaging can give.

    Args:
        audit: ``audit.csv``.
    """
    columns = ("check", "verdict", "without_dice")
    table = read_table(audit, columns, text=columns)
    rows = table[table["check"] == "row"]
    impossible, without = (rows[key] == "impossible" for key in columns[1:])
    sentences = table.loc[table["check"] == "sentence", "verdict"]
    return (
        f"{impossible.sum()} of the {len(rows)} printed rows of tables 1 to 3 cannot come out of "
        "any averaging if Dice is, like the other metrics, of thresholded masks; "
        f"{without.sum()} if it is a soft Dice, as eq. 11 read literally says. "
        f"{(sentences == DISAGREES).sum()} of {len(sentences)} sentences "
        "with a number or a comparison disagree with the tables."
    )
