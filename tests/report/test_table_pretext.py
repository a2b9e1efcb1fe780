"""The pretext beside fillers that learnt nothing, against SciPy."""

import math

import numpy as np
import pandas as pd
import pytest
from records import RECORD, presentation
from scipy import stats

from maskedteeth.files import write_json
from maskedteeth.report.table import Table, in_latex
from maskedteeth.report.tables.table_pretext import compare_fillers, table_pretext

METRICS = ("ssim", "lpips", "fsim", "l1")
#: Means over the whole radiograph: SSIM, LPIPS, FSIM, L1.
LEVELS = {
    "network": (0.80, 0.20, 0.90, 0.030),
    "composite": (0.86, 0.15, 0.95, 0.020),
    "inpainting": (0.84, 0.30, 0.90, 0.025),
    "unfilled": (0.40, 0.60, 0.50, 0.200),
}
RADIOGRAPHS = 40


def measured(name="masking", hidden=0.3, without=()) -> pd.DataFrame:
    """A row a filler and radiograph, easy or hard for all; besides, they differ a little."""
    generator = np.random.default_rng(0)
    ease = generator.normal(0, 0.05, RADIOGRAPHS)
    rows = []
    for filler, means in LEVELS.items():
        for n in range(RADIOGRAPHS):
            row = {"pretext": name, "filler": filler, "id": f"{n:03d}"}
            row |= {"hidden": hidden if n else 0.5}
            for metric, mean in zip(METRICS, means, strict=True):
                value = mean * (1 + ease[n]) + generator.normal(0, 0.004)
                value = math.nan if metric in without else value
                row |= {metric: value, f"{metric}_masked": value * 0.9}
            rows.append(row)
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def images():
    return measured()


KEYS = ["pixels", "filler", "metric"]


@pytest.fixture(scope="module")
def table(images):
    return compare_fillers(images, 2000).set_index(KEYS)


def bootstrap(values, level):
    options = {"method": "percentile", "rng": 1, "confidence_level": level}
    low, high = stats.bootstrap((values,), np.mean, **options).confidence_interval
    return pytest.approx(low, abs=0.1 * (high - low)), pytest.approx(high, abs=0.1 * (high - low))


def test_means_and_intervals_are_scipys(images, table):
    values = images.loc[images["filler"] == "inpainting", "ssim_masked"].to_numpy()
    row = table.loc[("masked", "inpainting", "ssim")]
    assert row["value"] == pytest.approx(values.mean())
    assert (row["value_low"], row["value_high"]) == bootstrap(values, 0.95)


def test_differences_are_paired_and_their_intervals_wider_for_being_many(images, table):
    wide = images.pivot(index="id", columns="filler", values="l1")
    differences = (wide["inpainting"] - wide["network"]).to_numpy()
    row = table.loc[("all", "inpainting", "l1")]
    assert row["to_network"] == pytest.approx(differences.mean())
    level = 1 - 0.05 / 32  # two fillers, twice two kinds of pixels, four metrics
    assert (row["to_network_low"], row["to_network_high"]) == bootstrap(differences, level)
    own = table.loc[pd.IndexSlice[:, ["network", "composite"], :]]
    assert own[["to_network", "to_composite_low"]].isna().all(axis=None)


def test_radiographs_that_were_not_measured_are_left_out(images):
    some = images.copy()
    some.loc[(some["filler"] == "inpainting") & (some["id"] < "010"), "ssim_masked"] = math.nan
    row = compare_fillers(some, 500).set_index(KEYS).loc[("masked", "inpainting", "ssim")]
    there = some[some["id"] >= "010"].pivot(index="id", columns="filler", values="ssim_masked")
    assert row["radiographs"] == RADIOGRAPHS - 10
    assert row["value"] == pytest.approx(there["inpainting"].mean())
    assert row["to_network"] == pytest.approx((there["inpainting"] - there["network"]).mean())


