"""Tables 1 to 3 against scikit-learn, and the four files of a table."""

import math

import pandas as pd
import pytest
from markdown_it import MarkdownIt
from records import RECORD, presentation
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

from maskedteeth.files import write_csv, write_json
from maskedteeth.report.table import Part, Table, in_html, in_latex, in_markdown, write_table
from maskedteeth.report.tables.of_paper import table1, table2, table3

OURS = "random_block_masking"
LABELS = {"unet": "U-Net", OURS: "Random Block Masking + Modified ResUNet"}
SHORT = {"unet": "U-Net", OURS: "Our approach"}
REPORT = presentation(labels=LABELS, short_labels=SHORT, ours=OURS)
MAKE = {"table1": table1, "table2": table2, "table3": table3}
#: (method, fraction, seed) -> tp, fp, fn of two radiographs, of 100 pixels each.
COUNTS = {
    ("unet", 0.2, 42): [(10, 5, 5), (30, 0, 10)],
    (OURS, 0.2, 42): [(12, 3, 3), (36, 2, 4)],
    (OURS, 0.2, 0): [(11, 3, 4), (30, 2, 10)],
    (OURS, 0.25, 42): [(11, 3, 4), (35, 2, 5)],
}


def pixels(run):
    """Truth and prediction with the counts of a run, its radiographs one after the other."""
    truth, predicted = [], []
    for tp, fp, fn in COUNTS[run]:
        truth += [1] * tp + [0] * fp + [1] * fn + [0] * (100 - tp - fp - fn)
        predicted += [1] * tp + [1] * fp + [0] * fn + [0] * (100 - tp - fp - fn)
    return truth, predicted


@pytest.fixture
def made(tmp_path, request):
    """Makes one of the tables of some of the runs."""
    files, runs = [], []
    for number, ((method, fraction, seed), counts) in enumerate(COUNTS.items()):
        rows = [
            {"method": method, "fraction": fraction, "seed": seed, "id": f"{n:03d}"}
            | {"tp": tp, "fp": fp, "fn": fn, "dice": 2 * tp / (2 * tp + fp + fn)}
            for n, (tp, fp, fn) in enumerate(counts)
        ]
        files.append(tmp_path / f"{number}/metrics.csv")
        runs.append(tmp_path / f"{number}/run.json")
        write_csv(files[-1], rows)
        about = {"method": method, "fraction": fraction, "seed": seed}
        write_json(runs[-1], RECORD | about | {"code": "c" if method == OURS else "d"})

    def make(name, report=REPORT, first=0):
        published = request.config.rootpath / "config" / "published" / f"{name}.csv"
        return MAKE[name](report, metrics=files[first:], published=published, runs=runs[first:])

    return make


def test_table_2_pools_a_run_as_scikit_learn_does_and_averages_over_seeds(made):
    table = made("table2").frame
    row = table[(table["model"] == LABELS[OURS]) & (table["fraction"] == 0.2)].iloc[0]
    runs = [pixels((OURS, 0.2, seed)) for seed in (42, 0)]
    references = {
        "dice": f1_score,
        "jaccard": jaccard_score,
        "precision": precision_score,
        "recall": recall_score,
    }
    for metric, reference in references.items():
        values = pd.Series([reference(*run) for run in runs])
        assert row[metric] == pytest.approx(values.mean())
        assert row[f"{metric}_sd"] == pytest.approx(values.std())
    assert row["seeds"] == 2


def test_the_papers_value_and_the_difference_stand_beside_ours(made):
    table = made("table2")
    row = table.frame.iloc[0]
    assert (row["dice_published"], row["recall_published"]) == (0.673, 0.748)
    assert row["dice_difference"] == pytest.approx(row["dice"] - 0.673)
    assert table.parts[0].text["Dice"][0] == "0.800 *(0.673, +0.127)*"  # 2·40 / (2·40 + 5 + 15)
    assert row["dice_per_image"] == pytest.approx((20 / 30 + 60 / 70) / 2)
    row = table.frame.iloc[-1]
    assert row["fraction"] == 0.25 and math.isnan(row["dice_published"])
    assert math.isnan(row["dice_sd"])  # one seed has no deviation
    assert table.parts[0].text["Dice"].iloc[-1] == f"{row['dice']:.3f}"


def test_table_1_uses_its_own_names_and_fractions(made):
    table = made("table1")
    assert table.frame["model"].tolist() == ["U-Net", "Our approach"]
    assert table.frame["fraction"].unique().tolist() == [0.2]
    assert table.frame["jaccard_published"].tolist() == [0.564, 0.778]
    assert made("table1", first=3).frame["fraction"].tolist() == [
        0.25
    ]  # it has none of the paper's


