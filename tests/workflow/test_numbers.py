"""The study that numbers teeth, from radiographs to its tables, figures and report."""

import pandas as pd
import pytest

#: Another dataset, and neighbours' numbers exchanged in the annotations.
MORE = """
study: numbers
datasets: {clinic: {source: phantom, phantom: {images: 10, height: 64, seed: 2}}}
evaluation: {also_on: [clinic]}
split: {fractions: [0.8]}
methods:
  swapped:
    like: random_block_masking
    label: Numbers exchanged
    annotations: {swap: 0.5}
"""


def test_teeth_are_numbered_in_a_study_of_their_own(project, tmp_path):
    project = project.copy(tmp_path / "project")
    project.settings.insert(1, "config/numbering.yaml")
    project.settings.append("numbers.yaml")
    (project.folder / "numbers.yaml").write_text(MORE)
    project.snakemake("report", "confusions", "numbered_teeth")
    results = project.folder / "results" / "numbers"
    tables = ("numbering", "elsewhere", "robustness")
    table, there, errors = (pd.read_csv(results / f"tables/{name}.csv") for name in tables)
    assert {"all", "wisdom teeth", "32"} < set(table["teeth"])
    assert len(there) == 3 and there["tooth_dice"].notna().all()
    assert errors["errors"].tolist() == ["none", "swap 0.5"]
    assert errors["given"][1] == pytest.approx(0.5, abs=0.15)  # as masks they are right
    page = (results / "report.html").read_text()
    for name in (*tables, "confusions", "numbered_teeth", "dental_chart", "table2"):
        assert f'id="{name}"' in page
    log = (results / "logs/train-random_block_masking-0.8-42.log").read_text()
    assert "Initialised at random: head" in log
    assert project.planned("report") == {}
