"""What every table and figure says of its data."""

from maskedteeth.jobs import ReportJob

TESTED_ON = {
    "fixed-test": "one fixed test set that nothing was trained on",
    "complement": "COMPLEMENT protocol: all radiographs that the training subset leaves out, and "
    "the pretext has seen every one of them",
}
PRETEXT_TESTED_ON = TESTED_ON | {
    "complement": "COMPLEMENT protocol: radiographs that the pretext was trained on",
}


def about(settings: ReportJob) -> str:
    """Say what a segmentation was measured on, for the foot of tables and figures."""
    return f"Dataset: {settings.dataset}. Test: {TESTED_ON[settings.protocol]}."


def about_pretext(settings: ReportJob) -> str:
    """Say what a pretext was measured on, for the foot of tables and figures."""
    return f"Dataset: {settings.dataset}. Test: {PRETEXT_TESTED_ON[settings.protocol]}."
