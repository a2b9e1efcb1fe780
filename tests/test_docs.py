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


UFBA = ROOT / "docs/studies/ufba425"


@pytest.fixture
def ufba_page():
    return (UFBA / "README.md").read_text()


def rows_of(study, table):
    with (study / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lines_of(rows, cells):
    """A line a model of a page's table, with the cells that each of its rows becomes."""
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(row["model"], []).extend(cells(row))
    return [f"| {model} | {' | '.join(texts)} |" for model, texts in lines.items()]


def mean_and_sd(row):
    return [f"{float(row['dice']):.3f} ± {float(row['dice_sd']):.3f}"]


def with_interval(*numbers):
    return "{:+.3f} [{:+.3f}, {:+.3f}]".format(*map(float, numbers)).replace("-", "−")


def test_the_readme_shows_the_dice_of_the_study():
    lines = lines_of(rows_of(UFBA, "table2"), mean_and_sd)
    text = (ROOT / "README.md").read_text()
    assert len(lines) == 5 and [line for line in lines if line not in text] == []


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


def test_differences_that_a_study_shows_are_those_that_it_found(ufba_page):
    rows = {name: rows_of(UFBA / name, "statistics") for name in ("parts", "recipes", "more")}
    rows["more"] += rows_of(UFBA / "more_abdi", "statistics")
    numbering = rows_of(UFBA / "numbers", "numbering")
    rows["numbers"] = [row for row in numbering if row["teeth"] == "all"]
    for name, of_study in rows.items():
        which = "dice_difference" if name == "numbers" else "pooled_difference"

        def cells(row, which=which):
            numbers = [row[f"{which}{bound}"] for bound in ("", "_low", "_high")]
            return f"{float(row['dice']):.3f}", with_interval(*numbers) if all(numbers) else "–"

        lines = lines_of(of_study, cells)
        assert lines and [line for line in lines if line not in ufba_page] == []


@pytest.mark.parametrize(
    ("baseline", "claim", "lower"),
    [
        ("U-Net", "outperforms_unet", 0),
        ("PSPNet", "outperforms_pspnet", 0),
        ("LinkNet", "comparable_to_linknet", 0.02),  # what comparable means
    ],
)
def test_what_a_study_says_of_ours_plus_is_what_it_found(ufba_page, baseline, claim, lower):
    cells = []
    for folder in (UFBA / "plus", UFBA / "plus_abdi"):
        dice = {(r["model"], float(r["fraction"])): r["dice"] for r in rows_of(folder, "table2")}
        with_80 = float(dice[baseline, 0.8])
        difference = float(dice["Ours+", 0.2]) - with_80
        (found,) = (row for row in rows_of(folder, "claims") if row["claim"] == claim)
        bounds = [float(found[f"ours_{key}"]) - lower for key in ("margin", "low", "high")]
        shown = with_interval(*bounds)
        if abs(bounds[0] - difference) > 1e-5:
            shown = f"{difference:+.3f}; in Jaccard {shown}".replace("-", "−")
        cells += [f"{with_80:.3f}", shown, found["ours"]]
    assert f"| {baseline} | {' | '.join(cells)} |" in ufba_page


@pytest.mark.parametrize("folder", [UFBA, UFBA / "elsewhere_abdi"], ids=lambda path: path.name)
def test_what_networks_reach_on_another_source_is_what_a_study_found(ufba_page, folder):
    lines = lines_of(rows_of(folder, "elsewhere"), mean_and_sd)
    assert len(lines) == 5 and [line for line in lines if line not in ufba_page] == []


def test_related_systems_that_a_study_shows_have_the_dice_that_it_found(ufba_page):
    rows = rows_of(UFBA / "related", "related")

    def cells(row):
        last = row["fraction"] == rows[-1]["fraction"]
        return f"{float(row['dice']):.3f}", *[f"{int(row['parameters']) / 1e6:.3g} M"] * last

    lines = lines_of(rows, cells)
    assert len(lines) == 18 and [line for line in lines if line not in ufba_page] == []


def test_what_a_study_says_of_wrong_annotations_is_what_it_found(ufba_page):
    rows = rows_of(UFBA / "noise", "robustness")
    assert len(rows) == 10
    for row in rows:
        cells = [f"{float(row['dice']):.3f}", "–", "–", "–"]
        if row["gain"]:
            cells[1:3] = [f"{float(row[name]):.3f}" for name in ("given", "prediction")]
            cells[3] = with_interval(*(row[f"gain{bound}"] for bound in ("", "_low", "_high")))
        shown = re.escape(f"| {' | '.join(cells)} |")
        assert re.search(rf"\| {row['model']} \| [^|]+ {shown}", ufba_page)
