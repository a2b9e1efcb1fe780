"""The benchmarks' bookkeeping, and one of them for real; what they measure is for `make bench`."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def _in_the_benchmarks_folder(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))


def run(*names: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(FOLDER / "run.py"), *names]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("better", "value", "met"),
    [("higher", 2, "yes"), ("higher", 1.9, "NO"), ("lower", 2, "yes"), ("lower", 2.1, "NO")],
)
def test_a_target_is_met_by_the_median_from_the_right_side(better, value, met):
    from timing import Figure

    values = [9, value, 0]
    assert Figure(values, 2, better=better).met == met
    assert Figure(values, None, better=better).met == ""


def test_a_benchmark_runs():
    done = run("light_stage_seconds")
    assert done.returncode == 0, done.stderr
    assert all(f"| light_stage_seconds | table{n} | " in done.stdout for n in (1, 2, 3))


def test_an_unknown_benchmark_is_named():
    done = run("sped")
    assert done.returncode == 2 and "no benchmark 'sped'" in done.stderr


def test_one_network_twice_gains_nothing_and_has_the_dice_of_its_evaluation(study, tmp_path):
    from ensembles import dice_of, gains

    (tmp_path / "data").mkdir()
    for name in ("index.csv", "images.npy", "labels.npy"):
        shutil.copy(study / name, tmp_path / "data")
    for seed in ("1", "2"):
        shutil.copytree(study / "run", tmp_path / "runs/ours/fraction-0.25" / f"seed-{seed}")
    dice = dice_of(tmp_path)
    measured = pd.read_csv(study / "run/metrics.csv")
    np.testing.assert_allclose(dice["one network"], measured["dice"], atol=1e-6)
    found = gains(dice).set_index(["method", "way"])
    assert (found.loc[("ours", "all seeds"), ["gain", "gain_low", "gain_high"]] == 0).all()
    expected = (dice["mirrored"] - dice["one network"]).mean()
    assert found.loc[("all", "mirrored"), "gain"] == pytest.approx(expected)
