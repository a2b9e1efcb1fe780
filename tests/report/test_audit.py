import shutil

import pandas as pd
import pytest

from maskedteeth.cli import main
from maskedteeth.settings.jobs import ReportJob

REPORT = ReportJob.model_construct(
    dataset="A synthetic set",
    protocol="fixed-test",
    threshold=0.5,
    boundary_tolerance=1.0,
    labels={"ours": "Ours"},
    short_labels={"ours": "Ours"},
    ours="ours",
)
INPUTS = ("table1", "table2", "table3", "pretext", "models", "sentences")


@pytest.fixture
def paper(tmp_path, request):
    """A copy of the published numbers, for changing."""
    shutil.copytree(
        request.config.rootpath / "config" / "published",
        tmp_path / "published",
        copy_function=shutil.copyfile,
    )
    return tmp_path / "published"


def run(paper):
    out = {kind: paper / f"audit.{kind}" for kind in ("csv", "md", "tex")}
    arguments = ["audit", "--settings", REPORT.model_dump_json()]
    arguments += [text for name in INPUTS for text in (f"--{name}", str(paper / f"{name}.csv"))]
    arguments += [text for kind, file in out.items() for text in (f"--{kind}", str(file))]
    return main(arguments), out


@pytest.fixture(scope="module")
def audited(tmp_path_factory, request):
    paper = tmp_path_factory.mktemp("audit") / "published"
    shutil.copytree(
        request.config.rootpath / "config" / "published", paper, copy_function=shutil.copyfile
    )
    status, out = run(paper)
    assert status == 0
    return pd.read_csv(out["csv"]), out["md"].read_text(), out["tex"].read_text()


def edit(file, old, new):
    content = file.read_text()
    assert old in content
    file.write_text(content.replace(old, new, 1))


def test_every_printed_row_gets_a_verdict(audited):
    table, text, _ = audited
    rows = table[table["check"] == "row"]
    counts = rows.groupby("place")["verdict"].value_counts().to_dict()
    assert counts == {
        ("Table 1", "averaged"): 9,
        ("Table 1", "pooled"): 5,
        ("Table 1", "impossible"): 1,
        ("Table 2", "averaged"): 11,
        ("Table 2", "pooled"): 7,
        ("Table 2", "impossible"): 7,
        ("Table 3", "pooled"): 7,
        ("Table 3", "impossible"): 5,
        ("Table 3", "averaged"): 3,
    }
    assert "**12 of the 40 rows of tables 2 and 3" in text
    assert "; 2 if Dice is a soft one" in text and "(11 and 1 even if" in text


def test_without_dice_two_rows_stay_impossible(audited):
    table, text, _ = audited
    rows = table[table["check"] == "row"]
    impossible = rows[rows["without_dice"] == "impossible"]
    found = impossible[["place", "model", "fraction", "without_dice_at_one_unit"]]
    assert found.to_numpy().tolist() == [
        ["Table 3", "seed 42", 0.9, True],
        ["Table 3", "seed 3407", 0.9, False],
    ]
    assert set(impossible["verdict"]) == {"impossible"}  # without Dice less is asked for
    assert rows.loc[rows["place"] == "Table 1", "without_dice"].isna().all()
    counts = [line.strip("| ").split() for line in text.splitlines() if line.startswith("| ")]
    assert [line[-1] for line in counts if len(line) > 8 and line[0] in "123"] == ["–", "0", "2"]


def test_hiding_two_blocks_of_15_percent_is_not_hiding_15(audited):
    table, _, _ = audited
    row = table[table["sentence"].str.contains("2 blocks of 15 %", na=False)].iloc[0]
    assert (row["quoted"], row["recomputed"], row["verdict"]) == (0.15, 0.3, "disagrees")


def test_the_two_values_that_tables_disagree_on_are_found_with_their_twins(audited):
    table, text, _ = audited
    cells = table[(table["check"] == "cell") & (table["verdict"] == "disagrees")]
    found = cells[["metric", "fraction", "quoted", "recomputed", "note"]].round(3)
    assert found.to_numpy().tolist() == [
        ["jaccard", 0.8, 0.804, 0.806, "seed 3407"],
        ["precision", 0.1, 0.851, 0.832, "the row's Dice"],
    ]
    assert "The other 29 of 30 values agree." in text
    assert "The other 19 of 20 values agree." in text


def test_the_sentence_that_table_2_contradicts_is_found(audited):
    table, _, _ = audited
    sentences = table[table["check"] == "sentence"]
    wrong = sentences[sentences["verdict"] == "disagrees"]
    assert (wrong["place"] == "Section 4.2").sum() == 2
    mean = sentences[sentences["sentence"].str.contains("as mean standard deviation", na=False)]
    assert mean["verdict"].tolist() == ["agrees"]
    assert mean["recomputed"].iloc[0] == pytest.approx(0.0038, abs=5e-5)


def test_a_corrected_value_changes_the_verdict(paper):
    edit(paper / "table1.csv", "Our approach,0.8,0.892,0.804", "Our approach,0.8,0.892,0.806")
    edit(
        paper / "table2.csv",
        "LinkNet,0.2,0.805,0.675,0.840,0.706",
        "LinkNet,0.2,0.767,0.623,0.840,0.706",
    )
    status, out = run(paper)
    table = pd.read_csv(out["csv"])
    row = table[(table["place"] == "Table 2") & (table["model"] == "LinkNet")]
    assert status == 0
    assert row.set_index("fraction")["verdict"][0.2] == "pooled"
    cells = table[(table["check"] == "cell") & (table["place"] == "Table 1 against table 2")]
    assert set(cells.loc[cells["fraction"] == 0.8, "verdict"]) == {"agrees"}


@pytest.mark.parametrize(
    ("quoted", "expression", "expected"),
    [
        ("0.4", 'dice_sd("unet", 0.2)', "the paper gives no seeds of unet"),
        ("0.4", 'dice("unet", 0.5)', "table 2 has no fraction 0.5 of unet"),
        ("0.4", '__import__("os")', "'__import__' is no function here"),
        ("true", "0.5", "is no statement"),
        ("much", "0.5", "quoted is 'much', neither a number nor true nor empty"),
    ],
)
def test_a_line_that_cannot_be_checked_is_named(paper, capsys, quoted, expression, expected):
    line = f'Section 9,"a sentence",{quoted},"{expression.replace(chr(34), chr(34) * 2)}",\n'
    with (paper / "sentences.csv").open("a") as file:
        file.write(line)
    status, _ = run(paper)
    printed = capsys.readouterr().err
    number = len((paper / "sentences.csv").read_text().splitlines())
    assert status == 2
    assert f"sentences.csv, line {number}" in printed and expected in printed


def test_a_missing_column_is_named(paper, capsys):
    edit(paper / "models.csv", "by_seed", "seeds")
    status, _ = run(paper)
    assert status == 2
    assert "models.csv has no column 'by_seed'" in capsys.readouterr().err


def test_latex_holds_every_table_without_markdown(audited):
    _, text, latex = audited
    assert latex.count(r"\toprule") == text.count("\n|:--") == 7
    assert "**" not in latex and "†" not in latex and "−" not in latex
    assert r"$\dagger$" in latex
