"""Further datasets, errors in annotations, and the claims of section 4.3 about them."""

import numpy as np
import pandas as pd
import pytest
import yaml
from records import RECORD, presentation
from scipy import stats
from snakemake.utils import update_config

from maskedteeth.files import write_json
from maskedteeth.metrics.segmentation import scores
from maskedteeth.report.claims import OURS, RESUNET
from maskedteeth.report.figures.dice_by_errors import dice_by_errors
from maskedteeth.report.tables.claims import claims
from maskedteeth.report.tables.elsewhere import elsewhere
from maskedteeth.report.tables.robustness import robustness
from maskedteeth.settings.config import Settings
from maskedteeth.settings.sections import cut
from maskedteeth.settings.validation import validate

LABELS = {OURS: "Ours", "ours_wrong": "Ours, errors", RESUNET: "Alone", "alone": "Alone, errors"}
REPORT = presentation(labels=LABELS, short_labels=LABELS, ours=OURS, bootstrap_resamples=2000)
SEEDS, MODEL = (1, 2, 3), {"architecture": "modified_resunet", "inputs": ["xray", "sobel"]}
#: Method → share of a tooth that it hits at home, elsewhere, and of training radiographs.
HITS = {OURS: (0.9, 0.8, 0), "ours_wrong": (0.86, 0.7, 0.85)}
HITS |= {RESUNET: (0.88, 0.8, 0), "alone": (0.8, 0.7, 0.72)}
GIVEN = 0.75


@pytest.fixture
def noise(request):
    content = yaml.safe_load((request.config.rootpath / "config/paper.yaml").read_text())
    errors = {"drop": 0.2, "grow": -1}
    methods = dict.fromkeys(("unet", "pspnet", "linknet"))
    methods["ours_wrong"] = {"label": "a", "initialisation": OURS, "annotations": errors}
    methods["alone"] = {"label": "b", "model": MODEL, "annotations": errors, "seeds": [1]}
    methods["other"] = {"label": "c", "model": {"architecture": "fpn"}}
    update_config(content, {"methods": methods})
    return cut(validate(content, Settings), ("noise",), {})["noise"]


def rows(generator, hits, images, **about):
    """Of some seeds and radiographs, a tooth each, of 10,000 pixels."""
    found = hits + generator.normal(0, 0.03, images) + generator.normal(0, 0.003, (len(SEEDS), 1))
    tp = np.round(10_000 * found).astype(int)
    for seed, line in zip(SEEDS, tp, strict=True):
        for name, hit in enumerate(line):
            wrong = {"tp": hit, "fp": 10_000 - hit, "fn": 10_000 - hit, "tn": 10_000}
            yield {"fraction": 0.2, "seed": seed, "id": f"{name:03d}", **wrong, **about}


@pytest.fixture
def files(tmp_path):
    """CSV files of metrics at home, elsewhere and of corrections; and a record."""
    generator, tables = np.random.default_rng(0), {"home": [], "there": [], "corrections": []}
    for method, (home, there, trained) in HITS.items():
        tables["home"] += rows(generator, home, 30, method=method)
        for dataset, images in (("clinic", 40), ("school", 30)):
            tables["there"] += rows(generator, there, images, method=method, dataset=dataset)
        if trained:
            for of, hit in (("prediction", trained), ("given", GIVEN)):
                tables["corrections"] += rows(generator, hit, 20, method=method, of=of)
    for name, table in tables.items():
        pd.DataFrame(table).to_csv(tmp_path / f"{name}.csv", index=False)
    write_json(tmp_path / "run.json", RECORD)
    return {name: [tmp_path / f"{name}.csv"] for name in tables} | {"runs": [tmp_path / "run.json"]}


def dice(table, **chosen):
    for key, value in chosen.items():
        table = table[table[key] == value]
    sums = table.groupby("seed")[["tp", "fp", "fn"]].sum()
    return scores(sums["tp"], sums["fp"], sums["fn"])["dice"]


def test_a_drop_is_the_difference_of_pooled_dice_with_chance_in_both_datasets(files):
    names = {"clinic": "Clinic of A", "school": "School of B"}
    where = {"metrics": files["home"], "elsewhere": files["there"], "runs": files["runs"]}
    made = elsewhere(REPORT, names, **where)
    home, there = (pd.read_csv(files[name][0]) for name in ("home", "there"))
    assert len(made.frame) == 2 * len(HITS)
    assert made.frame["radiographs"].tolist() == [40] * 4 + [30] * 4
    for _, row in made.frame.iterrows():
        method = next(name for name, label in LABELS.items() if label == row["model"])
        here = dice(home, method=method)
        other = there[(there["dataset"] == row["dataset"]) & (there["method"] == method)]
        away = dice(other)
        assert row["dice"] == pytest.approx(away.mean())
        assert row["dice_sd"] == pytest.approx(away.std(ddof=1))
        assert row["drop"] == pytest.approx(here.mean() - away.mean())
        # All teeth are of one size, so pooled Dice is a mean over radiographs.
        parts = [
            frame.groupby("id")["tp"].mean() / 10_000
            for frame in (home[home["method"] == method], other)
        ]
        error = np.sqrt(sum(part.var(ddof=0) / len(part) for part in parts))
        low, high = row["drop"] + error * np.array([-1.96, 1.96])
        assert (row["drop_low"], row["drop_high"]) == pytest.approx((low, high), abs=0.15 * error)
    assert [part.title for part in made.parts] == ["clinic", "school"]
    assert made.parts[0].notes == "40 radiographs: Clinic of A."


