"""What the documents name exists, and the numbers that they show are those of the study."""

import csv
import re
from pathlib import Path

import pytest
import yaml

from maskedteeth.cli import COMMANDS, main
from maskedteeth.settings.config import Settings

ROOT = Path(__file__).parents[1]
STUDIES = sorted((ROOT / "docs" / "studies").iterdir())
DOCS = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("config/*.md"), ROOT / "README.md"])
DOCS += [*(study / "README.md" for study in STUDIES), ROOT / "results" / "README.md"]
CODE = re.compile(r"^```[a-z]*\n(.*?)^```", re.M | re.S)

each_page = pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)", re.sub(CODE, "", page.read_text()), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@each_page
def test_links_lead_somewhere(page):
    text = re.sub(CODE, "", page.read_text())
    for link in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text):
        target, _, anchor = "".join(link).partition("#")
        if not target.startswith(("http", "mailto")):
            file = page.parent / target if target else page
            assert file.exists(), link
            assert not anchor or anchor in anchors(file), link


@each_page
def test_files_and_commands_that_a_page_names_exist(page):
    text = page.read_text()
    files = re.findall(r"`((?:docs|config|tests|profiles|envs|workflow)/[\w./-]+)`", text)
    written = re.findall(r"`([\w./-]+)`[^`]*:\n\n```", text)  # by the reader, as in an example
    missing = [f for f in files if not (ROOT / f).exists() and f not in written]
    assert [f for f in missing if "mine" not in f] == []
    assert set(re.findall(r"`maskedteeth ([a-z][a-z0-9-]*)", text)) <= {*COMMANDS, "run"}


@each_page
def test_settings_that_a_page_names_exist(page):
    def plain(name):
        return re.sub("<[^>]*>", "*", name)

    settings = (ROOT / "docs" / "settings.md").read_text()
    known = {plain(name) for name in re.findall(r"^\| `([^`]+)`", settings, re.M)}
    groups = "|".join(set(Settings.model_fields) - {"study", "seeds"})
    named = re.findall(rf"`((?:{groups})\.[a-z_.<>]+)`", re.sub(CODE, "", page.read_text()))
    files = (".md", ".csv", ".py", ".json", ".html", ".yaml")
    named = {plain(n) for n in named if not n.endswith(files)}
    assert not [n for n in named if not any(f"{k}.".startswith(f"{n}.") for k in known)]


@each_page
def test_commands_that_a_page_shows_say_how_many_cores(page):
    """Without a number of cores, or a profile that has one, Snakemake stops."""
    text = page.read_text().replace("\\\n", " ")
    fenced = re.findall(r"^(?:\$ )?snakemake [^#\n]*", "\n".join(re.findall(CODE, text)), re.M)
    commands = fenced + re.findall(r"`(snakemake\s[^`]*)`", re.sub(CODE, "", text))
    enough = re.compile("--(cores|dry-run|profile|workflow-profile|report|unlock|list-)| -n")
    assert not [command for command in commands if not enough.search(command)]


def test_the_page_and_the_schema_of_the_settings_are_current(tmp_path):
    made = {"--schema": tmp_path / "schema.json", "--docs": tmp_path / "settings.md"}
    assert main(["schema", *(str(word) for pair in made.items() for word in pair)]) == 0
    for committed in ("config/schema.json", "docs/settings.md"):
        file = tmp_path / Path(committed).name
        assert file.read_text() == (ROOT / committed).read_text(), "run make schema"


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{citation["version"]}"' in project
    assert f'text = "{citation["license"]}"' in project


# --- The study on real radiographs ---


