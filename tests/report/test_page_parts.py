"""What the report computes: its sentences, where the numbers come from, how tables are built."""

import json

import pytest
from records import RECORD

from maskedteeth.errors import InputError
from maskedteeth.report.page import summary
from maskedteeth.report.page.figures import labelled
from maskedteeth.report.page.machines import read_origin
from maskedteeth.report.page.markdown import read
from maskedteeth.report.page.tables import build, grid_of, read_page
from maskedteeth.report.tables.layout import MINUS_PAPER

STATISTICS = """\
model,fraction,radiographs,dice,dice_low,dice_high,difference,difference_low,difference_high,p_holm
{other},0.125,60,0.7,0.6,0.8,-0.1,-0.2,-0.05,{p}
{ours},0.125,60,0.8,0.7,0.9,,,,
"""


def against_best(tmp_path, ours="Ours", other="Other", p="0.012000", shown=0.125):
    file = tmp_path / "statistics.csv"
    file.write_text(STATISTICS.format(ours=ours, other=other, p=p))
    return summary.against_best(file, ours, shown)


@pytest.mark.parametrize(
    ("p", "said", "differ"),
    [
        ("0.012", "p = 0.012, ", "differ"),
        ("0.000100", "p < 0.001, ", "differ"),
        ("0.05", "p = 0.050, ", "were not shown to differ"),
    ],
)
def test_the_first_sentence_says_percent_and_p_as_one_does(tmp_path, p, said, differ):
    sentence = against_best(tmp_path, p=p)[1]
    assert sentence.startswith("Trained on 12.5% of the annotated radiographs, Ours reaches")
    assert "is on average 0.100 [0.050, 0.200] lower than with ours. Signed-rank test" in sentence
    assert f"differences: {said}corrected; these trained networks {differ} on such" in sentence


def test_the_first_sentence_is_on_the_fraction_that_is_asked_for(tmp_path, monkeypatch):
    more = STATISTICS + "{other},0.25,60,0.7,0.6,0.8,,,,\n{ours},0.25,60,0.8,0.7,0.9,,,,\n"
    monkeypatch.setattr(f"{__name__}.STATISTICS", more)
    for shown, said in ((0.25, "25%"), (0.125, "12.5%"), (0.5, "12.5%")):
        grid, sentence = against_best(tmp_path, shown=shown)
        assert len(grid.rows) == 2 and sentence.startswith(f"Trained on {said} of")


@pytest.mark.parametrize(("ours", "other"), [("50", "101"), ("NA", "nan"), ("1e3", "1.0")])
def test_labels_that_look_like_something_else_are_labels(tmp_path, ours, other):
    grid, sentence = against_best(tmp_path, ours, other)
    assert f"{ours} reaches" in sentence and f"methods {other} is best" in sentence
    assert grid.rows[0][2].plain == other


def test_a_pretext_may_be_called_null(tmp_path):
    file = tmp_path / "table_pretext.csv"
    file.write_text(
        "pretext,pixels,filler,metric,value,value_published\n"
        "null,all,network,ssim,0.5,0.912\nnull,all,network,lpips,,0.088\n"
    )
    said = ["null, over the whole radiograph: SSIM 0.500 (paper 0.912)."]
    assert summary.pretexts(file) == said


@pytest.mark.parametrize(("old", "new"), [("0.7,0.6", "x,0.6"), ("p_holm", "p_hulm")])
def test_a_damaged_table_of_statistics_is_a_sentence(tmp_path, monkeypatch, old, new):
    monkeypatch.setattr(f"{__name__}.STATISTICS", STATISTICS.replace(old, new))
    with pytest.raises(InputError, match=r"statistics\.csv has "):
        against_best(tmp_path)


# --- Where the numbers come from ---

TRAINED = RECORD | {"settings": {"fraction": 0.2}, "modules": ["m"]}
EVALUATED = {
    **{"settings": {}, "code": "c", "inputs_sha256": {"weights": "w"}, "packages": {}},
    **{"modules": ["e"], "seconds": 7.0},
}


def origin(tmp_path, *trained, evaluated=EVALUATED):
    files = []
    for seed, record in enumerate(trained):
        folder = tmp_path / "runs" / "unet" / "fraction-0.2" / f"seed-{seed}"
        folder.mkdir(parents=True)
        for name, content in (("run", record), ("evaluation", evaluated)):
            files.append(folder / f"{name}.json")
            files[-1].write_text(json.dumps(content))
    return read_origin(files)


