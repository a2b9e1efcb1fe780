"""What the report says first: what was studied and what came out, computed from the tables."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from maskedteeth.report.about import percent
from maskedteeth.report.chance import too_narrow
from maskedteeth.report.results import read_rows
from maskedteeth.report.table import MARKS
from maskedteeth.report.tables.cost import duration
from maskedteeth.report.tables.layout import TITLES, interval
from maskedteeth.report.tables.statistics import ALPHA
from maskedteeth.report.tables.table_pretext import NETWORK


def facts(
    index: Path, problems: Path, statistics: pd.DataFrame, cost: pd.DataFrame, trained: list[dict]
) -> dict[str, Any]:
    """Count what was studied, by the index, its problems, two tables and the trainings' records.

    Returns:
        radiographs, annotated, copies, problems, tested, trainings; seconds in words; and sizes: by
        fraction, how many radiographs trained.
    """
    rows = read_rows(index)
    sizes: dict[float, set[int]] = {}
    for record in trained:
        if "fraction" in record:  # a pretext has none
            sizes.setdefault(record["fraction"], set()).add(record["radiographs"][0])
    seconds = cost["training_seconds"].sum() + cost["evaluation_seconds"].sum()
    return {
        "radiographs": f"{len(rows):,}",
        "annotated": f"{int(rows['labelled'].sum()):,}",
        "copies": int(rows["duplicate_group"].duplicated(keep=False).sum()),
        "problems": len(read_rows(problems)),
        "tested": int(statistics["radiographs"].max()),
        "trainings": len(cost),
        "seconds": duration(seconds),
        "sizes": ", ".join(
            f"{' to '.join(map(str, sorted({min(found), max(found)})))} at {percent(fraction)}"
            for fraction, found in sorted(sizes.items())
        ),
    }


def against_best(statistics: pd.DataFrame, ours: str, shown: float) -> str:
    """Compare ours at the fraction that figures show with the best of the other methods.

    The sentences are from the table of statistics; none where there is no other method.
    """
    rows = statistics[np.isclose(statistics["fraction"], shown, atol=1e-6)]
    own, others = rows[rows["model"] == ours], rows[rows["model"] != ours]
    if others.empty:
        return ""
    own, best = own.iloc[0], others.loc[others["dice"].idxmax()]
    differ = "differ" if best["p_holm"] < ALPHA else "were not shown to differ"
    return (
        f"Trained on {percent(own['fraction'])} of the annotated radiographs, {ours} reaches a "
        f"Dice of {interval(own, 'dice')}. The best other method is {best['model']}, with "
        f"{interval(best, 'dice')}. These two trained networks {differ} on radiographs like these. "
        "In brackets are 95% intervals, as other radiographs would have given other numbers. "
        f"{too_narrow(int(best['radiographs']))}"
    ).rstrip()


def verdicts(claims: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count the verdicts on the claims, by the paper's numbers and by ours."""
    whose = {"By the paper’s numbers": "paper", "By this study’s numbers": "ours"}
    counts = {who: Counter(claims[column]) for who, column in whose.items()}
    return {who: {word: n[word] for word in MARKS if n[word]} for who, n in counts.items()}


def pretexts(table: pd.DataFrame) -> dict[str, str]:
    """Return what each pretext reaches over the whole radiograph, with the paper's values."""
    rows = table[(table["pixels"] == "all") & (table["filler"] == NETWORK) & table["value"].notna()]
    paper = rows["value_published"].map(" (paper: {:.3f})".format, na_action="ignore").fillna("")
    said = rows["metric"].map(TITLES) + rows["value"].map(" {:.3f}".format) + paper
    return said.groupby(rows["pretext"], sort=False).agg(", ".join).to_dict()