def test_where_teeth_are_numbered_the_tables_have_numbers_too(files, noise, tmp_path):
    """A tooth a radiograph, of 100 pixels, that all networks number rightly at home alone."""

    def teeth(file, dice, number, frame):
        columns = ["method", "fraction", "seed", "id", *(["dataset"] if "dataset" in frame else [])]
        found = {"tooth": 8, "truth": 100, "predicted": 100, "numbered_as": number, "found": 1}
        frame[columns].assign(**found, both=round(100 * dice)).to_csv(tmp_path / file, index=False)
        return [tmp_path / file]

    home, there = (pd.read_csv(files[name][0]) for name in ("home", "there"))
    at_home = teeth("teeth_home.csv", 0.9, 8, home)
    away = teeth("teeth_there.csv", 0.7, 9, there[there["dataset"] == "clinic"])
    names = {"clinic": "Clinic of A", "school": "without numbers"}
    where = {"metrics": files["home"], "elsewhere": files["there"], "runs": files["runs"]}
    where |= {"numbering": at_home, "numbering_elsewhere": away}
    made = elsewhere(REPORT, names, **where)
    clinic, school = (made.frame[made.frame["dataset"] == name] for name in names)
    assert clinic["tooth_dice"].to_numpy() == pytest.approx(np.full(4, 0.7))
    assert clinic["right"].tolist() == [0] * 4
    assert clinic["tooth_dice_drop_low"].to_numpy() == pytest.approx(np.full(4, 0.2))
    assert clinic["right_drop"].tolist() == [1] * 4 and school["found"].isna().all()
    titles = [part.title for part in made.parts]
    assert titles == ["clinic", "clinic: numbered teeth", "school"]
    assert made.parts[1].text["Rightly numbered: drop"][0] == "+1.000 [+1.000, +1.000]"

    where = {"metrics": files["home"], "corrections": files["corrections"], "runs": files["runs"]}
    made = robustness(REPORT, noise, **where, numbering=at_home)
    assert made.frame["tooth_dice"].to_numpy() == pytest.approx(np.full(4, 0.9))
    assert made.parts[0].text["Rightly numbered"].tolist() == ["1.000 ± 0.000"] * 4
    drawn = dice_by_errors(REPORT, noise, **where, numbering=at_home)
    lines = [line.get_ydata().tolist() for line in drawn.pages[0].axes[0].lines]
    assert pytest.approx([0.9, 0.9]) in lines and "Dice of a tooth" in drawn.caption


def test_methods_with_errors_stand_below_the_one_that_is_the_same_without(files, noise):
    assert {name: entry.base for name, entry in noise.items()} == {
        RESUNET: RESUNET,
        OURS: OURS,
        "ours_wrong": OURS,
        "alone": RESUNET,
    }
    where = {"metrics": files["home"], "corrections": files["corrections"], "runs": files["runs"]}
    frame = robustness(REPORT, noise, **where).frame
    assert frame["model"].tolist() == ["Ours", "Ours", "Alone", "Alone"]
    assert frame["errors"].tolist() == ["none", "drop 0.2, grow -1"] * 2
    home, compared = (pd.read_csv(files[name][0]) for name in ("home", "corrections"))
    for method, row in zip(HITS, frame.itertuples(), strict=True):
        assert row.dice == pytest.approx(dice(home, method=method).mean())
        if row.errors != "none":
            found = {
                of: dice(compared, method=method, of=of).mean() for of in ("prediction", "given")
            }
            assert {"prediction": row.prediction, "given": row.given} == pytest.approx(found)
            assert row.gain == pytest.approx(found["prediction"] - found["given"])
            assert row.gain_low < row.gain < row.gain_high
    assert frame["gain"].isna().tolist() == [True, False] * 2
    drawn = dice_by_errors(REPORT, noise, **where)
    (axes,) = drawn.pages[0].axes
    lines = [line.get_ydata().tolist() for line in axes.lines if len(line.get_ydata()) == 2]
    assert frame["dice"].tolist()[:2] in lines and frame["dice"].tolist()[2:] in lines


def test_section_4_3_is_judged_by_what_networks_made_of_wrong_annotations(files, noise, request):
    published = request.config.rootpath / "config" / "published"
    paper = {name: published / f"{name}.csv" for name in ("table2", "table3")}

    def judged(**corrections):
        made = claims(REPORT, noise, metrics=files["home"], **paper, **corrections)
        frame = made.frame.set_index("claim")
        return [frame.loc[name] for name in ("correct_despite_errors", "due_to_pretext")]

    correct, due = judged(corrections=files["corrections"])
    assert (correct["ours"], due["ours"]) == ("supported", "supported")
    assert (correct["paper"], due["paper"]) == ("not tested", "not tested")
    compared = pd.read_csv(files["corrections"][0])
    gains = {
        method: dice(compared, method=method, of="prediction")
        - dice(compared, method=method, of="given")
        for method in ("ours_wrong", "alone")
    }
    assert correct["ours_margin"] == pytest.approx(gains["ours_wrong"].mean())
    assert due["ours_margin"] == pytest.approx((gains["ours_wrong"] - gains["alone"]).mean())
    # Chance in training is as wide as Student's t of the seeds, at least.
    assert correct["ours_high"] - correct["ours_low"] > 2 * stats.t.ppf(0.975, 2) * stats.sem(
        gains["ours_wrong"]
    )
    swapped = compared.assign(of=compared["of"].map({"given": "prediction", "prediction": "given"}))
    swapped.to_csv(files["corrections"][0], index=False)
    correct, due = judged(corrections=files["corrections"])
    assert (correct["ours"], due["ours"]) == ("refuted", "refuted")
    without, _ = judged()
    assert without["ours"] == "not tested" and "config/noise.yaml" in without["ours_remark"]
