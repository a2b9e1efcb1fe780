"""The report says what the tables and figures of a study say, and nothing else reaches the page."""

import base64
import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from PIL import Image
from small_report import FIGURES, FRACTIONS, LABELS, SEEDS, VERDICTS, SmallReport

from maskedteeth.files import write_csv, write_json
from maskedteeth.report.page import summary
from maskedteeth.report.tables.cost import duration

HOSTILE = '<script>alert("x")</script> & "quoted" <b>|bar|</b> ![i](http://evil.example/i.png)'


class Reader(HTMLParser):
    """What a page holds: its elements with their attributes, and the words of each table row."""

    def __init__(self, page: str):
        super().__init__()
        self.elements, self.rows, self.words = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data
        self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="session")
def page(html):
    return html.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def reader(page):
    return Reader(page)


def test_every_number_of_table_2_and_the_papers_stand_in_the_page(small_report, reader):
    table = pd.read_csv(small_report.table("table2", "csv"))
    assert len(table) == len(LABELS) * len(FRACTIONS)
    shown = [re.findall(r"\d\.\d{3}", " ".join(row)) for row in reader.rows]
    for _, row in table.iterrows():
        wanted = []
        for metric in ("dice", "jaccard", "precision", "recall"):
            wanted += [f"{row[metric]:.3f}", f"{row[f'{metric}_sd']:.3f}"]
            if pd.notna(row[f"{metric}_published"]):
                wanted.append(f"{row[f'{metric}_published']:.3f}")
                wanted.append(f"{abs(row[f'{metric}_difference']):.3f}")
        assert wanted in shown


def test_every_table_and_figure_is_there_once_and_numbers_can_be_taken_along(
    small_report, page, reader
):
    assert sorted(a["download"] for a in reader.all("a") if "download" in a) == sorted(
        f"{name}.csv" for name in small_report.tables
    )
    for name in small_report.tables:
        uri = re.search(rf'download="{name}.csv" href="data:text/csv;base64,([^"]+)"', page)[1]
        assert base64.b64decode(uri) == small_report.table(name, "csv").read_bytes()
    assert [figure["id"] for figure in reader.all("figure")] != []
    assert {figure["id"] for figure in reader.all("figure")} == set(FIGURES)
    assert len(reader.all("img")) == len(FIGURES)


def test_a_figure_has_its_caption_below_it_and_its_first_sentence_for_those_who_do_not_see(
    small_report, page, reader
):
    assert "<b>Figure 4</b>: what figure4 shows (a &lt; b &amp; c). Dataset: digital" in page
    figure = next(f for f in reader.all("img") if f["alt"].startswith("Figure 4:"))
    assert figure["alt"] == "Figure 4: what figure4 shows (a < b & c)"
    content = base64.b64decode(figure["src"].removeprefix("data:image/png;base64,"))
    assert content == (small_report.folder / "figures" / "figure4.png").read_bytes()


def test_a_users_table_and_figure_are_further_results(small_report, tmp_path):
    Image.new("L", (30, 20)).save(tmp_path / "my_own.png")
    (tmp_path / "my_own.txt").write_text("What I drew\n")
    (tmp_path / "mine.html").write_text("<h3>Mine</h3>\n")
    (tmp_path / "mine.csv").write_text("a\n1\n")
    tables = [small_report.table(n, k) for n in small_report.tables for k in ("html", "csv")]
    page = small_report.write(
        tmp_path / "report.html",
        tables=[*tables, tmp_path / "mine.html", tmp_path / "mine.csv"],
        figures=[tmp_path / "my_own.png", tmp_path / "my_own.txt"],
    )
    further = page[page.index('<section id="further"') : page.index('<section id="origin"')]
    assert "<h3>Mine</h3>" in further and "<b>What I drew</b>" in further
    (figure,) = Reader(page).all("img")
    assert (figure["alt"], figure["width"], figure["height"]) == ("What I drew", "30", "20")


def test_nothing_is_loaded_from_anywhere_and_no_script_runs(page, reader):
    assert not reader.all("script") and not reader.all("iframe")
    assert not [a for _, a in reader.elements for name in a if name.startswith("on")]
    sources = [a[name] for _, a in reader.elements for name in ("src", "href") if name in a]
    apart = {source for source in sources if not source.startswith(("data:", "#"))}
    assert apart == {"../audit/audit.md"}  # beside the study
    assert not re.search(r"url\(|@import|srcset", page)
    policy = next(a for a in reader.all("meta") if "http-equiv" in a)["content"]
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
        "form-action 'none'"
    )


def test_hostile_text_in_settings_is_shown_and_never_read(tmp_path):
    labels = {"unet": HOSTILE, "random_block_masking": "*Ours* `x`"}
    report = SmallReport(
        tmp_path, dataset=HOSTILE, labels=labels, short_labels=labels, figures=FIGURES[:1]
    )
    page = report.write(tmp_path / "report.html", changed={"data": {"title": HOSTILE}})
    reader = Reader(page)
    assert not reader.all("script") and len(reader.all("img")) == 1
    assert "alert(" in page and "<script" not in page and "evil.example" in page
    heads = [row[0] for row in reader.rows if row and "alert(" in row[0]]
    assert heads and all(head.strip() == HOSTILE for head in heads)


