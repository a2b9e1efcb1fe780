"""What every table and figure says of its data."""

from pathlib import Path

from maskedteeth.report.records import read, unlike
from maskedteeth.settings.sections import Presentation

TESTED_ON = {
    "fixed-test": "one test set that no network was trained on",
    "complement": "COMPLEMENT protocol, all radiographs that the training left out; the pretext "
    "was trained on every one of them",
}
PRETEXT_TESTED_ON = TESTED_ON | {
    "complement": "COMPLEMENT protocol, radiographs that the pretext was trained on",
}
#: What the seed of a run decides of its training and test sets.
DRAWN = {
    "fixed-test": "which radiographs train, in what order, and the first weights. All seeds have "
    "the same test set.",
    "complement": "which radiographs train (all others test), in what order, and the first "
    "weights.",
}


def about(report: Presentation, runs: list[Path] = ()) -> str:  # type: ignore[assignment]
    """Say what a segmentation was measured on; of the records behind it, where they differ."""
    return _about(report, f"Test: {TESTED_ON[report.protocol]}.", runs)


def about_pretext(report: Presentation, runs: list[Path] = ()) -> str:  # type: ignore[assignment]
    """Say what a pretext was measured on, likewise."""
    return _about(report, f"Test: {PRETEXT_TESTED_ON[report.protocol]}.", runs)


def about_training(report: Presentation, runs: list[Path]) -> str:
    """Say what was trained on, likewise; nothing of a test."""
    return _about(report, "", runs)


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


def _about(report: Presentation, tested: str, runs: list[Path]) -> str:
    return " ".join(filter(None, [f"Dataset: {report.dataset}.", tested, unlike(list(runs))]))
