"""The study that numbers teeth, from radiographs to its tables, figures and report."""

import pandas as pd


def test_teeth_are_numbered_in_a_study_of_their_own(project, tmp_path):
    project = project.copy(tmp_path / "project")
    project.settings.insert(1, "config/numbering.yaml")
    project.settings.append("numbers.yaml")
    (project.folder / "numbers.yaml").write_text("study: numbers\n")
    project.snakemake("report", "confusions", "numbered_teeth")
    results = project.folder / "results" / "numbers"
    table = pd.read_csv(results / "tables/numbering.csv")
    assert set(table["fraction"]) == {0.2, 0.8} and table["dice"].between(0, 1).all()
    assert {"all", "wisdom teeth", "32"} < set(table["teeth"])
    page = (results / "report.html").read_text()
    for name in ("numbering", "confusions", "numbered_teeth", "dental_chart", "table2"):
        assert f'id="{name}"' in page
    log = (results / "logs/train-random_block_masking-0.8-42.log").read_text()
    assert "Drawn anew: head" in log
    assert project.planned("report") == {}