def test_links_within_the_page_lead_somewhere(reader):
    ids = [a["id"] for _, a in reader.elements if "id" in a]
    assert len(ids) == len(set(ids))
    named = [a["href"][1:] for a in reader.all("a") if a["href"].startswith("#")]
    named += [a["aria-labelledby"] for _, a in reader.elements if "aria-labelledby" in a]
    assert len(named) > 30 and set(named) <= set(ids)


def test_verdicts_are_counted(page):
    for column in ("paper", "ours"):
        for verdict, count in VERDICTS[column].value_counts().items():
            assert f">{count} {verdict}</span>" in page


def test_the_first_sentence_is_the_statistics_of_the_papers_fraction(small_report, page):
    table = pd.read_csv(small_report.table("statistics", "csv"))
    rows = table[table["fraction"] == 0.2].set_index("model")["dice"]
    sentence = re.search(r"<p>(Trained on 20% .*?)</p>", page)[1]
    assert f"reaches a Dice of {rows[LABELS['random_block_masking']]:.3f}" in sentence
    assert f"is U-Net, with {rows['U-Net']:.3f}" in sentence
    for p, said in ((0.05, "networks were not shown to differ"), (0.04, "networks differ on")):
        found = summary.against_best(table.assign(p_holm=p), LABELS["random_block_masking"], 0.25)
        assert found.startswith("Trained on 25% of ") and said in found
    alone = table[table["model"] != "U-Net"]
    assert summary.against_best(alone, LABELS["random_block_masking"], 0.2) == ""


def test_cost_and_machine_are_those_of_the_records(reader):
    trainings = len(FRACTIONS) * len(SEEDS)
    costs = {row[0].strip(): row for row in reader.rows if len(row) == 7}
    assert costs["U-Net"][1].strip() == str(trainings)
    assert costs["U-Net"][2].strip() == duration(100 * trainings) == "10 min"
    every = 2 * trainings + 1
    words = " ".join(reader.words)
    assert "Device: a CPU" in words and "torch 2.13.0" in words
    assert f"{every} trainings and their evaluations, {duration(120 * every)} in all" in words
    assert "not all runs are of one kind" not in words.lower()


def test_runs_that_differ_are_told(small_report, tmp_path):
    record = json.loads(small_report.runs[0].read_text()) | {"packages": {"torch": "2.12.0"}}
    write_json(tmp_path / "run.json", record)
    runs = [tmp_path / "run.json", *small_report.runs[1:]]
    page = small_report.write(tmp_path / "report.html", runs=runs)
    assert "<strong>Not all runs are of one kind.</strong> Runs of different packages" in page


def test_the_dataset_is_told(small_report, tmp_path):
    groups = ["7", "7", "007"]  # names, not numbers
    rows = [{"id": n, "labelled": int(n > 0), "duplicate_group": groups[n]} for n in range(3)]
    write_csv(tmp_path / "index.csv", rows)
    write_csv(tmp_path / "problems.csv", [{"id": "9", "reason": "broken"}])
    files = {name: tmp_path / f"{name}.csv" for name in ("index", "problems")}
    page = small_report.write(tmp_path / "report.html", **files)
    assert "3, of which 2 are annotated; 2 are copies of one another" in page
    assert "lines in data/problems.csv, on what was left out: 1." in page
    assert "8 radiographs, the same for all trainings." in page
    assert "Radiographs: 12 at 20%, 15 at 25%, 48 at 80%." in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source": "phantom"}, "<strong>A digital phantom.</strong> A program drew these"),
        ({"source": "folder"}, "<strong>Not the paper’s dataset.</strong> Numbers may differ"),
        ({"source": "coco"}, "<strong>Not the paper’s dataset.</strong> Numbers may differ"),
        ({"source": "hitl", "changed": {}}, "settings are those of <code>config/paper.yaml</code>"),
        ({}, "study: small\ntraining: {epochs: 5}\nmethods: {pspnet: null}"),
    ],
)
def test_what_the_numbers_can_say_and_how_to_make_them_again(small_report, tmp_path, changes, said):
    page = small_report.write(tmp_path / "report.html", **changes)
    assert said in page
    of_phantom = changes.get("source", "phantom") == "phantom"
    assert ("say nothing about the paper" in page) == of_phantom


def test_a_study_without_a_pretext_and_of_the_complement_protocol_has_a_report(tmp_path):
    options = {"pretext": False, "protocol": "complement"}
    report = SmallReport(tmp_path, figures=("figure1", "figure4"), **options)
    page = report.write(tmp_path / "report.html")
    assert "Pretext: radiographs restored" not in page and "Table 2" in page
    assert "<strong>Complement protocol.</strong> All radiographs that a training leaves" in page
