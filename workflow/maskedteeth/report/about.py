"""What every table and figure says of its data."""

from pathlib import Path

import pandas as pd

from maskedteeth.report.mixtures import mixtures
from maskedteeth.settings.jobs import ReportJob

TESTED_ON = {
    "fixed-test": "one fixed test set that nothing was trained on",
    "complement": "COMPLEMENT protocol: all radiographs that the training subset leaves out, and "
    "the pretext has seen every one of them",
}
PRETEXT_TESTED_ON = TESTED_ON | {
    "complement": "COMPLEMENT protocol: radiographs that the pretext was trained on",
}


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


def stamped(table: pd.DataFrame, settings: ReportJob) -> pd.DataFrame:
    """Return a table for a CSV file, where there is no foot, with a column ``protocol``."""
    return table.assign(protocol=settings.protocol)


def _foot(settings: ReportJob, tested_on: dict[str, str], runs: list[Path]) -> str:
    foot = f"Dataset: {settings.dataset}. Test: {tested_on[settings.protocol]}."
    return f"{foot} {mixtures(runs)}".rstrip()
