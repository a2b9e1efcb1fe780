"""The pretext beside fillers that learnt nothing, against SciPy."""

import math

import numpy as np
import pytest
from records import RECORD, presentation
from scipy import stats

from maskedteeth.files import write_csv, write_json
from maskedteeth.report.reconstructions import (
    COMPOSITE,
    NETWORK,
    better,
    compare,
    read_reconstructions,
    worse,
)
from maskedteeth.report.table import Table, in_latex
from maskedteeth.report.tables.table_pretext import table_pretext

REPORT = presentation(bootstrap_resamples=2000)
METRICS = ("ssim", "lpips", "fsim", "l1")
#: Means over the whole radiograph: SSIM, LPIPS, FSIM, L1.
LEVELS = {
    "network": (0.80, 0.20, 0.90, 0.030),
    "composite": (0.86, 0.15, 0.95, 0.020),
    "inpainting": (0.84, 0.30, 0.90, 0.025),
    "unfilled": (0.40, 0.60, 0.50, 0.200),
}
RADIOGRAPHS = 40


def measured(levels=LEVELS, without=()):
    """Rows a filler: every radiograph is easy or hard for all, and differs a little besides."""
    generator = np.random.default_rng(0)
    ease = generator.normal(0, 0.05, RADIOGRAPHS)
    rows = {}
    for filler, means in levels.items():
        rows[filler] = []
        for n in range(RADIOGRAPHS):
            row = {"id": f"{n:03d}", "hidden": 0.3 if n else 0.5}
            for metric, mean in zip(METRICS, means, strict=True):
                value = mean * (1 + ease[n]) + generator.normal(0, 0.004)
                row |= {metric: value, f"{metric}_masked": value * 0.9}
                row |= {key: "" for key in (metric, f"{metric}_masked") if metric in without}
            rows[filler].append(row)
    return rows


def write(folder, name="random_block_masking", hidden=None, **options):
    rows = measured(**options)
    for row in (row for part in rows.values() for row in part):
        row |= {"pretext": name} | ({"hidden": hidden} if hidden else {})
    metrics, fillers = folder / name / "metrics.csv", folder / name / "fillers.csv"
    write_csv(metrics, rows.pop("network"))
    write_csv(fillers, [{"filler": f} | row for f, part in rows.items() for row in part])
    return metrics, fillers


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    metrics, fillers = write(tmp_path_factory.mktemp("pretext"))
    return read_reconstructions([metrics], [fillers])


@pytest.fixture(scope="module")
def table(images):
    keys = ["pixels", "filler", "metric"]
    return compare(images, 2000).set_index(keys, drop=False).rename_axis([None] * 3)


def test_the_network_comes_first_and_every_radiograph_is_there(images):
    assert list(images["filler"].unique()) == list(LEVELS)
    assert (images.groupby("filler").size() == RADIOGRAPHS).all()
    assert images["id"].iloc[0] == "000"


def test_means_and_intervals_are_scipys(images, table):
    values = images.loc[images["filler"] == "inpainting", "ssim_masked"].to_numpy()
    row = table.loc[("masked", "inpainting", "ssim")]
    assert row["value"] == pytest.approx(values.mean())
    assert row["value_sd"] == pytest.approx(np.std(values, ddof=1))
    expected = stats.bootstrap((values,), np.mean, method="percentile", rng=1, n_resamples=4000)
    low, high = expected.confidence_interval
    width = high - low
    assert row["value_low"] == pytest.approx(low, abs=0.1 * width)
    assert row["value_high"] == pytest.approx(high, abs=0.1 * width)


def test_differences_are_paired(images, table):
    wide = images.pivot(index="id", columns="filler", values="l1")
    differences = (wide["inpainting"] - wide["network"]).to_numpy()
    row = table.loc[("all", "inpainting", "l1")]
    assert row["to_network"] == pytest.approx(differences.mean())
    level = 1 - 0.05 / 32  # two fillers, twice two kinds of pixels, four metrics
    options = {"method": "percentile", "rng": 1, "confidence_level": level}
    low, high = stats.bootstrap((differences,), np.mean, **options).confidence_interval
    assert row["to_network_low"] == pytest.approx(low, abs=0.1 * (high - low))
    assert row["to_network_high"] == pytest.approx(high, abs=0.1 * (high - low))


def test_better_means_more_similar_and_less_different(table):
    found = table[better(table, NETWORK)]
    assert set(found.index) == {
        (pixels, "inpainting", metric) for pixels in ("all", "masked") for metric in ("ssim", "l1")
    }
    assert not better(table, COMPOSITE).any()
    below = table[worse(table, COMPOSITE) & (table["filler"] == "unfilled")]
    assert len(below) == 8
    told = better(table, NETWORK) | worse(table, NETWORK)
    assert not told["all", "inpainting", "fsim"] and told["all", "inpainting", "lpips"]