@pytest.fixture
def make(tmp_path, request):
    """Makes the table of pretexts with these measurements."""

    def make(*pretexts) -> Table:
        files = {"metrics": [], "fillers": []}
        for number, rows in enumerate(pretexts):
            network = rows["filler"] == "network"
            parts = {"metrics": rows[network].drop(columns="filler"), "fillers": rows[~network]}
            for name, part in parts.items():
                files[name].append(tmp_path / f"{number}" / f"{name}.csv")
                files[name][-1].parent.mkdir(exist_ok=True)
                part.to_csv(files[name][-1], index=False)
        write_json(tmp_path / "run.json", RECORD)
        files["published"] = request.config.rootpath / "config" / "published" / "pretext.csv"
        report = presentation(bootstrap_resamples=2000)
        return table_pretext(report, **files, runs=[tmp_path / "run.json"])

    return make


def test_the_papers_values_stand_beside_the_networks_whole_output_alone(make, images):
    table = make(images)
    rows = table.frame.set_index(KEYS)
    assert rows["value_published"].count() == 3
    row = rows.loc[("all", "network", "ssim")]
    assert row["value_published"] == 0.912
    assert row["value_difference"] == pytest.approx(row["value"] - 0.912)
    text = table.parts[0].text
    assert text.iloc[0].tolist() == ["Paper", "Network", "0.912", "0.088", "0.956", "–"]
    assert "Paper" not in table.parts[1].text["Pretext"].tolist()


def test_the_table_says_where_a_filler_is_better_than_the_network(make, images):
    """Over the masked pixels the network keeps the visible ones, as fillers do."""
    table = make(images)
    assert table.lead.startswith(
        "**Better than the network, though they learnt nothing:** over the whole radiograph, as "
        "the paper measures, inpainting (SSIM, L1); over the masked pixels alone, none. Dataset: "
    )
    whole, masked = (part.text.set_index("Masks filled by") for part in table.parts)
    assert ["†" in cell for cell in whole.loc["Inpainting"][1:]] == [True, False, False, True]
    assert not any("†" in cell for cell in masked.loc["Inpainting"])
    assert ["**" in cell for cell in whole.loc["Network, visible pixels kept"][1:]] == [True] * 4
    assert whole["Pretext"].iloc[1] == "masking (30.5% masked)"
    assert not any("too narrow" in note for note in table.notes)
    latex = in_latex(table)
    assert latex.count(r"\begin{table}") == 2 and r"$\dagger$" in latex


def test_every_pretext_has_its_own_sentence_and_rows_that_say_how_much_is_masked(make):
    table = make(measured("second"), measured("first", hidden=0.75))
    assert list(table.frame["pretext"].unique()) == ["second", "first"]
    assert table.lead.index("network of second,") < table.lead.index("network of first,")
    for part in table.parts:
        names = part.text["Pretext"].tolist()
        assert names.count("second (30.5% masked)") == names.count("first (74.4% masked)") == 1


def test_missing_lpips_is_explained(make):
    table = make(measured(without=("lpips",)))
    assert "LPIPS was not measured" in table.lead
    assert table.frame.loc[table.frame["metric"] == "lpips", "value"].isna().all()
    assert set(table.parts[1].text["LPIPS"]) == {"–"}


def test_a_pretext_that_masks_nothing_has_no_lines_of_masked_pixels(make):
    images = measured("denoising", hidden=0).assign(hidden=0.0)
    images = images[images["filler"].isin(["network", "unfilled"])].copy()
    images[[f"{metric}_masked" for metric in METRICS]] = math.nan
    table = make(measured("first"), images)
    assert "denoising masks nothing: *Unfilled* is what its network sees." in table.lead
    whole, masked = (set(part.text["Pretext"]) - {"", "Paper"} for part in table.parts)
    assert whole == {"first (30.5% masked)", "denoising (0.0% masked)"}
    assert masked == {"first (30.5% masked)"}
    alone = make(images)
    assert len(alone.parts) == 1 and set(alone.frame["pixels"]) == {"all"}
    assert alone.frame["value"].notna().all()
