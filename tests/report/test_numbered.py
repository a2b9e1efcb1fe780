"""Tables and figures of numbered teeth, from rows whose means are known."""

import numpy as np
import pandas as pd
import pytest
from records import RECORD, presentation
from scipy import stats

from maskedteeth.data.arrays import Arrays
from maskedteeth.files import write_csv, write_json
from maskedteeth.report.figures.dental_chart import dental_chart
from maskedteeth.report.figures.numbered_teeth import numbered_teeth
from maskedteeth.report.tables.confusions import confusions, kind_of
from maskedteeth.report.tables.numbering import numbering

COLUMNS = ("seed", "id", "tooth", "truth", "predicted", "both", "numbered_as", "found")
#: Of ours at 20 %: two seeds, two radiographs.
ROWS = [
    (42, "a", 8, 100, 100, 80, 8, 1),  # Dice 0.8
    (42, "a", 9, 100, 0, 0, 8, 1),  # under its neighbour's number
    (42, "b", 8, 100, 100, 100, 8, 1),
    (42, "b", 1, 0, 50, 0, 0, 0),  # predicted and not there
    (42, "b", 3, 60, 0, 0, 0, 0),  # missed
    (0, "a", 8, 100, 100, 60, 8, 1),
    (0, "a", 9, 100, 100, 60, 9, 1),
    (0, "b", 8, 100, 100, 60, 8, 1),
]


