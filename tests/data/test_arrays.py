import numpy as np
import pytest

from maskedteeth.data.arrays import read_rows
from maskedteeth.errors import InputError
from maskedteeth.files import write_csv


@pytest.fixture
def stored(tmp_path):
    np.save(tmp_path / "images.npy", np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((2, 4)))
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
