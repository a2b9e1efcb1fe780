import json
import math

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from scipy import stats

from maskedteeth.cli import main
from maskedteeth.files import write_csv
from maskedteeth.report.reconstructions import (
    COMPOSITE,
    NETWORK,
    better,
    compare,
    read_reconstructions,
    worse,
)
from maskedteeth.settings.jobs import ReportJob

REPORT = ReportJob(
    dataset="A synthetic set",
    protocol="fixed-test",
    threshold=0.5,
    boundary_tolerance=2,
    labels={"ours": "Ours"},
    short_labels={"ours": "Ours"},
    ours="ours",
    bootstrap_resamples=2000,
)
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


def write(folder, name="random_block_masking", **options):
    rows = measured(**options)
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


# --- The table -----------------------------------------------------------------------------------


def lpips_file(folder, reason=""):
    weights = folder / "lpips.safetensors"
    metadata = {"available": "no" if reason else "yes", "reason": reason}
    save_file({}, weights, metadata={"about": json.dumps(metadata)})
    return weights


def make(folder, pretexts, reason=""):
    metrics, fillers = zip(*pretexts, strict=True)
    out = {kind: folder / f"out.{kind}" for kind in ("csv", "md", "tex")}
    words = ["table-pretext", "--settings", REPORT.model_dump_json()]
    words += ["--metrics", *metrics, "--fillers", *fillers]
    words += ["--lpips", lpips_file(folder, reason), "--published", "config/published/pretext.csv"]
    words += [word for kind, file in out.items() for word in (f"--{kind}", file)]
    assert main([str(word) for word in words]) == 0
    return pd.read_csv(out["csv"]), out["md"].read_text(), out["tex"].read_text()


def test_the_papers_values_stand_beside_the_networks_whole_output_alone(tmp_path):
    table, text, _ = make(tmp_path, [write(tmp_path)])
    rows = table.set_index(["pixels", "filler", "metric"])
    assert rows["value_published"].count() == 3
    row = rows.loc[("all", "network", "ssim")]
    assert row["value_published"] == 0.912
    assert row["value_difference"] == pytest.approx(row["value"] - 0.912, abs=1e-6)
    (line,) = (line for line in text.splitlines() if line.startswith("| Paper"))
    assert [cell.strip() for cell in line.split("|")[3:7]] == ["0.912", "0.088", "0.956", "–"]


def test_the_table_says_where_a_filler_beats_the_network(tmp_path):
    _, text, latex = make(tmp_path, [write(tmp_path)])
    assert (
        "Over the whole radiograph, as the paper measures it, inpainting was shown to be better "
        "than the network by SSIM and L1, and inpainting was not told apart from it by FSIM.**"
        in text
    )
    assert (
        "With the visible pixels kept, no filler was shown to be better than the network, over the "
        "whole radiograph and over the masked pixels alone." in text
    )
    whole = text[text.index("## Whole") : text.index("## Masked")]
    (line,) = (line for line in whole.splitlines() if "Inpainting" in line)
    assert [("†" in cell) for cell in line.split("|")[3:7]] == [True, False, False, True]
    (line,) = (line for line in whole.splitlines() if "kept" in line)
    assert line.count("**") == 8
    assert latex.count(r"\begin{table}") == 2 and r"$\dagger$" in latex
    assert "Masked: 30.5% of the pixels (30.0% to 50.0%)" in text
    assert "not available" not in text and "too narrow" not in text


def test_a_network_that_no_filler_comes_near_is_told_so(tmp_path):
    levels = LEVELS | {"inpainting": (0.5, 0.4, 0.6, 0.1)}
    _, text, _ = make(tmp_path, [write(tmp_path, levels=levels)])
    assert "as the paper measures it, no filler was shown to be better than the network.**" in text
    assert " [" in text and "† [" not in text


def test_every_pretext_has_its_own_sentence_and_rows(tmp_path):
    pretexts = [write(tmp_path, name) for name in ("second", "first")]
    table, text, _ = make(tmp_path, pretexts)
    assert list(table["pretext"].unique()) == ["second", "first"]
    assert text.index("**second: Over") < text.index("**first: Over")
    assert text.count("Network, visible pixels kept") == 4
    assert "different blocks" not in text and "| second  " in text


def test_pretexts_that_hide_different_blocks_say_so_in_their_rows(tmp_path):
    pretexts = [write(tmp_path, name) for name in ("first", "second")]
    hidden = pd.read_csv(pretexts[1][0], dtype=str).assign(hidden="0.75")
    hidden.to_csv(pretexts[1][0], index=False)
    table, text, _ = make(tmp_path, pretexts)
    for name in ("first (30.5% masked)", "second (75.0% masked)"):
        assert sum(line.startswith(f"| {name} ") for line in text.splitlines()) == 2
    assert "Masked: first, 30.5% of the pixels (30.0% to 50.0%); second, 75.0% of" in text
    assert "These pretexts hide different blocks" in text
    assert list(table["pretext"].unique()) == ["first", "second"]


def test_missing_lpips_is_explained(tmp_path):
    pretext = write(tmp_path, without=("lpips",))
    table, text, _ = make(tmp_path, [pretext], reason="switched off by evaluation.lpips")
    assert "LPIPS is not available: switched off by evaluation.lpips.\n" in text
    assert table.loc[table["metric"] == "lpips", "value"].isna().all()
    assert table.loc[table["metric"] == "lpips", "radiographs"].eq(0).all()
    lines = [line for line in text.splitlines() if "Inpainting" in line]
    assert [line.split("|")[4].strip() for line in lines] == ["–", "–"]