@pytest.fixture
def files(tmp_path):
    """The rows, and as few of a method that finds nothing, with their records."""
    about = {"method": "ours", "fraction": 0.2}
    rows = [about | dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
    rows.append(dict(zip(COLUMNS, (42, "a", 8, 100, 0, 0, 0, 0), strict=True)))
    rows[-1] = {"method": "unet", "fraction": 0.2} | rows[-1]
    write_csv(tmp_path / "numbering.csv", rows)
    write_json(tmp_path / "run.json", RECORD)
    return {"numbering": [tmp_path / "numbering.csv"], "runs": [tmp_path / "run.json"]}


REPORT = presentation(figure_fraction=0.2)


def test_means_are_over_teeth_then_seeds(files):
    table = numbering(REPORT, **files)
    frame = table.frame.set_index(["model", "teeth"])
    ours = frame.loc[("Our approach", "all")]
    dice = [np.mean([0.8, 0, 1, 0, 0]), np.mean([0.6, 0.6, 0.6])]
    assert ours["dice"] == pytest.approx(np.mean(dice))
    assert ours["dice_sd"] == pytest.approx(np.std(dice, ddof=1))
    assert ours["found"] == pytest.approx(np.mean([3 / 4, 1]))  # of the annotated
    assert ours["right"] == pytest.approx(np.mean([2 / 3, 1]))  # of the found
    assert (ours["seeds"], ours["annotated"]) == (2, 7)
    # Drawn is one radiograph twice, or each once.
    single = [np.mean([np.mean([0.8, 0]), 0.6]), np.mean([np.mean([1, 0, 0]), 0.6])]
    assert ours[["dice_low", "dice_high"]].tolist() == pytest.approx(sorted(single))
    assert ours[["found_low", "found_high"]].tolist() == [np.mean([1 / 2, 1]), 1]
    assert f"{ours['found']:.3f} [0.750, 1.000]" in table.parts[0].text["Found"].tolist()
    assert frame.loc[("Our approach", "wisdom teeth"), ["dice", "annotated"]].tolist() == [0, 0]
    assert np.isnan(frame.loc[("U-Net", "all"), "right"])
    assert frame.loc[("Our approach", "9"), "jaccard"] == pytest.approx(np.mean([0, 60 / 140]))
    groups = table.parts[1].text
    assert groups["Teeth"].tolist() == ["incisors", "incisors", "molars", "wisdom teeth"]
    in_fdi = numbering(presentation(figure_fraction=0.2, numbers="fdi"), **files).frame
    assert {"11", "21", "16"} < set(in_fdi["teeth"])


def test_differences_to_ours_include_chance_in_training(files, tmp_path):
    rows = [{"fraction": 0.2} | dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
    ours = [{"method": "ours"} | row for row in rows if row["both"]]
    worse = {42: 10, 0: 30}  # Dice 0.1 and 0.3 below ours, on each radiograph
    unet = [row | {"method": "unet", "both": row["both"] - worse[row["seed"]]} for row in ours]
    write_csv(tmp_path / "rows.csv", ours + unet)
    files["numbering"] = [tmp_path / "rows.csv"]
    table = numbering(presentation(figure_fraction=0.2, bootstrap_resamples=5000), **files)
    frame = table.frame.set_index(["model", "teeth"])
    difference = frame.loc[("U-Net", "all")].filter(like="dice_difference").astype(float)
    assert difference["dice_difference"] == pytest.approx(-0.2)
    # Whichever radiographs are drawn: so this is the paired t interval of −0.1 and −0.3, which of
    # two seeds is wide. Of 5,000 draws it is no sharper.
    bounds = stats.ttest_1samp([-0.1, -0.3], 0).confidence_interval()
    assert difference.tolist()[1:] == pytest.approx(list(bounds), abs=0.2)
    assert frame.loc[("Our approach", "all")].filter(like="difference").isna().all()
    assert table.parts[2].text["Model"].tolist() == ["U-Net"]


def test_what_was_trained_once_is_not_compared_with_ours(files):
    table = numbering(REPORT, **files)
    assert table.frame.filter(like="difference").isna().all(axis=None)
    assert len(table.parts) == 2


def test_wrong_numbers_are_counted_by_kind(files):
    table = confusions(REPORT, **files)
    assert table.frame[
        ["model", "tooth", "numbered_as", "kind", "count", "share"]
    ].values.tolist() == [["Our approach", 9, 8, "neighbour", 1, 0.5]]
    counts = table.parts[0].text.set_index("Model")
    assert counts.loc["Our approach", ["Found", "Neighbour"]].tolist() == ["6", "1 (16.7%)"]
    assert counts.loc["U-Net", "Found"] == "0"
    in_fdi = confusions(presentation(figure_fraction=0.2, numbers="fdi"), **files)
    assert in_fdi.parts[1].text.iloc[0, :2].tolist() == ["21", "11"]


@pytest.mark.parametrize(
    ("tooth", "other", "kind"),
    [(3, 4, "neighbour"), (8, 9, "neighbour"), (3, 14, "other side"), (30, 19, "other side")]
    + [(3, 30, "other jaw"), (16, 17, "other jaw"), (3, 5, "another"), (3, 3, "")],
)
def test_a_wrong_number_is_of_one_kind(tooth, other, kind):
    assert kind_of(tooth, other) == kind


def test_the_chart_has_each_tooth_in_its_place_with_its_dice(files):
    (page,) = dental_chart(REPORT, **files).pages
    said = [text.get_text() for text in page.axes[0].texts]
    places = {said[n]: page.axes[0].texts[n].get_position() for n in range(0, 64, 2)}
    values = dict(zip(said[0:64:2], said[1:64:2], strict=True))
    assert values["8"] == "0.75" and values["9"] == "0.30" and values["32"] == "–"
    assert places["1"][0] < places["8"][0] < 0 < places["9"][0] < places["16"][0]
    assert places["1"][0] == pytest.approx(places["32"][0]) and places["8"][1] > 0 > places["25"][1]


def test_numbers_stand_on_the_teeth_that_have_them(tmp_path):
    labels = np.zeros((1, 32, 64), np.uint8)
    labels[0, 10:20, 10:20], labels[0, 10:20, 30:40] = 8, 99
    np.save(tmp_path / "labels.npy", labels)
    np.save(tmp_path / "images.npy", labels + 50)
    np.savez(tmp_path / "predictions.npz", probability=labels, labels=np.where(labels, 9, 0))
    pd.DataFrame({"id": ["a"]}).to_csv(tmp_path / "index.csv")
    about = {"method": "ours", "fraction": 0.2, "seed": 42, "id": "a", "dice": 1}
    write_csv(tmp_path / "metrics.csv", [about])
    names = ("images.npy", "labels.npy", "index.csv", "metrics.csv", "predictions.npz")
    *dataset, metrics, predictions = (tmp_path / name for name in names)
    files = {"dataset": Arrays(*dataset), "metrics": [metrics], "predictions": [predictions]}
    (page,) = numbered_teeth(presentation(numbers="fdi"), **files).pages
    _, truth, prediction = page.axes
    assert [text.get_text() for text in truth.texts] == ["11"]
    assert truth.texts[0].get_position() == (14.5, 14.5)
    assert [text.get_text() for text in prediction.texts] == ["21"]
    colours = [np.asarray(axes.images[0].get_array())[15, 15] for axes in (truth, prediction)]
    assert not (colours[0] == colours[1]).all()