def test_table_3_goes_seed_by_seed_in_the_order_of_the_study(made):
    table = made("table3", first=1)
    order = list(zip(table.frame["seed"], table.frame["fraction"], strict=True))
    assert order == [(42, 0.2), (42, 0.25), (0, 0.2)]
    assert table.frame["dice_published"].tolist()[::2] == [0.872, 0.878]
    assert LABELS[OURS] in table.title


@pytest.mark.parametrize("name", MAKE)
def test_every_table_names_the_dataset_the_protocol_and_runs_that_differ(made, name):
    table = made(name)
    assert "A synthetic set" in table.lead and "COMPLEMENT" not in table.lead
    assert (
        "Runs of different code: training.train: c (3 runs), d (unet at 0.2 with seed 42)."
        in table.lead
    )
    assert "different" not in made(name, first=1).lead
    table = made(name, REPORT.model_copy(update={"protocol": "complement"}))
    assert "COMPLEMENT" in table.lead
    assert (table.frame["protocol"] == "complement").all()


# --- The four files ---

HOSTILE = '<script>alert("x")</script> & <b>|bar|</b> ![i](http://evil.example) [a](b) _c_'
TEXT = pd.DataFrame(
    {
        "Model": ["U-Net", "", HOSTILE],
        "Train. data": ["0.1", "0.2", "0.1"],
        "Dice": ["**0.9** *(0.8, +0.1)*", "0.85", "–"],
    }
)


def table(*parts, **changes):
    frame = pd.DataFrame({"model": ["U-Net"], "dice": [1 / 3]})
    return Table("A title", frame, parts or (Part(TEXT),), **changes)


def test_a_table_is_written_as_numbers_and_as_three_texts(tmp_path):
    files = {kind: tmp_path / f"out.{kind}" for kind in ("csv", "md", "tex", "html")}
    write_table(table(lead="First.", notes=("Then.",)), **files)
    assert files["csv"].read_text() == "model,dice\nU-Net,0.333333\n"
    for kind in ("md", "tex", "html"):
        content = files[kind].read_text()
        assert content.index("A title") < content.index("First.") < content.index("Then.")


def test_markdown_has_the_cells_as_they_are_and_no_bar_ends_one():
    tokens = MarkdownIt().enable("table").parse(in_markdown(table(Part(TEXT, "Part", "Notes."))))
    assert sum(token.type == "tr_open" for token in tokens) == 4
    assert sum(token.type == "td_open" for token in tokens) == 9


def test_latex_is_a_booktabs_table_a_part_with_special_characters_escaped():
    latex = in_latex(table(lead=r"50 % of a_b & {c} #1 \x ~^$ ± †"))
    assert latex.count(r"\toprule") == latex.count(r"\bottomrule") == 1
    escaped = r"50 \% of a\_b \& \{c\} \#1 \textbackslash{}x \textasciitilde{}\textasciicircum{}\$"
    assert rf"\caption{{A title. {escaped} $\pm$ $\dagger$}}" in latex
    assert r"\textbf{0.9} \emph{(0.8, +0.1)}" in latex
    latex = in_latex(
        table(Part(TEXT, "One"), Part(TEXT[:0], "None", "Nothing."), Part(TEXT, "Two"))
    )
    assert latex.count(r"\begin{table}") == 2 and "None. Nothing." in latex


def test_html_is_safe_and_its_emphasis_is_markup():
    html = in_html(table(lead=HOSTILE, notes=(HOSTILE,)))
    assert "<script" not in html and "<b>" not in html and "<a" not in html and "<img" not in html
    assert (
        '<td class="number"><strong>0.9</strong> <em>(0.8,\N{NO-BREAK SPACE}+0.1)</em></td>' in html
    )


def test_a_repeated_label_is_one_cell_for_those_who_hear_the_table():
    html = in_html(table())
    assert '<th scope="rowgroup" rowspan="2">U-Net</th><th scope="row" class="number">' in html
    assert html.count("<tbody>") == 2
    assert '<th scope="rowgroup" rowspan="2">' in in_html(table(Part(TEXT[:2])))
    apart = TEXT.assign(Model=["a", "b", "c"])
    assert in_html(table(Part(apart))).count('<th scope="row">') == 3


def test_long_parts_but_the_first_are_folded_and_verdicts_coloured():
    words = pd.DataFrame({"Claim": ["x"] * 9, "Ours": ["**supported** +0.1"] * 8 + ["not tested"]})
    html = in_html(table(Part(words, "One"), Part(words, "Two")))
    assert html.count("<details>") == 1 and "<summary>Two (9 rows)</summary>" in html
    assert html.count('<td class="good">') == 16 and html.count('<td class="none">') == 2
