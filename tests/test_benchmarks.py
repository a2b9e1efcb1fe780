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


def test_a_benchmark_runs():
    command = [sys.executable, str(FOLDER / "run.py"), "light_stage_seconds"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"| light_stage_seconds | table{n} | " in done.stdout for n in (1, 2, 3))


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
