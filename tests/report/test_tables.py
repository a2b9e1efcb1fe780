import math

import pandas as pd
import pytest
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

from maskedteeth.cli import main
from maskedteeth.files import write_csv
from maskedteeth.settings.jobs import ReportJob

REPORT = ReportJob(
    dataset="A synthetic set",
    protocol="fixed-test",
    threshold=0.5,
    boundary_tolerance=2,
    labels={"unet": "U-Net", "ours": "Random Block Masking + Modified ResUNet"},
    short_labels={"unet": "U-Net", "ours": "Our approach"},
    ours="ours",
)
#: (method, fraction, seed) -> tp, fp, fn of two radiographs, of 100 pixels each.
COUNTS = {
    ("unet", 0.2, 42): [(10, 5, 5), (30, 0, 10)],
    ("ours", 0.2, 42): [(12, 3, 3), (36, 2, 4)],
    ("ours", 0.2, 0): [(11, 3, 4), (30, 2, 10)],
    ("ours", 0.25, 42): [(11, 3, 4), (35, 2, 5)],
}


def pixels(run):
    """Truth and prediction with the counts of a run, its radiographs one after the other."""
    truth, predicted = [], []
    for tp, fp, fn in COUNTS[run]:
        truth += [1] * tp + [0] * fp + [1] * fn + [0] * (100 - tp - fp - fn)
        predicted += [1] * tp + [1] * fp + [0] * fn + [0] * (100 - tp - fp - fn)
    return truth, predicted


@pytest.fixture
def metrics(tmp_path):
    files = []
    for number, ((method, fraction, seed), counts) in enumerate(COUNTS.items()):
        rows = [
            {"method": method, "fraction": fraction, "seed": seed, "id": f"{n:03d}"}
            | {"tp": tp, "fp": fp, "fn": fn, "dice": 2 * tp / (2 * tp + fp + fn)}
            for n, (tp, fp, fn) in enumerate(counts)
        ]
        files.append(tmp_path / f"{number}.csv")
        write_csv(files[-1], rows)
    return files


def make(table, metrics, folder, published, settings=REPORT):
    out = {kind: folder / f"out.{kind}" for kind in ("csv", "md", "tex")}
    arguments = [table, "--settings", settings.model_dump_json(), "--published", published]
    arguments += ["--metrics", *map(str, metrics)]
    arguments += [text for kind, file in out.items() for text in (f"--{kind}", str(file))]
    assert main([str(argument) for argument in arguments]) == 0
    return pd.read_csv(out["csv"]), out["md"].read_text(), out["tex"].read_text()


def published(name):
    return f"config/published/{name}.csv"


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)


def test_table_2_pools_a_run_as_scikit_learn_does_and_averages_over_seeds(metrics, tmp_path):
    table, _, _ = make("table2", metrics, tmp_path, published("table2"))
    row = table[(table["model"] == REPORT.labels["ours"]) & (table["fraction"] == 0.2)].iloc[0]
    runs = [pixels(("ours", 0.2, seed)) for seed in (42, 0)]
    references = {
        "dice": f1_score,
        "jaccard": jaccard_score,
        "precision": precision_score,
        "recall": recall_score,
    }
    for metric, reference in references.items():
        values = pd.Series([reference(*run) for run in runs])
        assert row[metric] == pytest.approx(values.mean(), abs=1e-6)
        assert row[f"{metric}_sd"] == pytest.approx(values.std(), abs=1e-6)
    assert row["seeds"] == 2


def test_the_papers_value_and_the_difference_stand_beside_ours(metrics, tmp_path):
    table, text, _ = make("table2", metrics, tmp_path, published("table2"))
    row = table[table["model"] == "U-Net"].iloc[0]
    assert (row["dice_published"], row["recall_published"]) == (0.673, 0.748)
    assert row["dice_difference"] == pytest.approx(row["dice"] - 0.673, abs=1e-6)
    assert "0.800 (0.673, +0.127)" in text  # 2 · 40 / (2 · 40 + 5 + 15)


def test_what_the_paper_does_not_have_is_left_out_not_made_up(metrics, tmp_path):
    table, text, _ = make("table2", metrics, tmp_path, published("table2"))
    row = table[table["fraction"] == 0.25].iloc[0]
    assert math.isnan(row["dice_published"]) and math.isnan(row["dice_difference"])
    assert math.isnan(row["dice_sd"])  # one seed has no deviation
    line = next(line for line in text.splitlines() if "0.25" in line)
    assert "(" not in line and "±" not in line


def test_per_image_dice_averages_radiographs_instead_of_pooling_them(metrics, tmp_path):
    table, _, _ = make("table2", metrics, tmp_path, published("table2"))
    row = table[table["model"] == "U-Net"].iloc[0]
    assert row["dice_per_image"] == pytest.approx((20 / 30 + 60 / 70) / 2, abs=1e-6)
    assert row["dice"] != pytest.approx(row["dice_per_image"], abs=1e-3)


def test_table_1_uses_its_own_names_and_fractions(metrics, tmp_path):
    table, text, _ = make("table1", metrics, tmp_path, published("table1"))
    assert table["model"].tolist() == ["U-Net", "Our approach"]
    assert table["fraction"].unique().tolist() == [0.2]
    assert table["jaccard_published"].tolist() == [0.564, 0.778]
    assert "Precision" not in text


def test_table_1_of_a_study_with_other_fractions_shows_those(metrics, tmp_path):
    table, _, _ = make("table1", metrics[3:], tmp_path, published("table1"))
    assert table["fraction"].tolist() == [0.25]


def test_table_3_goes_seed_by_seed_in_the_order_of_the_study(metrics, tmp_path):
    table, text, _ = make("table3", metrics[1:], tmp_path, published("table3"))
    assert list(zip(table["seed"], table["fraction"], strict=True)) == [
        (42, 0.2),
        (42, 0.25),
        (0, 0.2),
    ]
    assert table["dice_published"].tolist()[::2] == [0.872, 0.878]
    assert "Random Block Masking" in text


def test_every_table_names_the_dataset_and_stamps_the_complement_protocol(metrics, tmp_path):
    _, text, latex = make("table2", metrics, tmp_path, published("table2"))
    assert "A synthetic set" in text and "A synthetic set" in latex
    assert "COMPLEMENT" not in text
    complement = REPORT.model_copy(update={"protocol": "complement"})
    _, text, latex = make("table2", metrics, tmp_path, published("table2"), complement)
    assert "COMPLEMENT" in text and "COMPLEMENT" in latex


def test_latex_is_a_booktabs_table_with_special_characters_escaped(metrics, tmp_path):
    odd = REPORT.model_copy(update={"dataset": r"50 % of a_b & {c} #1 \x ~^$"})
    _, _, latex = make("table2", metrics, tmp_path, published("table2"), odd)
    assert latex.count(r"\toprule") == latex.count(r"\bottomrule") == 1
    assert r"50 \% of a\_b \& \{c\} \#1 \textbackslash{}x" in latex
    assert r"$\pm$" in latex
