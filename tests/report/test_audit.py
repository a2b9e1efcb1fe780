"""The audit of the published numbers."""

import shutil

import pytest

from maskedteeth.report.tables.audit import audit

INPUTS = ("table1", "table2", "table3", "models")


def audited(folder):
    return audit(**{name: folder / f"{name}.csv" for name in INPUTS})


@pytest.fixture(scope="module")
def table(request):
    return audited(request.config.rootpath / "config" / "published")


@pytest.fixture(scope="module")
def frame(table):
    return table.frame


def test_every_printed_row_gets_a_verdict(table, frame):
    rows = frame[frame["check"] == "row"]
    assert rows["verdict"].value_counts().to_dict() == {
        "averaged": 23,
        "pooled": 19,
        "impossible": 13,
    }
    impossible = rows[rows["verdict"] == "impossible"]
    ours = "Random Block Masking + Modified ResUNet"
    assert impossible[["model", "fraction"]].to_numpy().tolist() == [
        *(["Our approach", 0.3], ["U-Net", 0.9], ["LinkNet", 0.1], ["LinkNet", 0.2]),
        *(["Modified ResUNet", 0.8], ["Modified ResUNet", 0.9], [ours, 0.3], [ours, 0.9]),
        *(["seed 42", 0.1], ["seed 42", 0.9], ["seed 3407", 0.3], ["seed 3407", 0.9]),
        ["seed 0", 0.9],
    ]
    assert set(rows["verdict"][rows["model"] == "PSPNet"]) == {"pooled"}
    assert table.lead.startswith("**12 of the 40 rows of tables 2 and 3")
    assert "; 2 if Dice is a soft one" in table.lead and "(11 and 1 even if" in table.lead


def test_without_dice_two_rows_stay_impossible(frame):
    impossible = frame[frame["without_dice"] == "impossible"]
    found = impossible[["place", "model", "fraction", "without_dice_at_one_unit"]]
    assert found.to_numpy().tolist() == [
        ["Table 3", "seed 42", 0.9, True],
        ["Table 3", "seed 3407", 0.9, False],
    ]
    assert set(impossible["verdict"]) == {"impossible"}  # without Dice less is asked for


def test_the_two_values_that_tables_disagree_on_are_found_with_their_twins(table, frame):
    cells = frame[(frame["check"] == "cell") & (frame["verdict"] == "disagrees")]
    found = cells[["metric", "fraction", "quoted", "recomputed", "note"]].round(3)
    assert found.to_numpy().tolist() == [
        ["jaccard", 0.8, 0.804, 0.806, "seed 3407"],
        ["precision", 0.1, 0.851, 0.832, "the row's Dice"],
    ]
    assert (frame["check"] == "cell").sum() == 50


def test_sentences_are_checked_against_the_tables(frame):
    sentences = frame[frame["check"] == "sentence"].set_index("sentence")
    assert sentences["verdict"].value_counts().to_dict() == {
        "agrees": 7,
        "disagrees": 6,
        "no number named": 4,
        "in no table": 3,
    }
    wrong = sentences[sentences["verdict"] == "disagrees"]
    assert (wrong["place"] == "Section 4.2").sum() == 2
    blocks = wrong.loc["masking ratio from 15 % (2 blocks of 15 %)"]
    assert (blocks["quoted"], blocks["recomputed"]) == (0.15, 0.3)
    variation = sentences[sentences.index.str.contains("as mean standard deviation")].iloc[0]
    assert variation["verdict"] == "agrees"
    assert variation["recomputed"] == pytest.approx(0.0038, abs=5e-5)


def test_a_corrected_value_changes_the_verdict(tmp_path, request):
    folder = request.config.rootpath / "config" / "published"
    for name in INPUTS:
        shutil.copyfile(folder / f"{name}.csv", tmp_path / f"{name}.csv")
    for name, old, new in (
        ("table1", "Our approach,0.8,0.892,0.804", "Our approach,0.8,0.892,0.806"),
        ("table2", "LinkNet,0.2,0.805,0.675", "LinkNet,0.2,0.767,0.623"),
    ):
        file = tmp_path / f"{name}.csv"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
    frame = audited(tmp_path).frame.set_index(["place", "model", "fraction"])["verdict"]
    assert frame["Table 2", "LinkNet", 0.2] == "pooled"
    assert set(frame["Table 1 against table 2", "Our approach", 0.8]) == {"agrees"}
