"""The benchmarks' bookkeeping, and one of them for real; what they measure is for `make bench`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def _in_the_benchmarks_folder(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))


def test_a_figure_is_the_median_and_its_spread():
    from timing import figure

    found = figure("speed", [3.0, 1.0, 2.0, 9.0, 2.5], 2.5, "detail")
    assert (found.value, found.median, found.min, found.max) == (2.5, 2.5, 1.0, 9.0)


@pytest.mark.parametrize(
    ("better", "value", "met"),
    [("higher", 2, "yes"), ("higher", 1.9, "NO"), ("lower", 2, "yes"), ("lower", 2.1, "NO")],
)
def test_a_target_is_met_from_the_right_side(better, value, met):
    from timing import figure

    assert figure("speed", [value], 2, "", better).met == met
    assert figure("speed", [value], None, "", better).met == ""


@pytest.mark.parametrize(("better", "worst"), [("higher", 1.0), ("lower", 3.0)])
def test_of_several_sizes_the_worst_stands_for_the_whole(better, worst):
    from timing import figure
    from timing import worst as worst_of

    sizes = [figure(f"speed_{n}", [n], 2, "", better) for n in (1.0, 3.0, 2.0)]
    whole, *rest = worst_of("speed", sizes)
    assert whole.name == "speed" and whole.value == worst and rest == sizes


def test_sides_take_turns_and_none_always_comes_first():
    from timing import alternate

    calls = []
    rounds = alternate(3, lambda: calls.append("a"), lambda: calls.append("b"))
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert len(rounds) == 3 and all(len(times) == 2 and min(times) > 0 for times in rounds)


def test_a_benchmark_runs_and_is_written_beside_the_others(tmp_path):
    out = tmp_path / "bench.json"
    out.write_text(json.dumps([{"name": "other"}, {"name": "light_stage_seconds"}]))
    command = [sys.executable, str(FOLDER / "run.py"), "light_stage_seconds", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(out.read_text())}
    assert set(rows) >= {"other", "light_stage_seconds", "light_stage_table2"}
    row = rows["light_stage_seconds"]
    assert row["target"] == 1.5 and 0 < row["min"] <= row["value"] <= row["max"]
    assert "| light_stage_seconds |" in done.stdout


def test_an_unknown_benchmark_is_named():
    command = [sys.executable, str(FOLDER / "run.py"), "sped"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and "no benchmark 'sped'" in done.stderr
