"""What every table and figure says of its data."""

from collections.abc import Sequence
from pathlib import Path

from maskedteeth.report.records import read, unlike
from maskedteeth.settings.sections import Presentation

#: What tested, by the protocol.
TESTED_ON = {
    "fixed-test": "Test: one test set that no network was trained on.",
    "validation": "Test: VALIDATION protocol, to choose settings; the test set is set aside.",
    "complement": "Test: COMPLEMENT protocol; the pretext was trained on all test radiographs.",
}
#: What the seed of a run decides of its training and test sets.
DRAWN = {
    "fixed-test": "which radiographs it uses, in what order, and the initial weights. All seeds "
    "have the same test set.",
    "complement": "which radiographs it uses (all others are its test set), in what order, and the "
    "initial weights.",
}
DRAWN["validation"] = DRAWN["fixed-test"]


def about(report: Presentation, runs: Sequence[Path] = (), tested: bool = True) -> str:
    """Say of results what the dataset is, what tested, and where the records behind them differ."""
    test = TESTED_ON[report.protocol] if tested else ""
    return " ".join(filter(None, [f"Dataset: {report.dataset}.", test, unlike(list(runs))]))


def about_seeds(report: Presentation, runs: list[Path]) -> str:
    """Say what differs between the seeds of a row, for a ± covers that and no more."""
    said = f"The seed of a training decides {DRAWN[report.protocol]}"
    if any(read(run)["inputs_sha256"].get("pretext") for run in runs):
        said += (
            " With a pretext, all seeds start from the same pretraining, so ± does not show how "
            "results vary between pretrainings."
        )
    return said


def percent(fraction: float) -> str:
    """Print a training fraction as captions do: 0.2 is 20%."""
    return f"{100 * fraction:g}%"


def first_radiographs(ids: list[str]) -> str:
    """Say which radiographs a figure shows: nobody chose them."""
    if len(ids) == 1:
        return f"the first test radiograph ({ids[0]})"
    return f"the first {len(ids)} test radiographs ({', '.join(ids)})"
