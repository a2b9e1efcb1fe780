"""What a study changes of another one, laid over that one, gives the study again."""

import copy
from pathlib import Path

import pytest
import yaml
from maskedteeth.settings.jobs import PageJob
from snakemake.utils import update_config

from maskedteeth.settings.config import Settings
from maskedteeth.settings.overlay import overlay
from maskedteeth.settings.validation import validate

CONFIG = Path(__file__).parents[2] / "config"
PAPER = yaml.safe_load((CONFIG / "paper.yaml").read_text())
STUDIES = {
    "demo": "demo.yaml",
    "abdi": "abdi.yaml",
    "without pretext": {"pretext": {"random_block_masking": None}}
    | {"methods": {"random_block_masking": None}, "report": {"ours": "unet"}},
    "another method": {
        "methods": {
            "unetplusplus": {
                "label": "U-Net++",
                "model": {"architecture": "unetplusplus", "encoder": "resnet18"},
            }
        }
    },
}


def merged(changes):
    content = copy.deepcopy(PAPER)
    update_config(content, changes)
    return content


@pytest.fixture(params=STUDIES)
def study(request):
    changes = STUDIES[request.param]
    if isinstance(changes, str):
        changes = yaml.safe_load((CONFIG / changes).read_text())
    if changes.get("data", {}).get("source") == "folder":
        changes["data"]["path"] = "radiographs"
    return validate(merged(changes), Settings)


def test_it_makes_the_study_again(study):
    found = overlay(study, validate(PAPER, Settings))
    assert found
    assert validate(merged(found), Settings) == study


def test_it_is_empty_for_the_same_study():
    paper = validate(PAPER, Settings)
    assert overlay(paper, paper) == {}


def test_where_files_are_and_what_changes_no_result_is_no_change_of_the_report():
    paper = validate(PAPER, Settings)
    there, elsewhere = (
        validate(
            merged(
                {
                    "data": {"path": f"{home}/set.zip", "download": download},
                    "compute": {"checkpoint_minutes": minutes},
                }
            ),
            Settings,
        )
        for home, download, minutes in (("/home/jo", "publisher", 5), ("mnt", "kaggle", 1))
    )
    assert PageJob.of_study(there, paper) == PageJob.of_study(elsewhere, paper)
    assert overlay(there, paper) == {"data": {"path": "set.zip"}}
