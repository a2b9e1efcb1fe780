"""The report on a small study."""

import pytest
from small_report import SmallReport


@pytest.fixture(scope="session")
def small_report(tmp_path_factory) -> SmallReport:
    """A small finished study with a pretext. Write nothing to it."""
    return SmallReport(tmp_path_factory.mktemp("small_report"))


@pytest.fixture(scope="session")
def html(small_report, tmp_path_factory):
    """Path of the report on it."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    small_report.write(path)
    return path
