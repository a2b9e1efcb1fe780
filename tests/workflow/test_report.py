"""The report at the end of a study, and Snakemake's own."""

import base64
import re

import pytest

from maskedteeth.report.page.contents import CHAPTERS, COST

pytestmark = pytest.mark.workflow

NAMES = {COST, *(name for chapter in CHAPTERS for name in chapter.shows)}


def test_a_study_ends_in_a_report_with_every_table_and_figure(project):
    page = (project.results / "report.html").read_text(encoding="utf-8")
    assert "Report: results/tiny/report.html" in project.printed
    made = {
        file.stem for kind in ("tables", "figures") for file in project.results.glob(f"{kind}/*")
    }
    assert made == NAMES  # a phantom's study with a pretext has all there is
    shown = set(re.findall(r'<(?:figure|div class="page") id="(\w+)"', page))
    assert shown | {"claims", "audit", COST} == NAMES  # which are, or stand in, sections
    table = (project.results / "tables" / "table2.csv").read_bytes()
    assert base64.b64encode(table).decode() in page


@pytest.mark.parametrize("file", ["report/page/style.css", "report/page/template.html.jinja"])
def test_a_changed_page_is_made_again_and_nothing_else(project, file):
    path = project.folder / "workflow" / "maskedteeth" / file
    before = path.read_text()
    try:
        path.write_text(before + "\n")
        assert project.planned() == {"report": 1}
    finally:
        path.write_text(before)


def test_snakemakes_own_report_has_captions_categories_and_labels_without_a_network(
    project, tmp_path, monkeypatch
):
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    monkeypatch.setattr(project, "environment", nowhere)
    target = tmp_path / "snakemake.html"
    project.snakemake("--report", str(target))
    page = target.read_text(encoding="utf-8")
    for category in ("Tables", "Figures", "Beyond the paper", "The reproduction as a paper"):
        assert f'"{category}"' in page
    for label in ("Table 2", "Figure 6", "every method at every fraction, averaged over seeds"):
        assert label in page
    assert "Its title and notes stand in" in page and "its caption is drawn below it" in page
    results = set(re.findall(r'results/tiny/(?:tables|figures)/(\w+)\.(?:csv|png)"', page))
    assert results == NAMES
    assert project.planned() == {}  # having been reported makes nothing out of date
