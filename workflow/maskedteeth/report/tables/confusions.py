"""Which wrong numbers found teeth get; not in the paper."""

from pathlib import Path

import pandas as pd

from maskedteeth.data.teeth import in_print, other_jaw, other_side
from maskedteeth.report.about import about, percent
from maskedteeth.report.results import read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.settings.sections import Presentation

#: Kinds of wrong numbers.
KINDS = ("neighbour", "other side", "other jaw", "another")
#: Wrong numbers that are printed.
MOST = 12


def confusions(report: Presentation, *, numbering: list[Path], runs: list[Path]) -> Table:
    """Make the table of wrong numbers, from the ``numbering.csv`` of evaluations.

    Returns:
        Columns model, fraction, tooth, numbered_as, kind, count (teeth on test radiographs, seeds
        together), share (of the found teeth of that number), and protocol; the most frequent first.
    """
    found = read_rows(*numbering).query("found == 1")
    keys = ["method", "fraction", "tooth"]
    table = found.groupby([*keys, "numbered_as"], sort=False).size().rename("count").reset_index()
    table["share"] = table["count"] / table.groupby(keys)["count"].transform("sum")
    kinds = [kind_of(*pair) for pair in zip(table["tooth"], table["numbered_as"], strict=True)]
    table.insert(4, "kind", kinds)

    shown = table[table["fraction"] == report.figure_fraction]
    ours, lines = shown[shown["method"] == report.ours], []
    for method, label in report.labels.items():
        own = shown[shown["method"] == method]
        counts = own.groupby("kind")["count"].sum()
        line = {"Model": label, "Found": str(own["count"].sum())}
        for kind in KINDS:
            count = counts.get(kind, 0)
            share = f" ({count / own['count'].sum():.1%})" if count else ""
            line[kind.capitalize()] = f"{count}{share}"
        lines.append(line)
    wrong, at = table[table["kind"] != ""], f"trained on {percent(report.figure_fraction)}"
    wrong = wrong.sort_values("count", ascending=False, kind="stable")
    most = wrong[wrong.index.isin(ours.index)].head(MOST)
    text = pd.DataFrame(
        {
            "Tooth": most["tooth"].map(lambda tooth: in_print(tooth, report.numbers)),
            "Numbered as": most["numbered_as"].map(lambda tooth: in_print(tooth, report.numbers)),
            "Kind": most["kind"],
            "Teeth": most["count"].astype(str),
            "Of the found": most["share"].map("{:.1%}".format),
        }
    )
    wrong.insert(0, "model", wrong.pop("method").map(report.labels))
    return Table(
        title="Wrong numbers of teeth",
        frame=wrong.assign(protocol=report.protocol),
        parts=(
            Part(pd.DataFrame(lines), f"All methods, {at}"),
            Part(
                text,
                f"{report.labels[report.ours]}, {at}: the {len(text)} most frequent",
                "" if len(text) else "No found tooth has a wrong number.",
            ),
        ),
        lead=about(report, runs),
        notes=(
            "Only annotated teeth that were found are counted (see the table of numbered teeth), "
            "on all test radiographs, seeds together. *Neighbour*: the next tooth of the same jaw, "
            "also across the midline; *other side*: the same tooth on the other side of the jaw; "
            "*other jaw*: the tooth that bites on it. In the CSV file numbers are Universal.",
        ),
    )


def kind_of(tooth: int, other: int) -> str:
    """Say how a number is wrong, by :data:`KINDS`; "" where it is right."""
    if tooth == other:
        return ""
    if abs(tooth - other) == 1 and {tooth, other} != {16, 17}:
        return "neighbour"
    return {other_side(tooth): "other side", other_jaw(tooth): "other jaw"}.get(other, "another")
