"""The report says what the tables and figures of a study say, and nothing else reaches the page."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from PIL import Image
from small_report import FIGURES, FRACTIONS, LABELS, SEEDS, TABLES, SmallReport

from maskedteeth.cli import main
from maskedteeth.files import write_json
from maskedteeth.report.page.contents import CHAPTERS, COST, chapters
from maskedteeth.report.page.markdown import read, text
from maskedteeth.report.page.tables import build, grid_of
from maskedteeth.report.tables.cost import duration

HOSTILE = '<script>alert("x")</script> & "quoted" <b>|bar|</b> ![i](http://evil.example/i.png)'


class Reader(HTMLParser):
    """What a page holds: its elements with their attributes, and the words of each table row."""

    def __init__(self, page: str):
        super().__init__()
        self.elements, self.rows, self.captions, self.words = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
        elif tag == "figcaption":
            self.captions.append("")

    def handle_data(self, data):
        inside = [tag for tag, _ in self.elements[-3:]]
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data
        if self.captions and "figcaption" in inside:
            self.captions[-1] += data
        self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="session")
def page(html):
    return html.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def reader(page):
    return Reader(page)


def numbers(row):
    return re.findall(r"\d\.\d{3}", " ".join(row))


def test_every_number_of_table_2_and_the_papers_stand_in_the_page(small_report, reader):
    table = pd.read_csv(small_report.table("table2", "csv"))
    assert len(table) == len(LABELS) * len(FRACTIONS)
    shown = [numbers(row) for row in reader.rows]
    for _, row in table.iterrows():
        wanted = []
        for metric in ("dice", "jaccard", "precision", "recall"):
            wanted += [f"{row[metric]:.3f}", f"{row[f'{metric}_sd']:.3f}"]
            if pd.notna(row[f"{metric}_published"]):
                wanted.append(f"{row[f'{metric}_published']:.3f}")
                wanted.append(f"{abs(row[f'{metric}_difference']):.3f}")
        assert wanted in shown


def test_ours_and_the_papers_value_can_be_shown_apart(page):
    cells = re.findall(r"<td[^>]*>(<span class=\"ours\">.*?)</td>", page)
    both = [cell for cell in cells if 'class="paper"' in cell]
    assert both and all("not available" not in cell for cell in both)
    alone = [cell for cell in cells if "only-paper" in cell]  # fraction 0.25 is not the paper's
    assert alone and all(">–<" in cell for cell in alone)
    assert len(both) + len(alone) == len(cells)


def test_the_papers_line_of_the_pretext_can_be_shown_apart(small_report, page):
    table = pd.read_csv(small_report.table("table_pretext", "csv"))
    row = table[(table["filler"] == "network") & (table["pixels"] == "all")].set_index("metric")
    paper, difference = (
        re.search(rf'<tr class="row-{kind}">.*?</tr>', page, re.S)[0]
        for kind in ("paper", "difference")
    )
    assert numbers([paper]) == ["0.912", "0.088", "0.956"]
    shown = f"{row['value_difference']['ssim']:+.3f}".replace("-", "−")
    assert shown in difference


def test_every_table_and_figure_is_there_once_and_has_its_file(small_report, page, reader):
    assert [a["download"] for a in reader.all("a") if "download" in a] == [
        *(f"{name}.csv" for chapter in CHAPTERS for name in chapter.shows if name in TABLES),
        f"{COST}.csv",
    ]
    for name in TABLES:
        uri = re.search(rf'download="{name}.csv" href="data:text/csv;base64,([^"]+)"', page)[1]
        assert base64.b64decode(uri) == small_report.table(name, "csv").read_bytes()
    assert {figure["id"] for figure in reader.all("figure")} == set(FIGURES)
    assert len(reader.all("img")) == len(FIGURES)


def test_a_figure_has_its_caption_as_text_and_not_in_the_picture(small_report, reader):
    said = {caption.strip() for caption in reader.captions}
    assert "Figure 4: what figure4 shows (a < b & c). Dataset: digital phantom." in said
    figure = next(f for f in reader.all("img") if f["alt"].startswith("Figure 4: what figure4"))
    content = base64.b64decode(figure["src"].removeprefix("data:image/png;base64,"))
    with (
        Image.open(io.BytesIO(content)) as shown,
        Image.open(small_report.folder / "figures" / "figure4.png") as whole,
    ):
        assert shown.size == (int(figure["width"]), int(figure["height"]))
        assert shown.width == whole.width and shown.height < whole.height - 40
        kept = whole.crop((0, 0, *shown.size))
        assert kept.convert("L").tobytes() == shown.convert("L").tobytes()


def test_a_figure_that_tells_no_caption_is_shown_whole(small_report, tmp_path):
    Image.new("L", (30, 20)).save(tmp_path / "my_own.png")
    page = small_report.write(tmp_path / "report.html", figures=[tmp_path / "my_own.png"])
    (figure,) = Reader(page).all("img")
    assert (figure["alt"], figure["width"], figure["height"]) == ("My own", "30", "20")
    assert "Further results" in page


def test_a_users_table_with_empty_parts_is_shown(small_report, tmp_path):
    md, csv = tmp_path / "mine.md", tmp_path / "mine.csv"
    md.write_text("# My <own>\n\nA lead.\n\n## First\n\n## Second\n\nOnly words.\n")
    csv.write_text("a\n1\n")
    tables = [small_report.table(n, k) for n in small_report.tables for k in ("md", "csv")]
    one = [small_report.folder / "figures" / "figure1.png"]
    page = small_report.write(tmp_path / "report.html", tables=[*tables, md, csv], figures=one)
    own = page[page.index('id="mine"') :]
    for words in ("A lead.", ">First</p>", ">Second</p>", "Only words."):
        assert own.index(words) < own.index("mine.csv</a>")


def test_one_of_a_thing_is_one(small_report, tmp_path):
    write_json(tmp_path / "guard.json", {"test": ["1"], "compared": 1})
    folder = small_report.runs[0].parent
    runs = [folder / "run.json", folder / "evaluation.json"]
    record = json.loads(runs[0].read_text()) | {"radiographs": [1, 32, 64]}
    runs[0] = tmp_path / "runs" / "unet" / "fraction-0.125" / "seed-0" / "run.json"
    write_json(runs[0], record | {"settings": record["settings"] | {"fraction": 0.125}})
    one = [small_report.folder / "figures" / "figure1.png"]
    files = {"guard": [tmp_path / "guard.json"], "runs": runs, "figures": one}
    page = small_report.write(tmp_path / "report.html", **files)
    assert "<dd>1 radiograph. One test set" in page
    assert "1 pair of radiographs that a split can part was compared: they were not found" in page
    assert "<dd>1 radiograph at 12.5%</dd>" in page
    assert "<dd>1 training and its measurements, in 2 min of computing</dd>" in page


def test_nothing_is_loaded_from_anywhere_and_no_script_runs(page, reader):
    assert not reader.all("script") and not reader.all("iframe")
    assert not [a for _, a in reader.elements for name in a if name.startswith("on")]
    sources = [a[name] for _, a in reader.elements for name in ("src", "href") if name in a]
    assert all(source.startswith(("data:", "#")) for source in sources)
    assert not re.search(r"url\(|@import|srcset", page)
    policy = next(a for a in reader.all("meta") if "http-equiv" in a)["content"]
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
        "form-action 'none'"
    )


def test_hostile_text_in_settings_is_shown_and_never_read(small_report, tmp_path):
    labels = {"unet": HOSTILE, "random_block_masking": "*Ours* `x`"}
    changes = {"dataset": HOSTILE, "labels": labels, "short_labels": labels}
    changes |= {"changed": {"data": {"title": HOSTILE}}, "figures": FIGURES[:1]}
    report = SmallReport(tmp_path, like=small_report, **changes)
    page = report.write(tmp_path / "report.html")
    reader = Reader(page)
    assert not reader.all("script") and len(reader.all("img")) == 1
    assert "alert(" in page and "<script" not in page and "evil.example" in page
    heads = [row[0] for row in reader.rows if row and "alert(" in row[0]]
    assert heads and all(head.strip() == HOSTILE for head in heads)
    width = {len(row) for row in reader.rows if row and row[0].strip() == HOSTILE}
    assert width and width <= {5, 6, 7, 8, 9}  # no bar has ended a cell


def test_links_within_the_page_lead_somewhere(reader):
    ids = [a["id"] for _, a in reader.elements if "id" in a]
    assert len(ids) == len(set(ids))
    named = [a["href"][1:] for a in reader.all("a") if a["href"].startswith("#")]
    named += [a["aria-labelledby"] for _, a in reader.elements if "aria-labelledby" in a]
    named += [a["for"] for a in reader.all("label")]
    assert len(named) > 40 and set(named) <= set(ids)


def test_verdicts_are_words_and_counted(small_report, page):
    claims = pd.read_csv(small_report.table("claims", "csv"))
    for column in ("paper", "ours"):
        for verdict, count in claims[column].value_counts().items():
            assert re.search(rf"</span> {count} {verdict}</span>", page)
    shown = re.findall(
        r'class="verdict \w+"><span aria-hidden="true">.</span> ([a-z ]+)</span>', page
    )
    audit = pd.read_csv(small_report.table("audit", "csv"))
    verdicts = audit[["verdict", "without_dice"]]
    assert shown.count("impossible") == (verdicts == "impossible").sum().sum()
    assert shown.count("supported") == (claims[["paper", "ours"]] == "supported").sum().sum()


def test_the_first_sentence_is_the_statistics_of_the_papers_fraction(small_report, page):
    table = pd.read_csv(small_report.table("statistics", "csv"))
    rows = table[table["fraction"] == 0.2].set_index("model")["dice"]
    sentence = re.search(r"<p>(Trained on 20% .*?)</p>", page)[1]
    assert sentence.index(f"{rows[LABELS['random_block_masking']]:.3f}") > 0
    assert f"U-Net is best, with {rows['U-Net']:.3f}" in sentence


def test_cost_and_machine_are_those_of_the_records(reader):
    trainings = len(FRACTIONS) * len(SEEDS)
    costs = {row[0].strip(): row for row in reader.rows if len(row) == 7}
    assert costs["U-Net"][1].strip() == str(trainings)
    assert costs["U-Net"][2].strip() == duration(100 * trainings) == "10 min"
    assert costs["All"][1].strip() == str(2 * trainings + 1)
    words = " ".join(reader.words)
    assert "A processor" in words and "2.13.0" in words and "c" * 40 in words
    every = 2 * trainings + 1
    assert f"{every} trainings and their measurements, in {duration(120 * every)} of" in words
    assert "are not of one kind" not in words


def test_all_decisions_are_there(small_report, reader, request):
    rows = (request.config.rootpath / "docs" / "decisions.md").read_text().splitlines()
    asked = [row.split("|")[1].strip() for row in rows if row.startswith("| ")]
    assert len(asked) > 30
    shown = {row[0].strip() for row in reader.rows if row}
    assert set(asked) <= shown


def test_settings_that_make_the_study_again_are_there(page):
    assert "study: small\ntraining: {epochs: 5}\nmethods: {pspnet: null}" in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source": "phantom"}, "say nothing about the paper"),
        ({"source": "folder"}, "not the paper’s radiographs"),
        ({"source": "pairs"}, "<strong>Not the paper’s dataset.</strong> These are not the"),
        ({"source": "phantom"}, "<strong>A digital phantom.</strong>"),
        ({"protocol": "complement"}, "The pretext has seen every one of them"),
        (
            {"source": "hitl", "changed": {}},
            "settings are those of your <code>config/paper.yaml</code>",
        ),
    ],
)
def test_what_the_numbers_can_say_is_said_first(small_report, tmp_path, changes, said, monkeypatch):
    monkeypatch.setattr(small_report, "settings", small_report.settings | changes)
    one = [small_report.folder / "figures" / "figure1.png"]
    page = small_report.write(tmp_path / "report.html", figures=one)
    assert said in page
    of_phantom = small_report.settings["source"] == "phantom"
    assert ("say nothing about the paper" in page) == of_phantom


def test_a_study_without_a_pretext_has_a_report(small_report, tmp_path):
    figures = ("figure1", "figure4")
    report = SmallReport(tmp_path, pretext=False, figures=figures, like=small_report)
    page = report.write(tmp_path / "report.html")
    assert "Pretext: radiographs behind blocks" not in page and "Table 2" in page


def test_equal_studies_give_equal_pages(small_report, page, tmp_path):
    assert small_report.write(tmp_path / "report.html") == page


@pytest.mark.parametrize("flag", ["tables", "figures", "runs", "guard", "decisions", "style"])
def test_a_missing_file_is_a_sentence(small_report, tmp_path, flag, capsys):
    missing = tmp_path / "missing"
    files = [missing]
    if flag == "tables":
        missing = missing.with_suffix(".md")
        whole = [small_report.table(n, k) for n in small_report.tables for k in ("md", "csv")]
        files = [missing, missing.with_suffix(".csv"), *whole]
    with pytest.raises(AssertionError):
        small_report.write(tmp_path / "report.html", **{flag: files})
    printed = capsys.readouterr().err
    assert str(missing) in printed and "`snakemake " not in printed
    assert flag not in ("tables", "figures") or "run the same command again" in printed
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("left_out", ["claims.csv", "table2.csv", "table2.md"])
def test_half_a_table_is_a_sentence(small_report, tmp_path, left_out, capsys):
    tables = [small_report.table(n, k) for n in small_report.tables for k in ("md", "csv")]
    with pytest.raises(AssertionError):
        kept = [table for table in tables if table.name != left_out]
        small_report.write(tmp_path / "report.html", tables=kept)
    assert f"--tables lacks {left_out}; give" in capsys.readouterr().err


# --- Its parts ---


def test_markdown_of_a_table_becomes_markup_and_nothing_else():
    cell = text("**bold** `code` [a](http://b.example) ![c](d.png) <i>e</i> http://f.example")
    assert cell.html == (
        "<strong>bold</strong> <code>code</code> [a](http://b.example) ![c](d.png) "
        "&lt;i&gt;e&lt;/i&gt; http://f.example"
    )
    document = read("# T\n\nlead\n\n## P\n\n| a | b \\| c |\n|---|---|\n| 1 | 2 |\n\n<div>x</div>")
    assert (document.title.plain, document.parts[1].title.plain) == ("T", "P")
    grid, note = document.parts[1].blocks
    assert [column.plain for column in grid.columns] == ["a", "b | c"]
    assert note.strip() == "<p>&lt;div&gt;x&lt;/div&gt;</p>"


def test_numbers_are_lined_up_on_their_point_and_repeated_labels_are_one():
    rows = [["A", "0.2", "9.5"], ["", "0.8", "10.25"], ["B", "0.2", "–"], ["", "0.8", "x"]]
    table = build(grid_of(["Model", "f", "HD95"], rows[:3]), "T")
    assert table.numeric == [False, True, True] and table.count == 3
    (first, second), _ = table.groups
    assert (first.cells[0].rows, first.cells[0].scope) == (2, "rowgroup")
    assert len(second.cells) == 2 and second.cells[0].scope == "row"
    assert first.cells[2].html == "\N{FIGURE SPACE}9.5" and second.cells[1].html == "10.25"
    assert build(grid_of(["Model", "f", "HD95"], rows), "T").numeric[2] is False


def test_chapters_follow_the_paper_and_hold_everything():
    names = ["mine", "table2", "figure1", "claims"]
    found = chapters(names)
    assert [chapter.key for chapter in found] == ["method", "segmentation", "claims", "further"]
    assert sorted(name for chapter in found for name in chapter.shows) == sorted(names)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.44, "0.4 s"),
        (12.4, "12 s"),
        (99.6, "2 min"),
        (3600, "1 h 0 min"),
        (5e6, "1,388 h 53 min"),
    ],
)
def test_a_duration_is_said_as_a_person_says_it(seconds, said):
    assert duration(seconds) == said


def test_the_stage_names_a_template_that_is_none(small_report, tmp_path, capsys):
    broken = tmp_path / "broken.jinja"
    broken.write_text("{{ nothing.of_this }}")
    with pytest.raises(AssertionError):
        small_report.write(tmp_path / "report.html", template=[broken])
    assert f"{broken} is no template of the report" in capsys.readouterr().err


def test_settings_are_refused_by_their_name(capsys):
    assert main(["report", "--settings", json.dumps({}), *_flags()]) == 2
    assert "Setting study is missing" in capsys.readouterr().err


def _flags():
    several = [f"--{name}" for name in ("tables", "figures", "runs", "index", "problems", "guard")]
    several += [f"--{name}" for name in ("decisions", "template", "style", "html")]
    return [word for flag in several for word in (flag, "x")]
