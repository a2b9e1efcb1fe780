"""Another workflow takes over the rules as docs/module.md shows it."""

import json

import pytest
import yaml
from examples import examples

pytestmark = pytest.mark.workflow


@pytest.fixture
def other(tmp_path, new_project, write_folder):
    """The workflow of docs/module.md, with a clone of the project beside it."""
    (tmp_path / "maskedteeth").mkdir()
    project = new_project(tmp_path / "maskedteeth")
    for example in examples("module.md"):
        example.carry_out(tmp_path)
    write_folder(tmp_path / "my" / "radiographs", 12)
    project.folder, project.settings = tmp_path, ["config.yaml"]
    return project


def test_the_rules_are_planned_with_the_settings_merged_over_the_papers(other):
    jobs = other.planned()
    assert jobs.pop("dice") == 1
    assert all(name.startswith("teeth_") for name in jobs)
    assert jobs["teeth_train"] == jobs["teeth_evaluate"] == 75 and jobs["teeth_table2"] == 1

    everything = other.snakemake("--dry-run", "--printshellcmds", "teeth_all")
    assert '"height":128,"width":256' in everything and '"epochs":80' in everything
    assert "--published maskedteeth/config/published/table2.csv" in everything
    assert "--claims maskedteeth/config/claims.yaml" in everything


def test_jobs_run_in_the_others_folder(other):
    other.snakemake("teeth_audit", "teeth_index")
    results = other.folder / "results" / "mine"
    assert "Table 2" in (results / "tables" / "audit.md").read_text()
    assert len((results / "data" / "index.csv").read_text().splitlines()) == 13
    assert not (other.folder / "maskedteeth" / "results").exists()
    assert other.planned("teeth_audit") == {}
    other.snakemake("teeth_audit", "--report", "snakemake.html")
    page = (other.folder / "snakemake.html").read_text(encoding="utf-8")
    assert "Its title and notes stand in" in page  # a caption's file lies beside the rules


def test_a_wrong_setting_is_the_same_sentence(other):
    content = yaml.safe_load((other.folder / "config.yaml").read_text())
    content["teeth"]["training"] = {"epoch": 3}
    (other.folder / "config.yaml").write_text(json.dumps(content))
    printed = other.snakemake("--dry-run", check=False)
    assert "Setting training.epoch is unknown; did you mean 'epochs'?" in printed
