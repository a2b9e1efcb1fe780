"""What every table and figure says of its data."""

from pathlib import Path

import pandas as pd

from maskedteeth.report.mixtures import Training, mixtures
from maskedteeth.settings.jobs import ReportJob

TESTED_ON = {
    "fixed-test": "one fixed test set that nothing was trained on",
    "complement": "COMPLEMENT protocol: all radiographs that the training subset leaves out, and "
    "the pretext has seen every one of them",
}
PRETEXT_TESTED_ON = TESTED_ON | {
    "complement": "COMPLEMENT protocol: radiographs that the pretext was trained on",
}
#: What the seed of a run decides of its training and test sets.
DRAWN = {
    "fixed-test": "the training subset (where that is not all but the test set)",
    "complement": "the training subset (and so what tests)",
}
#: What is the same for all seeds.
SHARED = {"fixed-test": "One test set serves all seeds. ", "complement": ""}


def about_seeds(settings: ReportJob, runs: list[Path] = ()) -> str:  # type: ignore[assignment]
    """Say what differs between the seeds of a row, for a ± covers that and no more.

    Args:
        settings: protocol.
        runs: ``run.json`` of the runs behind a table and of the pretexts that they start from.
    """
    pretrained = any(Training.of(run).fraction is None for run in runs)
    weights, shared = "and the initial weights", SHARED[settings.protocol]
    if pretrained:
        weights = "and, except after a pretext, the initial weights"
        shared += "After a pretext all start from one pretraining, whose own chance does not show."
    return f"A seed changes {DRAWN[settings.protocol]}, the order {weights}. {shared}".rstrip()


def about(settings: ReportJob, runs: list[Path] = ()) -> str:  # type: ignore[assignment]
    """Say what a segmentation was measured on, for the foot of tables and figures.

    With the ``run.json`` files behind a table also say where these runs are not of one kind.
    """
    return _foot(settings, TESTED_ON, runs)


def about_pretext(settings: ReportJob, runs: list[Path] = ()) -> str:  # type: ignore[assignment]
    """Say what a pretext was measured on, for the foot of tables and figures; see :func:`about`."""
    return _foot(settings, PRETEXT_TESTED_ON, runs)


def about_training(settings: ReportJob, runs: list[Path]) -> str:
    """Say what was trained on, and where these trainings are not of one kind; nothing of a test."""
    return f"Dataset: {settings.dataset}. {mixtures(runs)}".rstrip()


def percent(fraction: float) -> str:
    """Print a training fraction as captions do: 0.2 is 20%."""
    return f"{100 * fraction:g}%"


def stamped(table: pd.DataFrame, settings: ReportJob) -> pd.DataFrame:
    """Return a table for a CSV file, where there is no foot, with a column ``protocol``."""
    return table.assign(protocol=settings.protocol)


def _foot(settings: ReportJob, tested_on: dict[str, str], runs: list[Path]) -> str:
    foot = f"Dataset: {settings.dataset}. Test: {tested_on[settings.protocol]}."
    return f"{foot} {mixtures(runs)}".rstrip()