def test_the_network_is_not_compared_with_itself(table):
    own = table[table["filler"].isin([NETWORK, COMPOSITE])]
    assert own[["to_network", "to_composite_low"]].isna().all(axis=None)


def test_radiographs_that_were_not_measured_are_left_out(images):
    some = images.copy()
    some.loc[(some["filler"] == "inpainting") & (some["id"] < "010"), "ssim_masked"] = math.nan
    row = (
        compare(some, 500)
        .set_index(["pixels", "filler", "metric"])
        .loc[("masked", "inpainting", "ssim")]
    )
    there = some[some["id"] >= "010"].pivot(index="id", columns="filler", values="ssim_masked")
    assert row["radiographs"] == RADIOGRAPHS - 10
    assert row["value"] == pytest.approx(there["inpainting"].mean())
    assert row["to_network"] == pytest.approx((there["inpainting"] - there["network"]).mean())


# --- The table ---


@pytest.fixture
def make(tmp_path, request):
    """Makes the table of pretexts with these names and measurements."""

    def make(*names, hidden=(None, None), **options) -> Table:
        pretexts = [write(tmp_path, n, h, **options) for n, h in zip(names, hidden, strict=False)]
        metrics, fillers = (list(files) for files in zip(*pretexts, strict=True))
        published = request.config.rootpath / "config" / "published" / "pretext.csv"
        write_json(tmp_path / "run.json", RECORD)
        files = {"metrics": metrics, "fillers": fillers, "published": published}
        return table_pretext(REPORT, **files, runs=[tmp_path / "run.json"])

    return make


def test_the_papers_values_stand_beside_the_networks_whole_output_alone(make):
    table = make("masking")
    rows = table.frame.set_index(["pixels", "filler", "metric"])
    assert rows["value_published"].count() == 3
    row = rows.loc[("all", "network", "ssim")]
    assert row["value_published"] == 0.912
    assert row["value_difference"] == pytest.approx(row["value"] - 0.912)
    text = table.parts[0].text
    assert text.iloc[0].tolist() == ["Paper", "Network", "0.912", "0.088", "0.956", "–"]
    assert "Paper" not in table.parts[1].text["Pretext"].tolist()


def test_the_table_says_where_a_filler_beats_the_network(make):
    table = make("masking")
    assert (
        "Over the whole radiograph, as the paper measures: better than the network: inpainting "
        "(SSIM, L1); undecided: inpainting (FSIM); the network is better in the other 5 "
        "comparisons. Inside the blocks alone: the network is better in all 8 comparisons."
        in table.lead
    )
    text = table.parts[0].text.set_index("Blocks filled by")
    assert ["†" in cell for cell in text.loc["Inpainting"][1:]] == [True, False, False, True]
    assert ["**" in cell for cell in text.loc["Network, visible pixels kept"][1:]] == [True] * 4
    assert "Masked: 30.5% of the pixels (30.0% to 50.0%)." in table.notes
    assert "not measured" not in table.lead
    assert not any("too narrow" in note for note in table.notes)
    latex = in_latex(table)
    assert latex.count(r"\begin{table}") == 2 and r"$\dagger$" in latex


def test_every_pretext_has_its_own_sentence_and_rows(make):
    table = make("second", "first")
    assert list(table.frame["pretext"].unique()) == ["second", "first"]
    assert table.lead.index("**second: Does") < table.lead.index("**first: Does")
    assert "second" in table.parts[1].text["Pretext"].tolist()


def test_pretexts_that_hide_different_blocks_say_so_in_their_rows(make):
    table = make("first", "second", hidden=(None, 0.75))
    for part in table.parts:
        names = part.text["Pretext"].tolist()
        assert names.count("first (30.5% masked)") == names.count("second (75.0% masked)") == 1
    assert "Masked: first, 30.5% of the pixels (30.0% to 50.0%); second, 75.0%" in table.notes[-1]
    assert "their tasks differ" in table.notes[-1]
    assert list(table.frame["pretext"].unique()) == ["first", "second"]


def test_missing_lpips_is_explained(make):
    table = make("masking", without=("lpips",))
    assert "LPIPS was not measured" in table.lead
    assert table.frame.loc[table.frame["metric"] == "lpips", "value"].isna().all()
    assert set(table.parts[1].text["LPIPS"]) == {"–"}
