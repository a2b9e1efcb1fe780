import numpy as np
import pytest

from maskedteeth.data.arrays import read_rows, read_subset
from maskedteeth.errors import InputError
from maskedteeth.files import write_csv, write_json


@pytest.fixture
def stored(tmp_path):
    np.save(
        tmp_path / "images.npy",
        np.arange(3, dtype=np.uint8)[:, None, None].repeat(8, 1).reshape(3, 2, 4),
    )
    write_csv(tmp_path / "index.csv", [{"id": name} for name in ("a", "b", "c")])
    return tmp_path / "images.npy", tmp_path / "index.csv"


def test_rows_come_in_the_order_asked_for(stored):
    assert read_rows(*stored, ["c", "a", "c"])[:, 0, 0].tolist() == [2, 0, 2]


def test_an_unknown_radiograph_is_named(stored):
    with pytest.raises(InputError, match="no radiograph 'd'"):
        read_rows(*stored, ["a", "d"])


def test_an_array_of_another_dataset_is_refused(stored, tmp_path):
    write_csv(tmp_path / "index.csv", [{"id": "a"}])
    with pytest.raises(InputError, match="has 3 radiographs and .* 1; they belong to different"):
        read_rows(*stored, ["a"])


def test_a_subset_is_of_the_fraction_that_was_drawn(tmp_path):
    split = tmp_path / "split.json"
    write_json(split, {"fraction": 1 / 3, "train": ["a"], "test": ["b", "c"]})
    assert read_subset(split, 0.333333, "train") == ["a"]  # a fraction as it names files
    assert read_subset(split, 1 / 3, "test") == ["b", "c"]
    with pytest.raises(InputError, match=r"has no fraction 0\.2, only 0\.333333; run split again"):
        read_subset(split, 0.2, "train")
