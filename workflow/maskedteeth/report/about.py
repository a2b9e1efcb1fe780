"""What every table and figure says of its data."""

from maskedteeth.jobs import ReportJob


def about(settings: ReportJob) -> str:
    """Say what was measured on: dataset and protocol, for the foot of tables and figures."""
    protocol = "one fixed test set that nothing was trained on"
    if settings.protocol == "complement":
        protocol = (
            "COMPLEMENT protocol: a test set is all that its training subset leaves out, and the "
            "pretext has seen every radiograph"
        )
    return f"Dataset: {settings.dataset}. Test: {protocol}."
