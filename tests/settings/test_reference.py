from pathlib import Path

import yaml

from maskedteeth.cli import main
from maskedteeth.settings.reference import settings_page

ROOT = Path(__file__).parents[2]


def leaves(settings, path=""):
    """Yield the dotted names of a study's settings, names of the user's as <name>."""
    for name, value in settings.items():
        inside = path if path in ("pretext", "methods") else ""
        dotted = f"{path}.{'<name>' if inside else name}".lstrip(".")
        if isinstance(value, dict) and value:
            yield from leaves(value, dotted)
        else:
            yield dotted


def lines():
    """Return the page's lines of settings: name → values, paper, meaning."""
    rows = [r.strip("| ").split(" | ") for r in settings_page().splitlines() if r[:3] == "| `"]
    return {row[0].strip("`"): row[1:] for row in rows}


def test_the_committed_page_is_in_step(tmp_path):
    files = {"--schema": tmp_path / "schema.json", "--docs": tmp_path / "settings.md"}
    assert main(["schema", *(str(word) for pair in files.items() for word in pair)]) == 0
    committed = (ROOT / "docs" / "settings.md").read_text()
    assert (tmp_path / "settings.md").read_text() == committed, "run make schema"


def test_every_setting_of_the_paper_is_there_with_its_meaning():
    paper = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text())
    known = lines()
    assert set(leaves(paper)) <= set(known)
    unexplained = {name for name, row in known.items() if len(row) != 3 or not row[2].strip()}
    assert not unexplained


def test_values_ranges_and_defaults_are_printed():
    known = lines()
    assert known["split.protocol"][:2] == ["`fixed-test`, `complement`", "`fixed-test`"]
    assert known["training.learning_rate"][:2] == ["number, > 0, ≤ 1", "`0.0001`"]
    assert known["data.path"][:2] == ["text or null", "`null`"]
    assert known["methods.<name>.label"][1] == "to be given"
    assert known["pretext.<name>.model.inputs"][1] == '`["xray", "sobel"]`'
    assert known["methods.<name>.model.inputs"][1] == '`["xray"]`'
    assert "letters, digits, _ and -" in known["study"][0]
