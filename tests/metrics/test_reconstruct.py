import json

import numpy as np
import pandas as pd
import pytest

from maskedteeth.files import read_csv
from maskedteeth.training.device import Machine


def outputs(folder):
    names = ("metrics.csv", "fillers.csv", "samples.npz")
    return {name.split(".")[0]: folder / name for name in names}


@pytest.fixture(scope="module")
def measured(study, tmp_path_factory):
    """metrics.csv, fillers.csv and samples.npz of the pretext, without LPIPS."""
    folder = tmp_path_factory.mktemp("reconstruct")
    files = outputs(folder)
    lpips = folder / "lpips.safetensors"
    assert study.run("lpips-weights", weights=lpips) == 0
    assert study.run("measure-pretext", {"samples": 4}, lpips=lpips, **files) == 0
    return files, lpips


def test_every_test_radiograph_has_a_line(study, measured):
    rows = read_csv(measured[0]["metrics"])
    test = json.loads((study / "pretext/split.json").read_text())["test"]
    assert [row["id"] for row in rows] == test
    metrics = ["ssim", "lpips", "fsim", "l1"]
    assert list(rows[0]) == ["id", "hidden", *metrics, *(f"{name}_masked" for name in metrics)]
    for row in rows:
        assert 0.1 < float(row["hidden"]) < 0.76
        assert 0 < float(row["ssim"]) < 1 and 0 < float(row["fsim"]) < 1
        assert row["lpips"] == row["lpips_masked"] == ""


def test_samples_show_what_was_measured(study, measured):
    samples = np.load(measured[0]["samples"])
    rows = read_csv(measured[0]["metrics"])
    assert set(samples.files) == {"ids", "xray", "masked", "sobel", "generated"}
    assert samples["ids"].tolist() == [row["id"] for row in rows][:4]
    for n, row in enumerate(rows[:4]):
        xray = samples["xray"][n].astype(float)
        assert samples["generated"][n].dtype == np.uint8 and xray.shape == (32, 64)
        # Grey levels are rounded, so the mean difference is known to half a level.
        l1 = np.abs(samples["generated"][n] - xray).mean() / 255
        assert float(row["l1"]) == pytest.approx(l1, abs=0.5 / 255)
        hidden = (samples["masked"][n] != samples["xray"][n]).mean()
        assert float(row["hidden"]) == pytest.approx(hidden, abs=0.01)


def test_the_same_blocks_are_measured_every_time(study, measured, tmp_path):
    files = outputs(tmp_path)
    assert study.run("measure-pretext", {"samples": 4}, lpips=measured[1], **files) == 0
    for flag, file in files.items():
        assert file.read_bytes() == measured[0][flag].read_bytes()
    other = {"samples": 4, "mask_seed": 1}
    assert study.run("measure-pretext", other, lpips=measured[1], **files) == 0
    assert files["metrics"].read_bytes() != measured[0]["metrics"].read_bytes()


def test_the_size_of_a_batch_changes_nothing(study, measured, tmp_path, monkeypatch):
    monkeypatch.setattr(Machine, "inference_batch", 3)
    files = outputs(tmp_path)
    assert study.run("measure-pretext", {"samples": 3}, lpips=measured[1], **files) == 0
    for here, there in zip(*map(read_csv, (files["metrics"], measured[0]["metrics"])), strict=True):
        for key in ("hidden", "ssim", "fsim", "l1", "ssim_masked", "fsim_masked", "l1_masked"):
            assert float(here[key]) == pytest.approx(float(there[key]), abs=2e-5)
    for here, there in zip(*map(read_csv, (files["fillers"], measured[0]["fillers"])), strict=True):
        assert (here["filler"], here["id"]) == (there["filler"], there["id"])
        assert float(here["ssim"]) == pytest.approx(float(there["ssim"]), abs=2e-5)
    here, there = np.load(files["samples"]), np.load(measured[0]["samples"])
    assert (here["ids"] == there["ids"]).all() and here["generated"].shape == (3, 32, 64)
    assert (here["masked"] == there["masked"]).all()


def test_behind_the_same_blocks_the_last_preview_is_reconstructed_again(study, measured, tmp_path):
    files = outputs(tmp_path)
    settings = {"samples": 3, "mask_seed": 42}
    assert study.run("measure-pretext", settings, lpips=measured[1], **files) == 0
    samples, previews = np.load(files["samples"]), np.load(study / "pretext/previews.npz")
    for name in ("ids", "xray", "masked", "sobel"):
        assert (samples[name] == previews[name]).all(), name
    assert (samples["generated"] == previews["generated"][-1]).all()


@pytest.fixture(scope="module")
def by_filler(measured):
    """A frame a filler, a row a test radiograph; "network" is metrics.csv."""
    table = pd.read_csv(measured[0]["fillers"], dtype={"id": str})
    frames = {name: frame.set_index("id") for name, frame in table.groupby("filler", sort=False)}
    return frames | {"network": pd.read_csv(measured[0]["metrics"], dtype={"id": str}, index_col=0)}


def test_every_filler_has_a_line_for_every_radiograph_behind_the_same_masks(by_filler):
    assert list(by_filler) == ["composite", "inpainting", "image_mean", "unfilled", "network"]
    for frame in by_filler.values():
        assert (frame["hidden"] == by_filler["network"]["hidden"]).all()
        assert list(frame.index) == list(by_filler["network"].index)


def test_fillers_are_wrong_only_where_masked(by_filler):
    for name, frame in by_filler.items():
        if name == "network":
            assert (frame["l1"] > frame["hidden"] * frame["l1_masked"] + 1e-3).all()
        else:
            assert frame["l1"].to_numpy() == pytest.approx(
                (frame["hidden"] * frame["l1_masked"]).to_numpy(), abs=2e-6
            )


def test_composite_is_the_network_where_masked(by_filler):
    network, composite = by_filler["network"], by_filler["composite"]
    assert (composite["l1_masked"] == network["l1_masked"]).all()
    assert (composite["ssim"] > network["ssim"]).all()


def test_the_unfilled_is_the_masked_input(measured, by_filler):
    samples = np.load(measured[0]["samples"])
    l1 = np.abs(samples["masked"].astype(float) - samples["xray"]).mean((1, 2)) / 255
    assert by_filler["unfilled"]["l1"].to_numpy()[:4] == pytest.approx(l1, abs=1e-6)
