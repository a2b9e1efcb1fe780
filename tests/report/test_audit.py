"""The audit of the published numbers."""

import shutil

import pytest

from maskedteeth.report.tables.audit import audit

INPUTS = ("table1", "table2", "table3", "models")
OURS = "Random Block Masking + Modified ResUNet"


def audited(folder):
    return audit(**{name: folder / f"{name}.csv" for name in INPUTS})


@pytest.fixture(scope="module")
def table(request):
    return audited(request.config.rootpath / "config" / "published")


def test_every_printed_row_gets_a_verdict(table):
    rows = table.frame[table.frame["check"] == "row"]
    counts = rows["verdict"].value_counts().to_dict()
    assert counts == {"averaged": 23, "pooled": 19, "impossible": 13}
    impossible = rows[rows["verdict"] == "impossible"]
    assert impossible[["model", "fraction"]].to_numpy().tolist() == [
        *(["Our approach", 0.3], ["U-Net", 0.9], ["LinkNet", 0.1], ["LinkNet", 0.2]),
        *(["Modified ResUNet", 0.8], ["Modified ResUNet", 0.9], [OURS, 0.3], [OURS, 0.9]),
        *(["seed 42", 0.1], ["seed 42", 0.9], ["seed 3407", 0.3], ["seed 3407", 0.9]),
        ["seed 0", 0.9],
    ]
    assert set(rows["verdict"][rows["model"] == "PSPNet"]) == {"pooled"}
    assert table.lead.startswith("**In 12 of the 40 rows of tables 2 and 3")
    assert "It is 2 of them if Dice is soft" in table.lead


def test_without_dice_two_rows_stay_impossible(table):
    rows = table.frame[table.frame["without_dice"] == "impossible"]
    assert rows["model"].tolist() == ["seed 42", "seed 3407"] and set(rows["fraction"]) == {0.9}
    assert set(rows["verdict"]) == {"impossible"}  # without Dice less is asked for


def test_the_two_values_that_tables_disagree_on_are_found_with_their_twins(table):
    cells = table.frame[table.frame["check"] == "cell"]
    found = cells.loc[cells["verdict"] == "disagrees", ["metric", "quoted", "recomputed", "note"]]
    assert found.round(3).to_numpy().tolist() == [
        ["jaccard", 0.804, 0.806, "seed 3407"],
        ["precision", 0.851, 0.832, "the row's Dice"],
    ]
    assert len(cells) == 50


def test_a_corrected_value_changes_the_verdict(tmp_path, request):
    for name in INPUTS:
        shutil.copy(request.config.rootpath / "config" / "published" / f"{name}.csv", tmp_path)
    for name, old, new in (
        ("table1", "random_block_masking,0.8,0.892,0.804", "random_block_masking,0.8,0.892,0.806"),
        ("table2", "linknet,0.2,0.805,0.675", "linknet,0.2,0.767,0.623"),
    ):
        file = tmp_path / f"{name}.csv"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
    frame = audited(tmp_path).frame.set_index(["place", "model", "fraction"])["verdict"]
    assert frame["Table 2", "LinkNet", 0.2] == "pooled"
    assert set(frame["Table 1 against table 2", "Our approach", 0.8]) == {"agrees"}
