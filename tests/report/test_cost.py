"""What trainings cost, by their records."""

import pytest
from records import RECORD, evaluated, of_pretext, presentation

from maskedteeth.files import write_json
from maskedteeth.report.tables.cost import cost


@pytest.fixture
def make(tmp_path):
    """Makes the table of trainings, given by what their records say otherwise."""

    def make(*trainings):
        records = [RECORD | {"seed": seed} | said for seed, said in enumerate(trainings)]
        records = [of_pretext(r, r["pretext"]) if "pretext" in r else r for r in records]
        records += [evaluated(r) for r in records]
        files = [tmp_path / f"{number}.json" for number in range(len(records))]
        for file, record in zip(files, records, strict=True):
            write_json(file, record)
        return cost(presentation(), runs=files)

    return make


def test_a_row_a_training_with_what_made_it(make):
    unet = {"method": "unet", "resumed_after_steps": [10, 20]}
    table = make({"pretext": "masking"}, unet).frame
    assert table["name"].tolist() == ["masking", "unet"]
    assert table["model"].tolist() == ["Pretext: masking", "U-Net"]
    assert table[["fraction", "seed"]].isna().all(axis=1).tolist() == [True, False]
    assert table["resumed"].tolist() == [0, 2] and set(table["evaluation_seconds"]) == {20}
    assert set(table["torch"]) == {"2.13.0"} and set(table["git_commit"]) == {"c" * 40}


def test_a_line_a_method_and_one_of_all(make):
    unet = {"method": "unet", "training_seconds": 3600.0}
    table = make(unet, unet, unet, {"images_per_second": 9.6, "peak_memory_mib": 500.0})
    assert table.parts[0].text.to_numpy().tolist() == [
        ["U-Net", "3", "3 h 0 min", "1 h 0 min", "4.8", "60 s", "400 MiB"],
        ["Our approach", "1", "2 min", "2 min", "9.6", "20 s", "500 MiB"],
        ["All", "4", "3 h 2 min", "45 min", "4.8", "80 s", "500 MiB"],
    ]


def test_a_gpus_memory_is_shown_where_there_was_a_gpu(make):
    table = make({"device": "A GPU", "peak_device_memory_mib": 1234.4})
    assert table.parts[0].text["GPU memory"].tolist() == ["1,234 MiB"]
    assert "Device: A GPU" in table.lead


def test_trainings_that_stopped_or_moved_are_told(make):
    machines = [{"device": name, "precision": "bfloat16"} for name in ("a CPU", "a card", "a card")]
    table = make({"resumed_after_steps": [10, 20], "machines": machines})
    assert "1 training was stopped and resumed." in table.lead
    assert table.frame["device"].tolist() == ["a CPU then a card"]
