"""What tables and figures say of their data."""

import pytest
from records import RECORD, presentation

from maskedteeth.files import write_json
from maskedteeth.report.about import about_seeds


@pytest.fixture
def runs(tmp_path):
    """Two trainings, of which one starts from a pretext."""
    for method, pretext in (("ours", "w"), ("unet", None)):
        record = RECORD | {"method": method, "inputs_sha256": {"pretext": pretext}}
        write_json(tmp_path / f"{method}.json", record)
    return [tmp_path / f"{method}.json" for method in ("ours", "unet")]


def test_a_deviation_says_what_it_covers(runs):
    fixed, complement = presentation(), presentation(protocol="complement")
    assert "All seeds have the same test set." in about_seeds(fixed, runs)
    assert "(all others are its test set)" in about_seeds(complement, runs)
    assert "from the same pretraining" in about_seeds(fixed, runs)
    assert "pretraining" not in about_seeds(fixed, runs[1:])
