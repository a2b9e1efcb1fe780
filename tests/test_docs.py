"""What the documents name exists, and what is made is documented."""

import csv
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from maskedteeth.cli import COMMANDS
from maskedteeth.settings.config import Settings

ROOT = Path(__file__).parents[1]
STUDY = ROOT / "docs" / "studies" / "abdi"
DOCS = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "results" / "README.md"])
DOCS += [STUDY / "README.md"]
DOCS += sorted((ROOT / "config").glob("*.md"))

CODE = re.compile(r"^```[a-z]*\n(.*?)^```", re.M | re.S)

#: Keys that every CITATION.cff has (version 1.2.0 of its format), and those of a reference.
CITATION = {
    "type": "object",
    "required": ["cff-version", "message", "title", "authors"],
    "properties": {
        "cff-version": {"const": "1.2.0"},
        "type": {"enum": ["software", "dataset"]},
        "version": {"type": "string"},
        "authors": {"type": "array", "minItems": 1, "items": {"type": "object"}},
        "references": {
            "type": "array",
            "items": {"type": "object", "required": ["type", "title", "authors"]},
        },
    },
}


def known_settings():
    page = (ROOT / "docs" / "settings.md").read_text()
    return {re.sub("<[^>]*>", "*", name) for name in re.findall(r"^\| `([^`]+)`", page, re.M)}


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_settings_that_a_page_names_exist(page):
    groups = "|".join(set(Settings.model_fields) - {"study", "seeds"})
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    named = {
        re.sub("<[^>]*>", "*", name)
        for name in re.findall(rf"`((?:{groups})\.[a-z_.<>]+)`", text)
        if not name.endswith((".md", ".csv", ".py", ".tsv", ".json", ".html"))
    }
    known = known_settings()
    unknown = {n for n in named if n not in known and not any(k.startswith(f"{n}.") for k in known)}
    assert not unknown


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_files_commands_and_links_that_a_page_names_exist(page):
    text = page.read_text()
    files = re.findall(r"`((?:docs|config|tests|profiles|envs|workflow)/[\w./-]+)`", text)
    written = re.findall(r"`([\w./-]+)`[^`]*:\n\n```", text)  # by the reader, as in an example
    assert [f for f in files if not (ROOT / f).exists() and f not in written] == []
    links = re.findall(r"\]\(([^)#\s]+)", text)
    links = [link for link in links if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
    assert set(re.findall(r"(?:^|`)maskedteeth ([a-z][a-z-]+)", text, re.M)) <= set(COMMANDS)


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_commands_that_a_page_shows_say_how_many_cores(page):
    """Without a number of cores, or a profile that has one, Snakemake stops."""
    text = page.read_text().replace("\\\n", " ")
    fenced = re.findall(r"^snakemake [^#\n]*", "\n".join(re.findall(CODE, text)), re.M)
    spans = re.findall(r"`(snakemake\s[^`]*)`", re.sub(CODE, "", text))
    enough = ("--cores", " -n ", "--profile", "--workflow-profile", "--report")
    assert not [c for c in fenced + spans if not any(option in c for option in enough)]


def test_decisions_name_a_setting_or_none():
    rows = (ROOT / "docs" / "decisions.md").read_text().splitlines()
    rows = [row for row in rows if row.startswith("| ") and not row.startswith(("| que", "| fig"))]
    last = [row.strip("| ").rpartition("|")[2].strip() for row in rows]
    assert len(rows) > 25
    assert all(cell == "none" or cell.startswith("`") for cell in last)


def test_the_citation_is_of_this_version_and_of_the_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    jsonschema.validate(citation, CITATION)
    project = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{citation["version"]}"' in project
    assert f'text = "{citation["license"]}"' in project
    assert (ROOT / "LICENSE").read_text().startswith(f"{citation['license']} License")
    paper = citation["references"][0]
    names = [author["family-names"] for author in paper["authors"]]
    assert names == ["Pokuri", "Konthalapalli", "Kumar", "Bhimavarapu"]
    assert f"*{paper['title']}*" in (ROOT / "README.md").read_text().replace("\n> ", " ")


def test_the_workflow_catalogue_is_told_what_is_there():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    deployed = usage["software-stack-deployment"]
    rules = "".join(file.read_text() for file in (ROOT / "workflow" / "rules").glob("*.smk"))
    assert deployed["conda"] == ("conda:" in rules)
    assert deployed["apptainer"] == ("\ncontainer:" in (ROOT / "Snakefile").read_text())
    assert usage["report"] == ("report(" in rules)
    assert (ROOT / "config" / "README.md").is_file()


def rows_of(table):
    with (STUDY / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_readme_shows_the_dice_of_the_study_beside_it():
    shown = {}
    for row in rows_of("table2"):
        cell = f"{float(row['dice']):.3f} ± {float(row['dice_sd']):.3f}"
        shown.setdefault(row["model"], []).append(cell)
    text = (ROOT / "README.md").read_text()
    assert len(shown) == 5
    for model, cells in shown.items():
        assert len(cells) == 5
        assert f"| {model} | {' | '.join(cells)} |" in text


def test_what_is_said_of_the_pretext_is_what_the_study_found():
    claims = {row["claim"]: row for row in rows_of("claims")}
    dice = {(row["model"], float(row["fraction"])): row for row in rows_of("table2")}
    page, gains = (STUDY / "README.md").read_text(), {}
    for fraction in (0.1, 0.2, 0.3, 0.8, 0.9):
        without = dice["Modified ResUNet", fraction]
        behind = dice["Random Block Masking + Modified ResUNet", fraction]
        claim = claims[f"pretext_helps_at_{fraction * 100:.0f}"]
        margin, low, high = (float(claim[f"ours_{key}"]) for key in ("margin", "low", "high"))
        # of Dice, though a claim may print the margin of Jaccard
        assert abs(margin - (float(behind["dice"]) - float(without["dice"]))) < 2e-6
        paper = float(behind["dice_published"]) - float(without["dice_published"])
        gains[fraction] = margin, low, high, paper, claim["ours"]
        cells = [f"{float(row['dice']):.3f}" for row in (without, behind)]
        cells += [f"{margin:+.3f}", f"[{low:+.3f}, {high:+.3f}]", claim["ours"], f"{paper:+.3f}"]
        line = f"| {fraction:.0%} | {' | '.join(cells)} |".replace("%", " %").replace("-", "−")
        assert line in page
    told = [f for f, gain in gains.items() if gain[-1] != "inconclusive"]
    margin, low, high = gains[0.8][:3]
    others = sorted(gain[0] for f, gain in gains.items() if f != 0.8)
    text = " ".join((ROOT / "README.md").read_text().split())
    assert told == [0.8] and gains[0.8][-1] == "supported"
    assert f"better by {margin:.3f} in Dice (95 % interval {low:.3f} to {high:.3f}, one" in text
    assert f"the differences of {others[0]:.3f} to {others[-1]:.3f} cannot be told" in text
    (high, paper), (high_30, paper_30) = (gains[f][2:4] for f in (0.2, 0.3))
    assert f"the intervals end at {high:.3f} and {high_30:.3f}, far below" in text
    assert f"the paper's gains of {paper:.3f} and {paper_30:.3f}." in text
    assert all(paper > high for _, _, high, paper, _ in gains.values() if paper > 0.03)


def test_a_study_shows_no_radiographs_and_has_a_line_for_every_training():
    pictures = {file.stem for file in STUDY.iterdir() if file.suffix not in (".md", ".csv")}
    assert pictures == {"dice_by_fraction", "differences", "training_curves"}
    cost = rows_of("cost")
    assert len(cost) == 1 + 75
    assert {row["git_commit"][:7] for row in cost} == {"e5f3fc9"}
    assert "e5f3fc9" in (STUDY / "README.md").read_text()
