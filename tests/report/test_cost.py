"""The table of costs adds up what the records say, and names what made them."""

import json
import math

import pandas as pd
import pytest
from records import RECORD, SETTINGS

from maskedteeth.cli import main
from maskedteeth.files import write_json

PRETEXT, UNET, OURS = (
    "pretext/blocks",
    "runs/unet/fraction-0.2/seed-42",
    "runs/ours/fraction-0.2/seed-0",
)


@pytest.fixture
def make(tmp_path):
    def write(records):
        files = []
        for place, content in records.items():
            folder = tmp_path / "study" / place
            folder.mkdir(parents=True)
            write_json(folder / "run.json", RECORD | content)
            write_json(folder / "evaluation.json", RECORD | {"seconds": 60.0})
            files += [folder / "run.json", folder / "evaluation.json"]
        out = {kind: tmp_path / f"out.{kind}" for kind in ("csv", "md", "tex")}
        arguments = ["cost", "--settings", json.dumps(SETTINGS), "--runs", *map(str, files)]
        arguments += [text for kind, file in out.items() for text in (f"--{kind}", str(file))]
        assert main(arguments) == 0
        return pd.read_csv(out["csv"]), out["md"].read_text()

    return write


def test_a_line_a_training_with_what_its_record_says(make):
    table, _ = make({PRETEXT: {}, UNET: {"seed": 42}, OURS: {"seed": 0, "steps": 61}})
    assert table["model"].tolist() == ["Pretext: blocks", "U-Net", "Our approach"]
    assert table["fraction"].tolist()[1:] == [0.2, 0.2] and math.isnan(table["fraction"][0])
    assert table["seed"].tolist()[1:] == [42, 0]
    assert table["steps"].tolist() == [60, 60, 61]
    assert set(table["git_commit"]) == {"c" * 40} and set(table["torch"]) == {"2.13.0"}
    assert set(table["evaluation_seconds"]) == {60.0}


def test_a_line_a_method_and_one_of_all(make):
    runs = {f"runs/unet/fraction-0.2/seed-{n}": {"training_seconds": 3600.0} for n in range(3)}
    _, text = make(runs | {OURS: {"images_per_second": 9.6, "peak_memory_mib": 500.0}})
    lines = [[part.strip() for part in line.split("|")][1:-1] for line in text.splitlines()]
    assert ["U-Net", "3", "3 h 0 min", "1 h 0 min", "4.8", "3 min", "400 MiB"] in lines
    assert ["Our approach", "1", "2 min", "2 min", "9.6", "60 s", "500 MiB"] in lines
    assert ["All", "4", "3 h 2 min", "45 min", "4.8", "4 min", "500 MiB"] in lines


def test_a_cards_memory_is_shown_where_there_was_a_card(make):
    _, text = make({UNET: {}})
    assert "| Card" not in text
    _, text = make({OURS: {"device": "A card", "peak_device_memory_mib": 1234.4}})
    assert "allocated on a card" in text
    assert "1,234 MiB" in text and "Device: A card" in text


def test_stopped_and_taken_over_trainings_are_counted(make):
    _, text = make({PRETEXT: {"shared_from": "other"}, UNET: {"resumed_after_steps": [10, 20]}})
    assert "1 training was stopped and went on." in text
    assert "1 pretext was taken over from another study, with its cost." in text