def rows_of(study, table):
    with (study / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_readme_shows_the_dice_of_the_study():
    shown = {}
    for row in rows_of(ROOT / "docs/studies/ufba425", "table2"):
        cell = f"{float(row['dice']):.3f} ± {float(row['dice_sd']):.3f}"
        shown.setdefault(row["model"], []).append(cell)
    text = (ROOT / "README.md").read_text()
    assert len(shown) == 5
    for model, cells in shown.items():
        assert f"| {model} | {' | '.join(cells)} |" in text


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_what_a_study_says_of_the_pretext_is_what_it_found(study):
    claims = {row["claim"]: row for row in rows_of(study, "claims")}
    statistics = {
        (row["model"], float(row["fraction"])): row for row in rows_of(study, "statistics")
    }
    dice = {(row["model"], float(row["fraction"])): row for row in rows_of(study, "table2")}
    page = (study / "README.md").read_text()
    fractions = {fraction for _, fraction in dice} & {0.1, 0.2, 0.3, 0.8, 0.9}
    assert len(fractions) >= 4
    for fraction in fractions:
        without, behind = (
            dice[name, fraction]
            for name in ("Modified ResUNet", "Random Block Masking + Modified ResUNet")
        )
        claim = claims[f"pretext_helps_at_{fraction * 100:.0f}"]
        margin, low, high = (float(claim[f"ours_{key}"]) for key in ("margin", "low", "high"))
        apart = statistics["Modified ResUNet", fraction]
        if "pooled_difference" in apart:  # the other way round
            bounds = ("", "_high", "_low")
            margin, low, high = (-float(apart[f"pooled_difference{bound}"]) for bound in bounds)
        paper = float(behind["dice_published"]) - float(without["dice_published"])
        cells = [f"{float(row['dice']):.3f}" for row in (without, behind)]
        cells += [f"{margin:+.3f}", f"[{low:+.3f}, {high:+.3f}]", claim["ours"], f"{paper:+.3f}"]
        line = f"| {fraction:.0%} | {' | '.join(cells)} |".replace("%", " %").replace("-", "−")
        assert line in page


def test_differences_that_a_study_shows_are_those_that_it_found():
    study = ROOT / "docs/studies/ufba425"
    page = (study / "README.md").read_text()
    rows = {name: rows_of(study / name, "statistics") for name in ("parts", "recipes", "more")}
    rows["more"] += rows_of(study / "more_abdi", "statistics")
    numbering = rows_of(study / "numbers", "numbering")
    rows["numbers"] = [row for row in numbering if row["teeth"] == "all"]
    for name, of_study in rows.items():
        which = "dice_difference" if name == "numbers" else "pooled_difference"
        cells: dict[str, list[str]] = {}
        for row in of_study:
            numbers = [row[f"{which}{bound}"] for bound in ("", "_low", "_high")]
            difference = "–"
            if all(numbers):
                difference = "{:+.3f} [{:+.3f}, {:+.3f}]".format(*map(float, numbers))
            shown = (f"{float(row['dice']):.3f}", difference.replace("-", "−"))
            cells.setdefault(row["model"], []).extend(shown)
        for model, texts in cells.items():
            assert f"| {model} | {' | '.join(texts)} |" in page


def test_what_a_study_says_of_ours_plus_is_what_it_found():
    study = ROOT / "docs/studies/ufba425"
    page = (study / "README.md").read_text()
    claims = {
        "U-Net": "outperforms_unet",
        "PSPNet": "outperforms_pspnet",
        "LinkNet": "comparable_to_linknet",
    }
    for baseline, claim in claims.items():
        cells = []
        for folder in (study / "plus", study / "plus_abdi"):
            dice = {
                (r["model"], float(r["fraction"])): r["dice"] for r in rows_of(folder, "table2")
            }
            with_80 = float(dice[baseline, 0.8])
            difference = float(dice["Ours+", 0.2]) - with_80
            (found,) = (row for row in rows_of(folder, "claims") if row["claim"] == claim)
            lower = 0.02 if baseline == "LinkNet" else 0  # what comparable means
            bounds = [float(found[f"ours_{key}"]) - lower for key in ("margin", "low", "high")]
            shown = f"{bounds[0]:+.3f} [{bounds[1]:+.3f}, {bounds[2]:+.3f}]"
            if abs(bounds[0] - difference) > 1e-5:
                shown = f"{difference:+.3f}; in Jaccard {shown}"
            cells += [f"{with_80:.3f}", shown.replace("-", "−"), found["ours"]]
        assert f"| {baseline} | {' | '.join(cells)} |" in page


def test_what_networks_reach_on_another_source_is_what_a_study_found():
    study = ROOT / "docs/studies/ufba425"
    page = (study / "README.md").read_text()
    for folder in (study, study / "elsewhere_abdi"):
        cells: dict[str, list[str]] = {}
        for row in rows_of(folder, "elsewhere"):
            cell = f"{float(row['dice']):.3f} ± {float(row['dice_sd']):.3f}"
            cells.setdefault(row["model"], []).append(cell)
        assert len(cells) == 5
        for model, texts in cells.items():
            assert f"| {model} | {' | '.join(texts)} |" in page


def test_related_systems_that_a_study_shows_have_the_dice_that_it_found():
    study = ROOT / "docs/studies/ufba425"
    page = (study / "README.md").read_text()
    found: dict[str, list[dict]] = {}
    for row in rows_of(study / "related", "related"):
        found.setdefault(row["model"], []).append(row)
    assert len(found) == 18
    for model, rows in found.items():
        dice = [f"{float(row['dice']):.3f}" for row in rows]
        millions = f"{int(rows[0]['parameters']) / 1e6:.3g} M"
        assert f"| {model} | {' | '.join([*dice, millions])} |" in page


def test_what_a_study_says_of_wrong_annotations_is_what_it_found():
    study = ROOT / "docs/studies/ufba425"
    page = (study / "README.md").read_text()
    rows = rows_of(study / "noise", "robustness")
    assert len(rows) == 10
    for row in rows:
        cells = [f"{float(row['dice']):.3f}", "–", "–", "–"]
        if row["gain"]:
            cells[1:3] = [f"{float(row[name]):.3f}" for name in ("given", "prediction")]
            bounds = (float(row[f"gain{bound}"]) for bound in ("", "_low", "_high"))
            cells[3] = "{:+.3f} [{:+.3f}, {:+.3f}]".format(*bounds).replace("-", "−")
        shown = re.escape(f"| {' | '.join(cells)} |")
        assert re.search(rf"\| {row['model']} \| [^|]+ {shown}", page)