def test_time_is_that_of_training_steps_and_of_measurements(tmp_path):
    one = origin(tmp_path, TRAINED, TRAINED)
    assert (one.trainings, one.seconds) == (2, 2 * (100 + 7))


def test_records_of_before_machines_and_images_were_noted_are_read(tmp_path):
    old = {key: value for key, value in TRAINED.items() if key != "resumed_after_steps"}
    assert {"machines", "image", "radiographs"}.isdisjoint(old)
    one = origin(tmp_path, old)
    cells = [cell.plain for cell in one.machines.rows[0]]
    assert cells == ["a CPU", "bfloat16", "1", "Linux", "3.11.2", "1"]
    assert one.radiographs == {} and [row[0].plain for row in one.packages.rows] == ["torch"]


def test_a_training_that_moved_and_its_image_are_told(tmp_path):
    stays = [{"device": d, "precision": "bfloat16", "threads": 1} for d in ("a CPU", "a card")]
    image = {"name": "teeth", "digest": None, "content": "d" * 8}
    new = TRAINED | {"machines": stays, "image": image, "radiographs": [12, 32, 64]}
    one = origin(tmp_path, new, TRAINED | {"radiographs": [10, 32, 64]})
    assert [row[0].plain for row in one.machines.rows] == ["a CPU then a card", "a CPU"]
    assert [cell.plain for cell in one.packages.rows[1]] == ["Container image", "teeth (dddddddd)"]
    assert one.radiographs == {0.2: "10 to 12"}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"packages": ["torch"]}, "packages"),
        ({"training_seconds": "100"}, "training_seconds"),
        ({"radiographs": 12}, "radiographs"),
        ({"machines": [{"device": "a CPU"}]}, "machines.0.precision"),
        ({"image": {"digest": "d"}}, "image.name"),
    ],
)
def test_a_record_of_another_form_is_a_sentence(tmp_path, change, place):
    with pytest.raises(InputError, match=rf"run\.json is of another form .*: {place}: "):
        origin(tmp_path, TRAINED | change)


def test_an_evaluation_without_its_time_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match=r"evaluation\.json is of another form .*: seconds: "):
        origin(tmp_path, TRAINED, evaluated={k: v for k, v in EVALUATED.items() if k != "seconds"})


# --- Tables and figures ---


def test_only_columns_with_a_papers_value_have_one(tmp_path):
    rows = [["U-Net", "0.125", "0.500 (0.600, −0.100)"], ["", "0.2", "0.700"]]
    ((first, second),) = build(grid_of(["Model", "Train. data", "Dice"], rows), "T").groups
    assert [cell.paper for cell in first.cells] == [None, None, "0.600"]
    assert [cell.paper for cell in second.cells] == [None, "–"]


def test_a_method_may_be_called_paper():
    columns, rows = ["Model", "Of", "Dice"], [["Paper", "x", "0.5"], ["U-Net", "y", "0.6"]]
    table = build(grid_of(columns, rows), "T")
    assert [row.kind for row in table.groups[0]] == ["", ""] and not table.switched
    table = build(grid_of(columns, [*rows, ["U-Net", MINUS_PAPER, "+0.1"]]), "T")
    assert [row.kind for row in table.groups[0]] == ["paper", "ours", "difference"]
    assert table.switched


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("Figure 4: what it shows. More: this.", ("Figure 4", "what it shows. More: this.")),
        ("My sheet: all. Dataset: x.", ("My sheet", "all. Dataset: x.")),
        ("My sheet. Dataset: x.", ("My sheet", "Dataset: x.")),
        ("My sheet", ("My sheet", "")),
        ("My sheets of it. Dataset: x.", ("My sheet", "My sheets of it. Dataset: x.")),
        ("HD95, all. Dataset: x.", ("My sheet", "HD95, all. Dataset: x.")),
    ],
)
def test_a_caption_is_shown_once(caption, expected):
    assert labelled(caption, "my_sheet") == expected


def test_a_title_without_a_label_keeps_its_capitals():
    assert labelled("HD95 of U-Net", "HD95 of U-Net")[0] == "HD95 of U-Net"


def test_a_table_before_the_first_heading_is_a_table(tmp_path):
    md, csv = tmp_path / "mine.md", tmp_path / "mine.csv"
    md.write_text("# Mine\n\n| a |\n|---|\n| 1 |\n\n## More\n\nWords.\n")
    csv.write_text("a\n1\n")
    page = read_page(md, csv)
    assert page.lead == [] and [title for title, _ in page.parts] == ["Mine", "More"]
    assert page.parts[0][1][0].count == 1
    assert read("# T").parts[0].blocks == []
