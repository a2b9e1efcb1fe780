"""Another workflow takes over the rules, as docs/extending.md shows it."""

import pytest
import yaml

pytestmark = pytest.mark.workflow

SNAKEFILE = """
configfile: "config.yaml"


module maskedteeth:
    snakefile:
        "maskedteeth/Snakefile"
    config:
        config["teeth"]


use rule * from maskedteeth as teeth_*


rule dice:
    default_target: True
    input:
        table=rules.teeth_table2.output.csv,
    output:
        "dice.csv",
    shell:
        "cut --delimiter=, --fields=1,2,5 {input.table} > {output}"
"""
SETTINGS = {"study": "mine", "data": {"source": "folder", "path": "my/radiographs"}}
SETTINGS |= {"image": {"height": 128, "width": 256}}


@pytest.fixture
def other(tmp_path, new_project, write_folder):
    """Another workflow, with a clone of the project beside it."""
    (tmp_path / "maskedteeth").mkdir()
    project = new_project(tmp_path / "maskedteeth")
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"teeth": SETTINGS}))
    write_folder(tmp_path / "my" / "radiographs", 12)
    project.folder, project.settings = tmp_path, ["config.yaml"]
    return project


def test_the_rules_are_planned_with_the_settings_merged_over_the_papers(other):
    jobs = other.planned()
    assert jobs.pop("dice") == 1
    assert all(name.startswith("teeth_") for name in jobs)
    assert jobs["teeth_train"] == 75 and jobs["teeth_table2"] == 1
    everything = other.snakemake("--dry-run", "--printshellcmds", "teeth_all")
    assert '"height": 128, "width": 256' in everything and '"epochs": 80' in everything
    assert '"published": "maskedteeth/config/published/table2.csv"' in everything


def test_jobs_run_in_the_others_folder(other):
    other.snakemake("teeth_audit", "teeth_prepare")
    results = other.folder / "results"
    assert "Table 2" in (results / "audit" / "audit.md").read_text()
    assert len((results / "mine" / "data" / "index.csv").read_text().splitlines()) == 13
    assert not (other.folder / "maskedteeth" / "results").exists()
    assert other.planned("teeth_audit") == {}
